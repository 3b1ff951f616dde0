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
 * The number of transaction ids that may be in use beyond the largest id of an ended transaction.
 * With synchronous replication, a connector can read a commit before its transaction has ended,
 * while the commit still waits for a standby.
 */
const UNENDED_IDS = 2 ** 20;

/**
 * Returns the snapshot with an upper limit for the transaction ids of records that are in the topic
 * now. `side` MUST NOT hold a snapshot, because an older snapshot would give a smaller limit.
 */
export async function boundedNow(
  side: Pick<SourceClient, 'query'>,
  snapshot: SnapshotVisibility,
): Promise<SnapshotVisibility> {
  const { rows } = await side.query<{ before: string }>(
    'SELECT pg_snapshot_xmax(pg_current_snapshot()) AS before',
  );
  return { ...snapshot, before: Number(rows[0]!.before) + UNENDED_IDS };
}
