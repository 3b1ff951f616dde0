// Reads how old the batch's result is when its readers see it. One query on the run log gives this
// age.
import type pg from 'pg';
import { unzonedReason } from '../../clients/postgres/batch-runs.js';
import type { Relation } from '../../domain/migration/names.js';
import type { BatchAge } from '../../domain/evidence/freshness-and-cost.js';

// Readers see a run's result from the end of that run until the end of the next run. The age of the
// result is counted from the run's cut, the time up to which the run read its input.
const AGES = (log: string): string => `
WITH runs AS (
  SELECT cut_at, finished_at, lead(finished_at, 1, greatest(now(), finished_at)) OVER (ORDER BY finished_at) AS replaced_at
  FROM (SELECT cut_at, finished_at FROM ${log} WHERE finished_at IS NOT NULL ORDER BY started_at DESC LIMIT 1000) AS newest
), ages AS (
  SELECT *, extract(epoch FROM finished_at - cut_at) AS at_first, extract(epoch FROM replaced_at - cut_at) AS at_last, extract(epoch FROM replaced_at - finished_at) AS read_for FROM runs
)
SELECT count(*) AS runs, max(at_last) * 1000 AS worst, sum(read_for * (at_first + at_last) / 2) / nullif(sum(read_for), 0) * 1000 AS average, max(finished_at) AS finished_at, max(cut_at) AS cut_at FROM ages`;

/**
 * Returns the average and the maximum age over the newest 1000 runs. Returns null if no run has
 * finished yet, or if the run log stores times without their time zone.
 */
export async function batchAge(client: pg.ClientBase, log: Relation): Promise<BatchAge | null> {
  const { rows, fields } = await client.query<Record<string, string | null>>(AGES(log.sql));
  const row = rows[0]!;
  if (row['average'] === null || unzonedReason(fields, log) !== null) return null;
  return {
    averageMs: Math.round(Number(row['average'])),
    worstMs: Math.round(Number(row['worst'])),
    runs: Number(row['runs']),
    lastFinishedAt: new Date(row['finished_at']!).toISOString(),
  };
}
