// Predicts how long a hold lasts, from the last full window, the lag and the last rehearsal. A hold
// is the time from the pause of the batch to the commit.

/** The part of the hold that is reserved for the commit. */
export const COMMIT_RESERVE_MS = 5000;
/** The part that is reserved for reading the witness and the rows that it names. */
const WITNESS_RESERVE_MS = 2000;

export interface Measured {
  /** The duration of the last full window. */
  readonly fullWindowMs: number | null;
  /** The part of that time that the comparison of the tables took. */
  readonly tablesMs: number | null;
  readonly lagMs: number | null;
  readonly rehearsedHoldMs: number | null;
}

/** Says which comparisons are done before the fence, so that the hold does not contain them. */
export interface Ahead {
  /** True if a witness replaces reading the tables. */
  readonly tables: boolean;
  /** True if the final window uses an earlier comparison of the results. */
  readonly results: boolean;
}

/** Returns the part of the last full window that the results took, in ms. */
export const resultsMs = ({ fullWindowMs, tablesMs }: Measured): number =>
  Math.max(0, (fullWindowMs ?? 0) - (tablesMs ?? 0));

/** Returns the predicted hold in ms. Comparisons that are done before the fence do not count. */
export function predictedHoldMs(measured: Measured, ahead: Ahead): number {
  const { fullWindowMs, tablesMs, lagMs, rehearsedHoldMs } = measured;
  const results = resultsMs(measured);
  const tables = ahead.tables ? WITNESS_RESERVE_MS : Math.min(fullWindowMs ?? 0, tablesMs ?? 0);
  const window = tables + (ahead.results ? 0 : results);
  return Math.max(window + (lagMs ?? 0), rehearsedHoldMs ?? 0) + COMMIT_RESERVE_MS;
}
