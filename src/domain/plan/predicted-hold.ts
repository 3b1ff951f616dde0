// Predicts how long a hold lasts, from the last full window and the last rehearsal.

/** The part of the hold that is reserved for the commit. */
export const COMMIT_RESERVE_MS = 5000;
/** The part that is reserved for reading the witness and the rows that it names. */
const WITNESS_RESERVE_MS = 2000;

export interface Measured {
  /** The duration of the last full window. */
  readonly fullWindowMs: number | null;
  /** The part of it that the tables took. */
  readonly tablesMs: number | null;
  readonly lagMs: number | null;
  readonly rehearsedHoldMs: number | null;
}

/**
 * Returns the predicted hold in ms. With `isWitnessed`, the tables are read before the fence, so
 * their part does not count.
 */
export function predictedHoldMs(
  { fullWindowMs, tablesMs, lagMs, rehearsedHoldMs }: Measured,
  isWitnessed: boolean,
): number {
  const full = fullWindowMs ?? 0;
  const window = isWitnessed ? Math.max(0, full - (tablesMs ?? 0)) + WITNESS_RESERVE_MS : full;
  return Math.max(window + (lagMs ?? 0), rehearsedHoldMs ?? 0) + COMMIT_RESERVE_MS;
}
