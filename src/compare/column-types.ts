// Which column types can be proven equal, and how each side's form becomes one canonical text.
// PURE. `fromText` reads what Postgres prints (UTC, ISO dates, ISO intervals, hex bytea); `fromJson` what Debezium writes with our settings.

export type Canon = string | null;

export interface ColumnType {
  /** Postgres' name of the base type (domains resolved); arrays as `type[]`; enums as `enum`. */
  readonly type: string;
}

/** A form that this encoding cannot prove: the row counts as unknown, never as equal. */
export class Undecodable extends Error {}

/** The value is there, but is no value of the column's type: proven to be wrong, not merely unknown. */
export class WrongType extends Undecodable {}

interface Codec {
  readonly fromText: (text: string) => string;
  readonly fromJson: (value: unknown) => string;
}

const same = (text: string): string => text;

function text(value: unknown): string {
  if (typeof value !== 'string') throw new WrongType(`expected a string, got ${typeof value}`);
  return value;
}

function integer(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return value;
  throw new WrongType('expected an integer');
}

/** `1.10` and `1.1` are the same number; so are `-0` and `0`. */
export function canonicalDecimal(value: string): string {
  const match = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(value.trim());
  if (!match) {
    if (/^nan$/i.test(value)) return 'NaN'; // Debezium writes NAN
    if (/^-?infinity$/i.test(value)) return value.startsWith('-') ? '-Infinity' : 'Infinity';
    const exponent = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(value.trim());
    if (!exponent) throw new Undecodable('expected a decimal');
    return canonicalDecimal(shiftPoint(exponent[1]!, exponent[2]!, exponent[3] ?? '', Number(exponent[4])));
  }
  const digits = match[3] ? `${match[2]}.${match[3]}` : match[2]!;
  return digits === '0' ? '0' : `${match[1]}${digits}`;
}

function shiftPoint(sign: string, whole: string, fraction: string, exponent: number): string {
  if (Math.abs(exponent) > 20_000) throw new Undecodable('exponent out of range');
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function decimal(value: unknown): string {
  if (typeof value === 'string') return canonicalDecimal(value);
  throw new WrongType('expected a decimal as a string');
}

function float(toPrecision: (value: number) => number) {
  const canonical = (value: number): string => (Object.is(value, -0) ? '0' : String(toPrecision(value)));
  return {
    fromText: (t: string): string => canonical(Number(t.replace(/^(-?)Infinity$/, '$1Infinity'))),
    fromJson: (value: unknown): string => {
      if (typeof value === 'number') return canonical(value);
      if (typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value)) return value;
      throw new WrongType('expected a number');
    },
  };
}

/** `2026-11-22T10:00:00.120000Z`, `2026-11-22 10:00:00.12+00` → `2026-11-22 10:00:00.12`. */
function instant(value: string): string {
  if (/^-?infinity$/.test(value)) return value;
  const match = /^(-?\d{4,6}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:\.(\d+?)0*)?(Z|[+-]00(?::?00)?)?( BC)?$/.exec(value);
  if (!match) throw new Undecodable('expected a time in UTC');
  const clock = match[2]!.length === 5 ? `${match[2]}:00` : match[2]!;
  return `${match[1]} ${clock}${match[3] && match[3] !== '0' ? `.${match[3]}` : ''}${match[5] ?? ''}`;
}

function date(value: string): string {
  const match = /^(-?\d{4,6}-\d\d-\d\d)Z?( BC)?$/.exec(value);
  if (match) return `${match[1]}${match[2] ?? ''}`;
  if (/^-?infinity$/.test(value)) return value;
  throw new Undecodable('expected a date');
}

function clockTime(value: string): string {
  const match = /^(\d\d:\d\d(?::\d\d)?)(?:\.(\d+?)0*)?Z?$/.exec(value);
  if (!match) throw new Undecodable('expected a time of day');
  const clock = match[1]!.length === 5 ? `${match[1]}:00` : match[1]!;
  return `${clock}${match[2] && match[2] !== '0' ? `.${match[2]}` : ''}`;
}

