// Lists the column types whose values can be proven equal. Converts equal values of Postgres and of
// a record to the same canonical text. `fromText` reads Postgres' output (UTC, ISO dates, ISO
// intervals, hex bytea). `fromJson` reads Debezium's output with Sluice's connector settings.
import { base64Bytes } from './base64.js';
import { withoutSpaces } from './trailing-spaces.js';
import { LAST_YEAR, readClock, readDate } from './calendar.js';
import { arrayItem, arrayItemToken } from './array-text.js';
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER } from '../domain/values/toast-placeholder.js';
import { Undecodable, WrongType } from './undecodable.js';
import { canonicalDecimal } from './canonical-decimal.js';
import { LongNumber } from './json.js';
import { both, fail, float, plain, text, wrong, type Codec } from './types/codec.js';
import { FURTHER_TYPES, WITH_ARRAYS } from './types/further-types.js';

export type Canon = string | null;

export interface ColumnType {
  /**
   * Postgres' name of the base type, with domains resolved. Arrays are `type[]`, and enums are
   * `enum`.
   */
  readonly type: string;
}

/** Reads an integer of up to 64 bits and returns its canonical form. */
function integer(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  const digits = value instanceof LongNumber ? value.text : value;
  if (typeof digits === 'string' && /^-?\d{1,19}$/.test(digits)) {
    const whole = BigInt(digits);
    if (BigInt.asIntN(64, whole) === whole) return String(whole);
  }
  throw new WrongType('expected an integer');
}

export function decimal(value: unknown): string {
  if (typeof value === 'string') return canonicalDecimal(value);
  throw new WrongType('expected a decimal as a string');
}

const INFINITE = /^-?infinity$/;
const UTC = /^(?:Z|[+-]00(?::?00)?)?$/;
const ERA = ' BC';

/**
 * Converts a timestamp to one form. Both `2026-11-22T10:00:00.120000Z` and `2026-11-22
 * 10:00:00.12+00` become `2026-11-22 10:00:00.12`. With `eras`, the value may end with BC, which
 * only Postgres writes.
 */
const instant = (eras: boolean) => (value: string) => {
  if (INFINITE.test(value)) return value;
  const isBC = eras && value.endsWith(ERA);
  const day = readDate(value, isBC, LAST_YEAR.timestamp);
  const clock =
    day && /[ T]/.test(value[day.length] ?? '')
      ? readClock(value.slice(day.length + 1), true)
      : null;
  if (!day || !clock) throw new Undecodable('expected a time in UTC');
  const rest = value.slice(day.length + 1 + clock.length, isBC ? -ERA.length : undefined);
  if (!UTC.test(rest)) throw new Undecodable('expected a time in UTC');
  return `${day.text} ${clock.text}`;
};

const date = (eras: boolean) => (value: string) => {
  if (INFINITE.test(value)) return value;
  const isBC = eras && value.endsWith(ERA);
  const day = readDate(value, isBC, LAST_YEAR.date);
  if (!day || !/^Z?$/.test(value.slice(day.length, isBC ? -ERA.length : undefined)))
    throw new Undecodable('expected a date');
  return day.text;
};

function clockTime(value: string): string {
  const clock = readClock(value, false);
  if (!clock || !/^Z?$/.test(value.slice(clock.length)))
    throw new Undecodable('expected a time of day');
  return clock.text;
}

function uuid(value: string): string {
  if (!/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(value))
    throw new Undecodable('expected a uuid');
  return value.toLowerCase();
}

/**
 * Returns the microseconds in a fraction of a second. Some writers print the fraction from a
 * double, so digits after the ninth are only rounding errors.
 */
function microsOf(fraction: string): bigint {
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  const micros = (nanos + 500n) / 1000n;
  const rest = nanos - micros * 1000n;
  if (rest < -1n || rest > 1n) throw new Undecodable('expected no more than microseconds');
  return micros;
}

/** Converts an ISO interval to months, days and microseconds, so that `P1Y2M3D` equals `P14M3D`. */
function interval(value: string): string {
  if (value.length > 200) throw new Undecodable('expected an ISO interval');
  const match =
    /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?$/.exec(
      value,
    );
  if (!match || /[PT]$/.test(value)) throw new Undecodable('expected an ISO interval');
  const n = (at: number): bigint => BigInt(match[at] ?? 0);
  const seconds = BigInt(match[8] ?? 0) * 1_000_000n + microsOf(match[9] ?? '');
  const micros = (n(5) * 3600n + n(6) * 60n) * 1_000_000n + (match[7] === '-' ? -seconds : seconds);
  return `${n(1) * 12n + n(2)}m ${n(3) * 7n + n(4)}d ${micros}us`;
}

