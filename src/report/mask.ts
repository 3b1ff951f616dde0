// Masks values of differing rows, because they are private data. Unless a person asks for values, a
// report shows only the kind and the length of a value.
import type { Difference } from '../domain/evidence/window.js';

const NUMBER = /^-?\d+(\.\d+)?$/;
const DATE = /^\d{4}-\d\d-\d\d/;

function maskedValue(value: string | null): string | null {
  if (value === null) return null;
  if (value === '') return '‹empty text›';
  const kind = NUMBER.test(value) ? 'number' : DATE.test(value) ? 'date or time' : 'text';
  return `‹${kind}, ${value.length} character${value.length === 1 ? '' : 's'}›`;
}

/**
 * Keeps class and column. Replaces each value of the key and of a column with its kind and length,
 * and a whole row with `‹row›`.
 */
export function masked(difference: Difference): Difference {
  const { key, batch, stream, column } = difference;
  return {
    ...difference,
    key: Object.fromEntries(Object.entries(key).map(([name, value]) => [name, maskedValue(value)])),
    batch: column === null && batch !== null ? '‹row›' : maskedValue(batch),
    stream: column === null && stream !== null ? '‹row›' : maskedValue(stream),
  };
}
