// Rates measured on real parts, on two cores: what predictions rest on.

/**
 * Rows a second that Debezium's initial snapshot is expected to make; measured 15,000 to 26,000.
 */
export const SNAPSHOT_ROWS_PER_SECOND = 15_000;

/** Rows a second that our own copy is expected to make. */
export const COPY_ROWS_PER_SECOND = 40_000;
