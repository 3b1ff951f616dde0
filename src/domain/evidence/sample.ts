// What a window saw beside its comparison: how fresh both sides are and what looking cost. It proves nothing; the report makes numbers of it.
import type { Lag } from './ledger-rows.js';

/** How old the batch's numbers were in the eyes of their readers, over the run log's newest runs. */
export interface BatchAge {
  readonly averageMs: number;
  readonly worstMs: number;
  readonly runs: number;
  readonly lastFinishedAt: string;
}

export interface WindowSample {
  readonly number: number;
  readonly at: string;
  /** `ms` = a marker's way from the source through everything that the migration has: connector, pipeline, sink. */
  readonly lag: Lag;
  /** For so long the window kept at most two backends of the source busy. */
  readonly sourceMs: number;
  readonly rowsRead: number;
  /** Null without a run log, or where it could not be read. */
  readonly batchAge: BatchAge | null;
}
