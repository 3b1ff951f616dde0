// Computes the size of values as JSON in UTF-8, the form in which they are sent. Workflow code has
// no Buffer for this.

/** Returns the number of bytes that a value takes as JSON. */
export function jsonBytes(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value) ?? '') {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * Returns the first items of a list, as many as fit in `most` bytes together. Returns at least one
 * item.
 */
export function leading<T>(items: readonly T[], most: number): T[] {
  return items.slice(0, Math.max(1, countWithin(items, most)));
}

/** Returns the last items of a list, as many as fit in `most` bytes together. */
export function trailing<T>(items: readonly T[], most: number): T[] {
  return items.slice(items.length - countWithin([...items].reverse(), most));
}

function countWithin(items: readonly unknown[], most: number): number {
  let bytes = 0;
  const over = items.findIndex((item) => (bytes += jsonBytes(item)) > most);
  return over < 0 ? items.length : over;
}
