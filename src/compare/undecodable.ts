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

/**
 * Thrown for a record whose key has more columns than the key of its row. The topic can then keep
 * several records of one row, under different keys. A comparison by the row's key would see only
 * one of them.
 */
export class WiderKey extends Undecodable {}
