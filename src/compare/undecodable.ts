// Why a value cannot be compared, and the placeholder that Debezium writes for an unchanged TOAST value.

/** What Debezium writes for a value that an update left alone and the log therefore does not hold. */
export const TOAST_PLACEHOLDER = '__debezium_unavailable_value';

export const PLACEHOLDER_BASE64 = Buffer.from(TOAST_PLACEHOLDER).toString('base64');

/** A form that this encoding cannot prove: the row counts as unknown, never as equal. */
export class Undecodable extends Error {}

/** The value is there, but is no value of the column's type: proven to be wrong, not merely unknown. */
export class WrongType extends Undecodable {}
