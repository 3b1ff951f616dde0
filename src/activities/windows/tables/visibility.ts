// Bounds how far back a record's 32-bit transaction id may lie, by the source's own counter.
import type { SourceClient } from '../../../clients/postgres/connection.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';

/**
 * The snapshot with the end of the ids that records may have which are in the topic by now. `side`
 * must hold no snapshot: it is asked for the transaction behind the last one that ended, and only
 * such are in a topic.
 */
export async function boundedNow(
  side: SourceClient,
  snapshot: SnapshotVisibility,
): Promise<SnapshotVisibility> {
  const { rows } = await side.query<{ before: string }>(
    'SELECT pg_snapshot_xmax(pg_current_snapshot()) AS before',
  );
  return { ...snapshot, before: Number(rows[0]!.before) };
}
