// Decodes fields of COPY BINARY to canonical text, so that a difference can name its column and
// value. This is needed only for rows that the hashes do not prove equal.
import { int16At, int32At, uint16At } from '../domain/values/bytes.js';
import { canonFromText, type Canon } from './column-types.js';
import { canonicalDecimal } from './canonical-decimal.js';
import type { Shape } from './row-comparison.js';
import { textAt } from './enc/json-scan.js';
import { floatAt } from './enc/scratch.js';
import { clockText, dayText } from './calendar.js';
import { ewkb } from './types/postgis.js';
import { Undecodable } from './undecodable.js';

type Decode = (b: Uint8Array, at: number, size: number) => string;

const fixed =
  (width: number, decode: (b: Uint8Array, at: number) => string): Decode =>
  (b, at, size) => {
    if (size !== width) throw new Undecodable(`expected ${width} bytes, got ${size}`);
    return decode(b, at);
  };

const int64At = (b: Uint8Array, at: number): bigint =>
  (BigInt(int32At(b, at)) << 32n) | BigInt(int32At(b, at + 4) >>> 0);

const hex: Decode = (b, at, size) => Buffer.from(b.subarray(at, at + size)).toString('hex');
const ewkbHex: Decode = (b, at, size) =>
  Buffer.from(ewkb(b.subarray(at, at + size))).toString('hex');
const text: Decode = (b, at, size) => textAt(b, at, at + size);

const SPECIAL_NUMERICS: Readonly<Record<number, string>> = {
  0xc000: 'NaN',
  0xd000: 'Infinity',
  0xf000: '-Infinity',
};
const SIGN_NEGATIVE = 0x4000;

function numeric(b: Uint8Array, at: number, size: number): string {
  const count = size < 8 ? -1 : uint16At(b, at);
  if (size !== 8 + count * 2) throw new Undecodable(`${size} bytes are not a numeric`);
  const sign = uint16At(b, at + 4);
  const special = SPECIAL_NUMERICS[sign];
  if (special !== undefined) return special;
  const weight = int16At(b, at + 2);
  const group = (index: number): string =>
    index < 0 || index >= count ? '0000' : String(uint16At(b, at + 8 + index * 2)).padStart(4, '0');
  let [whole, fraction] = ['', ''];
  for (let index = 0; index <= weight; index += 1) whole += group(index);
  for (let index = weight + 1; index < count; index += 1) fraction += group(index);
  return canonicalDecimal(`${sign === SIGN_NEGATIVE ? '-' : ''}${whole || '0'}.${fraction}`);
}

const float = (width: 4 | 8): Decode =>
  fixed(width, (b, at) => {
    const value = floatAt(b, at, width);
    return Object.is(value, -0) ? '0' : String(value);
  });

const INFINITY_DAYS = 0x7fffffff;
const INFINITY_MICROS = 0x7fffffffffffffffn;
const MICROS_PER_DAY = 86_400_000_000n;

function date(b: Uint8Array, at: number): string {
  const days = int32At(b, at);
  if (days === INFINITY_DAYS) return 'infinity';
  return days === -INFINITY_DAYS - 1 ? '-infinity' : dayText(days);
}

function instant(b: Uint8Array, at: number): string {
  const micros = int64At(b, at);
  if (micros === INFINITY_MICROS) return 'infinity';
  if (micros === -INFINITY_MICROS - 1n) return '-infinity';
  const ofDay = ((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY;
  return `${dayText(Number((micros - ofDay) / MICROS_PER_DAY))} ${clockText(Number(ofDay))}`;
}

const DECODERS: Readonly<Record<string, Decode>> = {
  bool: fixed(1, (b, at) => (b[at] === 0 ? 'f' : 't')),
  int2: fixed(2, (b, at) => String(int16At(b, at))),
  int4: fixed(4, (b, at) => String(int32At(b, at))),
  int8: fixed(8, (b, at) => String(int64At(b, at))),
  oid: fixed(4, (b, at) => String(int32At(b, at) >>> 0)),
  numeric,
  float4: float(4),
  float8: float(8),
  jsonb: (b, at, size) => text(b, at + 1, size - 1),
  bytea: hex,
  geometry: ewkbHex,
  geography: ewkbHex,
  uuid: (b, at, size) =>
    hex(b, at, size).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  date: fixed(4, date),
  time: fixed(8, (b, at) => clockText(Number(int64At(b, at)))),
  timestamp: fixed(8, instant),
  timestamptz: fixed(8, instant),
};

/**
 * Returns the canonical text of one field. `canonFromText` returns the same text for the same
 * value. A negative size means NULL. Throws Undecodable if the bytes are not a value of the type.
 */
export function canonFromBinary(type: string, b: Uint8Array, at: number, size: number): Canon {
  if (size < 0) return null;
  if (Object.hasOwn(DECODERS, type)) return DECODERS[type]!(b, at, size);
  return canonFromText(type, textAt(b, at, at + size));
}

export interface CanonRow {
  /** The values of the key's columns, or null if one of these values cannot be decoded. */
  readonly key: readonly Canon[] | null;
  /** The values of all columns, or null if one of these values cannot be decoded. */
  readonly values: readonly Canon[] | null;
}

/** Decodes the fields of a COPY BINARY row. The first field begins at `at`. */
export function canonRow({ key, columns }: Shape, b: Uint8Array, at: number): CanonRow {
  const decoded = new Map<string, Canon>();
  let next = at;
  for (const { name, type } of columns) {
    const size = int32At(b, next);
    try {
      decoded.set(name, canonFromBinary(type, b, next + 4, size));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
    }
    next += 4 + Math.max(size, 0);
  }
  const all = (names: readonly string[]): Canon[] | null =>
    names.every((name) => decoded.has(name)) ? names.map((name) => decoded.get(name)!) : null;
  return { key: all(key), values: all(columns.map(({ name }) => name)) };
}
