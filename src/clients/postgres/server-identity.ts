// Identifies the database server and its timeline.
import type pg from 'pg';

/**
 * Returns the system identifier and the timeline. The timeline changes after a failover. The system
 * identifier is different for a server that was created independently. A part that the role cannot
 * read is empty.
 * The timeline of a primary comes from its current WAL file, because the control file is outdated
 * between a promotion and the next checkpoint.
 */
export async function serverIdentity(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE') THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END AS id,
            CASE WHEN NOT pg_is_in_recovery() THEN ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int::text
                 WHEN has_function_privilege('pg_control_checkpoint()', 'EXECUTE') THEN (SELECT timeline_id::text FROM pg_control_checkpoint()) ELSE '' END AS timeline`,
  );
  return `${rows[0]!['id']}/${rows[0]!['timeline']}`;
}
