// Stores the pauses of source connectors in the ledger. A window pauses a connector so that the
// pipeline can process everything and nothing new arrives (a still point). With this record, other
// workers can distinguish such a pause from a pause by a person. They can also end the pause if the
// window's worker has died.
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { RecordedPause } from '../../domain/evidence/still-point.js';
import type { Ledger } from './ledger.js';

type Run = Pick<MigrationRef, 'runKey' | 'generation'>;

/**
 * Records a pause before it begins. The clock of the ledger's database decides when the pause is
 * overdue. Returns the id of the record.
 */
export async function openPause(
  ledger: Ledger,
  ref: Run,
  connector: string,
  atMostMs: number,
): Promise<string> {
  const rows = await ledger.query<{ id: string }>(
    `INSERT INTO sluice.still_point (run_key, generation, connector, deadline)
     VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond') RETURNING id`,
    [ref.runKey, ref.generation, connector, atMostMs],
  );
  return rows[0]!.id;
}

/**
 * Records that a pause is over, after the connector was seen running. `by` says who resumed the
 * connector.
 */
export async function closePause(
  ledger: Ledger,
  id: string,
  by: RecordedPause['closedBy'],
): Promise<void> {
  await ledger.query(
    `UPDATE sluice.still_point SET closed_at = now(), closed_by = $2 WHERE id = $1 AND closed_at IS NULL`,
    [id, by],
  );
}

/** Returns the connector's open pauses and the pauses that ended in the last hour, newest first. */
export async function pausesOf(
  ledger: Ledger,
  ref: Run,
  connector: string,
): Promise<RecordedPause[]> {
  const rows = await ledger.query<{
    id: string;
    overdue: boolean;
    closed_by: RecordedPause['closedBy'];
    closed_ms: string | null;
  }>(
    `SELECT id, now() > deadline AS overdue, closed_by,
       extract(epoch FROM now() - closed_at) * 1000 AS closed_ms
     FROM sluice.still_point WHERE run_key = $1 AND generation = $2 AND connector = $3
       AND (closed_at IS NULL OR closed_at > now() - interval '1 hour') ORDER BY id DESC`,
    [ref.runKey, ref.generation, connector],
  );
  return rows.map((row) => ({
    id: row.id,
    isOverdue: row.overdue,
    closedBy: row.closed_by,
    closedMs: row.closed_ms === null ? null : Number(row.closed_ms),
  }));
}