/** Reads a whole number. A table of the target may store it in a `numeric` column, as `5.00`. */
const integerText = (value: string): string =>
  /^(?:0|-?[1-9]\d*)$/.test(value) ? value : canonicalDecimal(value);

export const whole: Codec = { fromText: integerText, fromJson: integer };

/** A table of the target may store a boolean in a column of type text, as `true`. */
const BOOLEANS: ReadonlyMap<string, string> = new Map([
  ['t', 't'],
  ['true', 't'],
  ['f', 'f'],
  ['false', 'f'],
]);

function hex(value: string): string {
  const digits = value.slice(2);
  return value.startsWith('\\x') && digits.length % 2 === 0 && /^[0-9a-f]*$/.test(digits)
    ? digits
    : fail('expected hex');
}

const CODECS: Readonly<Record<string, Codec>> = {
  bool: {
    fromText: (value) => BOOLEANS.get(value) ?? fail('expected a boolean'),
    fromJson: (v) => (typeof v === 'boolean' ? (v ? 't' : 'f') : wrong('expected a boolean')),
  },
  int2: whole,
  int4: whole,
  int8: whole,
  oid: whole,
  numeric: { fromText: canonicalDecimal, fromJson: decimal },
  float4: float(Math.fround),
  float8: float((v) => v),
  text: plain,
  varchar: plain,
  citext: plain,
  enum: plain,
  uuid: both(uuid),
  xml: plain,
  inet: plain,
  cidr: plain,
  macaddr: plain,
  macaddr8: plain,
  json: plain,
  jsonb: plain,
  bpchar: both(withoutSpaces),
  char: plain,
  date: both(date(false), date(true)),
  timestamp: both(instant(false), instant(true)),
  timestamptz: both(instant(false), instant(true)),
  time: both(clockTime),
  interval: both(interval),
  bytea: {
    fromText: hex,
    fromJson: (value) => {
      const base64 = text(value);
      if (base64 === PLACEHOLDER_BASE64)
        throw new Undecodable('an unchanged TOAST value, which the record does not contain');
      return base64Bytes(base64).toString('hex');
    },
  },
  ...FURTHER_TYPES,
};

/**
 * The element types whose arrays Debezium does not copy faithfully. It silently omits columns of
 * some array types, and an array of enum labels becomes NULL if one label is NULL.
 */
const NO_ARRAYS: ReadonlySet<string> = new Set(['interval', 'xml', 'enum']);

/** Returns whether values of this type can be proven equal. */
export function isProvable(type: string): boolean {
  if (!type.endsWith('[]')) return Object.hasOwn(CODECS, type);
  const item = type.slice(0, -2);
  if (Object.hasOwn(FURTHER_TYPES, item)) return WITH_ARRAYS.has(item);
  return Object.hasOwn(CODECS, item) && !NO_ARRAYS.has(item);
}

/**
 * Returns the canonical text of Postgres' output, or null for NULL. Throws Undecodable if the type
 * cannot be proven, or if the text is not a value of the type.
 */
export function canonFromText(type: string, value: string | null): Canon {
  if (value === null) return null;
  if (type.endsWith('[]'))
    return canonicalArray(parseArray(value).map((item) => canonFromText(type.slice(0, -2), item)));
  return codec(type).fromText(value);
}

/**
 * Returns the canonical text of Debezium's value. Throws Undecodable also if the value is
 * `undefined` (an absent field), because an absent field does not mean NULL.
 */
export function canonFromJson(type: string, value: unknown): Canon {
  if (value === null) return null;
  if (value === undefined) throw new Undecodable('the field is absent');
  if (value === TOAST_PLACEHOLDER)
    throw new Undecodable('an unchanged TOAST value, which the record does not contain');
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) throw new WrongType('expected an array');
    return canonicalArray(value.map((item) => canonFromJson(type.slice(0, -2), item)));
  }
  return codec(type).fromJson(value);
}

function codec(type: string): Codec {
  const found = CODECS[type];
  if (!found) throw new Undecodable(`type ${type} cannot be proven`);
  return found;
}

const canonicalArray = (items: readonly Canon[]): string => JSON.stringify(items);

/** Splits the text of a one-dimensional Postgres array into its elements. */
function parseArray(value: string): (string | null)[] {
  if (!value.startsWith('{') || value.startsWith('{{'))
    throw new Undecodable('only one-dimensional arrays can be proven');
  const items: (string | null)[] = [];
  const token = arrayItemToken();
  let at = 1;
  if (value === '{}') return items;
  while (at < value.length) {
    token.lastIndex = at;
    const match = token.exec(value);
    if (!match) throw new Undecodable('unreadable array');
    items.push(arrayItem(match));
    at = token.lastIndex;
  }
  return items;
}
