// Reads what a transaction sees, and an upper limit for the transaction ids of the records in a
// topic.
import type { SourceClient } from '../../../clients/postgres/connection.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';

/** Returns the snapshot of the reader's transaction as text, such as `10:20:11,14`. */
export async function snapshotText(reader: SourceClient): Promise<string> {
  const { rows } = await reader.query<{ snapshot: string }>(
    'SELECT pg_current_snapshot() AS snapshot',
  );
  return rows[0]!.snapshot;
}

/**
 * Returns the snapshot with an upper limit for the transaction ids of records that are in the topic
 * now. The limit is a new id, so it is above every id that the server has assigned so far. The
 * largest id of an ended transaction would be too small. With synchronous replication, a connector
 * can read a commit that still waits for a standby, and whose transaction has therefore not ended.
 * A record with an id at or above the limit belongs to a transaction that this server never had,
 * for example after a failover. Such an id is taken for that of an old transaction. The record is
 * therefore compared, and the window reports it if the source does not have it.
 */
export async function boundedNow(
  side: Pick<SourceClient, 'query'>,
  snapshot: SnapshotVisibility,
): Promise<SnapshotVisibility> {
  const { rows } = await side.query<{ before: string }>('SELECT pg_current_xact_id() AS before');
  return { ...snapshot, before: Number(rows[0]!.before) };
}
