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
 * item. The items must not change afterwards, because each one is measured only once.
 */
export function leading<T extends object>(items: readonly T[], most: number): T[] {
  return items.slice(0, Math.max(1, countWithin(items, most)));
}

/**
 * Returns the last items of a list, as many as fit in `most` bytes together. The items must not
 * change afterwards, because each one is measured only once.
 */
export function trailing<T extends object>(items: readonly T[], most: number): T[] {
  return items.slice(items.length - countWithin([...items].reverse(), most));
}

function countWithin(items: readonly object[], most: number): number {
  let bytes = 0;
  const over = items.findIndex((item) => (bytes += rememberedBytes(item)) > most);
  return over < 0 ? items.length : over;
}

/**
 * The sizes of items that were measured before. A flood of messages appends to the same list
 * thousands of times in one workflow task, and each append measures the whole list.
 */
const sizes = new WeakMap<object, number>();

function rememberedBytes(item: object): number {
  const known = sizes.get(item);
  if (known !== undefined) return known;
  const bytes = jsonBytes(item);
  sizes.set(item, bytes);
  return bytes;
}