/** Months, days and microseconds of an ISO interval: `P1Y2M3DT4H5M6.5S` and `P14M3DT4H5M6.5S` are equal. */
function interval(value: string): string {
  const match = /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?$/.exec(value);
  if (!match) throw new Undecodable('expected an ISO interval');
  const n = (at: number): bigint => BigInt(match[at] ?? 0);
  const seconds = BigInt(match[8] ?? 0) * 1_000_000n + BigInt((match[9] ?? '').padEnd(6, '0').slice(0, 6) || 0);
  const micros = (n(5) * 3600n + n(6) * 60n) * 1_000_000n + (match[7] === '-' ? -seconds : seconds);
  return `${n(1) * 12n + n(2)}m ${n(3) * 7n + n(4)}d ${micros}us`;
}

const both = (f: (value: string) => string): Codec => ({ fromText: f, fromJson: (value) => f(text(value)) });
const plain: Codec = { fromText: same, fromJson: text };
const whole: Codec = { fromText: same, fromJson: integer };

const CODECS: Readonly<Record<string, Codec>> = {
  bool: { fromText: same, fromJson: (v) => (typeof v === 'boolean' ? (v ? 't' : 'f') : wrong('expected a boolean')) },
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
  uuid: plain,
  xml: plain,
  inet: plain,
  cidr: plain,
  macaddr: plain,
  macaddr8: plain,
  // Postgres' own rendering on both sides: equal text is equal; a different rendering of the same value would be reported, never hidden.
  json: plain,
  jsonb: plain,
  bpchar: both((value) => value.replace(/ +$/, '')),
  char: plain,
  date: both(date),
  timestamp: both(instant),
  timestamptz: both(instant),
  time: both(clockTime),
  interval: both(interval),
  bytea: {
    fromText: (value) => (value.startsWith('\\x') ? value.slice(2) : fail('expected hex')),
    fromJson: (value) => Buffer.from(text(value), 'base64').toString('hex'),
  },
};

function wrong(message: string): never {
  throw new WrongType(message);
}

function fail(message: string): never {
  throw new Undecodable(message);
}

/** Whether values of this type can be proven equal. */
export function isProvable(type: string): boolean {
  return Object.hasOwn(CODECS, type.endsWith('[]') ? type.slice(0, -2) : type);
}

/** Canonical text of what Postgres printed. Throws Undecodable. */
export function canonFromText(type: string, value: string | null): Canon {
  if (value === null) return null;
  if (type.endsWith('[]')) return canonicalArray(parseArray(value).map((item) => canonFromText(type.slice(0, -2), item)));
  return codec(type).fromText(value);
}

/** Canonical text of what Debezium wrote. `undefined` (field absent) is undecodable, never NULL. */
export function canonFromJson(type: string, value: unknown): Canon {
  if (value === null) return null;
  if (value === undefined) throw new Undecodable('the field is absent');
  if (value === TOAST_PLACEHOLDER) throw new Undecodable('unchanged TOAST value: not in the record');
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) throw new WrongType('expected an array');
    return canonicalArray(value.map((item) => canonFromJson(type.slice(0, -2), item)));
  }
  return codec(type).fromJson(value);
}

export const TOAST_PLACEHOLDER = '__debezium_unavailable_value';

function codec(type: string): Codec {
  const found = CODECS[type];
  if (!found) throw new Undecodable(`type ${type} cannot be proven`);
  return found;
}

const canonicalArray = (items: readonly Canon[]): string => JSON.stringify(items);

/** One-dimensional Postgres array text → elements. */
function parseArray(value: string): (string | null)[] {
  if (!value.startsWith('{') || value.startsWith('{{')) throw new Undecodable('only one-dimensional arrays can be proven');
  const items: (string | null)[] = [];
  const token = /(?:"((?:[^"\\]|\\.)*)"|([^,{}"]+))(,|\}$)/y;
  let at = 1;
  if (value === '{}') return items;
  while (at < value.length) {
    token.lastIndex = at;
    const match = token.exec(value);
    if (!match) throw new Undecodable('unreadable array');
    items.push(match[1] !== undefined ? match[1].replaceAll(/\\(.)/gs, '$1') : match[2] === 'NULL' ? null : match[2]!);
    at = token.lastIndex;
  }
  return items;
}
