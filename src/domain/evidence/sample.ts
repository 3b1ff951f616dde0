// Measurements that a window takes beside its comparison: freshness of both sides, and the cost of
// the window. They prove nothing; the report shows them.
import type { Lag } from './ledger-rows.js';

/** The age of the batch's numbers as its readers saw them, over the newest runs of the run log. */
export interface BatchAge {
  readonly averageMs: number;
  readonly worstMs: number;
  readonly runs: number;
  readonly lastFinishedAt: string;
}

export interface WindowSample {
  readonly number: number;
  readonly at: string;
  /**
   * `ms` = a marker's way from the source through everything that the migration has: connector,
   * pipeline, sink.
   */
  readonly lag: Lag;
  /** The time during which the window kept at most two backends of the source busy, in ms. */
  readonly sourceMs: number;
  readonly rowsRead: number;
  /** Null without a run log, or where it could not be read. */
  readonly batchAge: BatchAge | null;
}
