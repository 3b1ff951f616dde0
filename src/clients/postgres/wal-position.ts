// Reads the position at which the source database inserts its next WAL record.
import type pg from 'pg';
import type { Lsn } from '../../domain/values/position.js';

/**
 * Returns the current end of the WAL. Everything that was committed before the call is before this
 * position.
 */
export async function insertLsn(client: pg.ClientBase): Promise<Lsn> {
  return (await client.query<Record<string, string>>('SELECT pg_current_wal_insert_lsn() AS lsn'))
    .rows[0]!['lsn']!;
}
