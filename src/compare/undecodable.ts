// Errors for values that cannot be compared, and Debezium's placeholder for an unchanged TOAST
// value.

/**
 * Debezium writes this for a TOAST value that an update did not change, because the log does not
 * hold it.
 */
export const TOAST_PLACEHOLDER = '__debezium_unavailable_value';

export const PLACEHOLDER_BASE64 = Buffer.from(TOAST_PLACEHOLDER).toString('base64');

/** A form that this encoding cannot prove: the row counts as unknown, never as equal. */
export class Undecodable extends Error {}

/** The value is there, but is no value of the column's type: proven to be wrong, not merely unknown. */
export class WrongType extends Undecodable {}
