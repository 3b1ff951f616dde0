// Rates that were measured on real systems with two cores. Predictions use them.

/**
 * The rows per second that Debezium's initial snapshot is expected to read. Measured: 15,000 to
 * 26,000.
 */
export const SNAPSHOT_ROWS_PER_SECOND = 15_000;

/** The rows per second that Sluice's own copy is expected to write. */
export const COPY_ROWS_PER_SECOND = 40_000;
