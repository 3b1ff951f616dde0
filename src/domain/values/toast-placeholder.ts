// Defines Debezium's placeholder for an unchanged TOAST value.

/**
 * Debezium's placeholder for a TOAST value that an update did not change. The WAL does not contain
 * such a value.
 */
export const TOAST_PLACEHOLDER = '__debezium_unavailable_value';

/** The placeholder as Debezium writes it for a column of type bytea. */
export const PLACEHOLDER_BASE64 = Buffer.from(TOAST_PLACEHOLDER).toString('base64');
