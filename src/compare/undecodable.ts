// Defines the errors for values that cannot be compared.

/**
 * Thrown for a value that cannot be proven equal or different. Its row counts as unknown, never as
 * equal.
 */
export class Undecodable extends Error {}

/**
 * Thrown for a value that is not of the column's type. It is proven wrong, and not merely unknown.
 */
export class WrongType extends Undecodable {}
