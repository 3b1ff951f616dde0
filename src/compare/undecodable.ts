// Defines the errors for values that cannot be compared, and Debezium's placeholder for an
// unchanged TOAST value.

/**
 * Debezium's placeholder for a TOAST value that an update did not change. The log does not contain
 * such a value.
 */
export const TOAST_PLACEHOLDER = '__debezium_unavailable_value';

export const PLACEHOLDER_BASE64 = Buffer.from(TOAST_PLACEHOLDER).toString('base64');

/** A value that this encoding cannot prove. Its row counts as unknown, never as equal. */
export class Undecodable extends Error {}

/** A value that is not of the column's type, so it is proven wrong and not merely unknown. */
export class WrongType extends Undecodable {}
