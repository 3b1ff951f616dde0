// Defines the errors for values that cannot be compared, and Debezium's placeholder for an
// unchanged TOAST value.

/**
 * Debezium's placeholder for a TOASTed value that an update did not change, and that is not in the
 * log.
 */
export const TOAST_PLACEHOLDER = '__debezium_unavailable_value';

export const PLACEHOLDER_BASE64 = Buffer.from(TOAST_PLACEHOLDER).toString('base64');

/** A value that this encoding cannot prove. Its row counts as unknown, never as equal. */
export class Undecodable extends Error {}

/** A value that is not of the column's type. It is proven wrong, not merely unknown. */
export class WrongType extends Undecodable {}
