// Defines the errors for values that cannot be compared.

/**
 * Thrown for a value that cannot be proven equal or different. Its row counts as unknown, never as
 * equal.
 */
export class Undecodable extends Error {}

/**
 * Thrown for a value that is not of the column's type. Unlike other undecodable values, it is a
 * proven difference.
 */
export class WrongType extends Undecodable {}
