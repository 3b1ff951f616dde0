// Measurements that a window takes besides its comparison: the freshness of both sides, and the
// cost of the window. They prove nothing; the report shows them.
import type { Lag } from './ledger-rows.js';

/**
 * The age of the batch's result when its readers see it, over the newest runs of the run log. It is
 * counted from the cut of each run.
 */
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
   * `ms` is the time that a marker takes from the source to the end of the path. The path consists
   * of the connector and, if they exist, the pipeline and the sink.
   */
  readonly lag: Lag;
  /**
   * The time in ms for which the window kept backends of the source busy. A window uses at most two
   * backends at a time.
   */
  readonly sourceMs: number;
  readonly rowsRead: number;
  /** Null if there is no run log, or if it could not be read. */
  readonly batchAge: BatchAge | null;
}
