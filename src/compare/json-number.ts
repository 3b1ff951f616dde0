// Prints numbers as JSON.

/** Prints a double. JSON has no NaN and no infinities; Kafka Connect writes these as strings. */
export const doubleJson = (value: number): string =>
  Number.isFinite(value) ? String(value) : `"${value}"`;
