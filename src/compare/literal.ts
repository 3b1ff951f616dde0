// Converts a value of a record to a text that Postgres reads back as the same value.
import { canonFromJson } from './column-types.js';
import { GEOMETRY } from './types/geometry.js';
import { hstoreLiteral } from './types/hstore.js';
import { Undecodable } from './undecodable.js';

/**
 * Types whose text in the record is Postgres' own text, or a text that Postgres reads as the same
 * value.
 */
const AS_WRITTEN: ReadonlySet<string> = new Set([
  'numeric',
  'interval',
  'bpchar',
  'uuid',
  'tstzrange',
]);

/**
 * Returns the literal, or null for NULL. Throws Undecodable if the value cannot be proven. The
 * caller MUST read the literal back and compare it, because this conversion proves nothing by
 * itself.
 */
export function literalOf(type: string, value: unknown): string | null {
  const canon = canonFromJson(type, value);
  if (canon === null) return null;
  if (type.endsWith('[]')) return arrayLiteral(type.slice(0, -2), value as readonly unknown[]);
  if (type === 'bytea') return `\\x${canon}`;
  if (type === 'bit') throw new Undecodable('the record does not contain the number of bits');
  if (Object.hasOwn(GEOMETRY, type)) throw new Undecodable('a geometric value');
  if (type === 'hstore') return hstoreLiteral(value);
  if (Object.is(value, -0)) return '-0';
  if (AS_WRITTEN.has(type) && typeof value === 'string') return value;
  return canon;
}

function arrayLiteral(type: string, items: readonly unknown[]): string {
  const texts = items.map((item) => {
    const text = literalOf(type, item);
    if (text === null) return 'NULL';
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${texts.join(',')}}`;
}

/**
 * Works like `literalOf`. Returns null for NULL, and undefined for a value that cannot be proven.
 */
export function literalOrNothing(type: string, value: unknown): string | null | undefined {
  try {
    return literalOf(type, value);
  } catch (error) {
    if (error instanceof Undecodable) return undefined;
    throw error;
  }
}
