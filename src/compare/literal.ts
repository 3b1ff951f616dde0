// Converts the values of a record, and canonical texts (column-types.ts), to texts that Postgres
// reads back as the same values.
import { canonFromJson, type Canon } from './column-types.js';
import type { Shape } from './row-comparison.js';
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
 * Returns the literal, or null for NULL. Throws Undecodable if the value cannot be proven, or if
 * its type has no literal here. The caller MUST read the literal back and compare it, because this
 * conversion proves nothing by itself.
 */
export function literalOf(type: string, value: unknown): string | null {
  const canon = canonFromJson(type, value);
  if (canon === null) return null;
  if (type.endsWith('[]')) return arrayLiteral(type.slice(0, -2), value as readonly unknown[]);
  if (type === 'bit') throw new Undecodable('the record does not contain the number of bits');
  if (Object.hasOwn(GEOMETRY, type)) throw new Undecodable('a geometric value');
  if (type === 'hstore') return hstoreLiteral(value);
  if (Object.is(value, -0)) return '-0';
  if (AS_WRITTEN.has(type) && typeof value === 'string') return value;
  return literalOfCanon(type, canon);
}

const arrayLiteral = (type: string, items: readonly unknown[]): string =>
  arrayText(items.map((item) => literalOf(type, item)));

function arrayText(items: readonly (string | null)[]): string {
  const texts = items.map((text) =>
    text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${texts.join(',')}}`;
}

/**
 * Works like `literalOf`, but returns undefined instead of throwing Undecodable.
 */
export function literalOrNothing(type: string, value: unknown): string | null | undefined {
  try {
    return literalOf(type, value);
  } catch (error) {
    if (error instanceof Undecodable) return undefined;
    throw error;
  }
}

/**
 * Matches a date in 1 BC or earlier, and its time. Canonical texts write these years as 0000,
 * -0001…
 */
const BEFORE_CHRIST = /(?<!\d)(-\d{4,7}|0000)(-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?)/g;
const withEra = (canon: string): string =>
  canon.replaceAll(
    BEFORE_CHRIST,
    (_all, year: string, rest: string) => `${String(1 - Number(year)).padStart(4, '0')}${rest} BC`,
  );

function isoInterval(canon: string): string {
  const [, months, days, sign, micros] = /^(-?\d+)m (-?\d+)d (-?)(\d+)us$/.exec(canon)!;
  const digits = micros!.padStart(7, '0');
  return `P${months}M${days}DT${sign}${digits.slice(0, -6)}.${digits.slice(-6)}S`;
}

const FROM_CANON: Readonly<Record<string, (canon: string) => string>> = {
  bytea: (canon) => `\\x${canon}`,
  interval: isoInterval,
  date: withEra,
  timestamp: withEra,
  timestamptz: withEra,
  tstzrange: withEra,
};

/** Returns the texts that Postgres reads as the values of a key's columns. */
export const keyLiterals = ({ key, columns }: Shape, values: readonly Canon[]): Canon[] =>
  key.map((name, at) =>
    literalOfCanon(columns.find((column) => column.name === name)!.type, values[at] ?? null),
  );

/**
 * Converts a canonical text to a text that Postgres reads as the same value. Returns null for NULL.
 * The session MUST be in UTC. Postgres can read a different value for the types in NOT_IN_KEYS
 * (further-types.ts). Only `literalOf` passes such types. Its caller compares what Postgres read.
 */
export function literalOfCanon(type: string, canon: Canon): string | null {
  if (canon === null) return null;
  if (!type.endsWith('[]')) return FROM_CANON[type]?.(canon) ?? canon;
  const item = type.slice(0, -2);
  return arrayText((JSON.parse(canon) as Canon[]).map((value) => literalOfCanon(item, value)));
}
