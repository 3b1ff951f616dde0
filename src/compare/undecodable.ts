// Defines the errors for values that cannot be compared.

/** A value that this encoding cannot prove. Its row counts as unknown, never as equal. */
export class Undecodable extends Error {}

/** A value that is not of the column's type, so it is proven wrong and not merely unknown. */
export class WrongType extends Undecodable {}
