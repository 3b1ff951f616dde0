// Encodes integers and decimals in `enc-v1` (scratch.ts), from JSON and from Postgres' binary form.
// Also reads floats from JSON, and an `int64` as a double.
import { canonicalDecimal } from '../canonical-decimal.js';
import { EXACT_DIGITS, JSON_NUMBER, isRoundedToWhole } from '../json.js';
import { Undecodable } from '../undecodable.js';
import { int16At, int32At, uint16At } from '../../domain/values/bytes.js';
import type { Scratch } from './scratch.js';

const ZERO = 0x30;
const MINUS = 0x2d;
const DOT = 0x2e;
const QUOTE = 0x22;
const TWO_32 = 4294967296;

/** Reads an integer of up to 64 bits from decimal digits, without rounding. */
export function integerFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const negative = b[start] === MINUS;
  const first = negative ? start + 1 : start;
  if (first >= end || end - first > 19 || !areDigits(b, first, end))
    return unusualInteger(b, start, end, out);
  if (end - first <= 15) {
    let value = 0;
    for (let at = first; at < end; at += 1) value = value * 10 + b[at]! - ZERO;
    out.safeInteger(negative ? -value : value);
    return;
  }
  let value = 0n;
  for (let at = first; at < end; at += 1) value = value * 10n + BigInt(b[at]! - ZERO);
  if (negative) value = -value;
  if (BigInt.asIntN(64, value) !== value) throw new Undecodable('more than 64 bits');
  out.i64(Number(value >> 32n), Number(BigInt.asIntN(32, value)));
}

/** Reads a whole number such as `5.0` or `1e3`, unless it is in quotes. */
function unusualInteger(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const text = latin1At(b, start, end);
  const isExact = JSON_NUMBER.test(text) && !isRoundedToWhole(text);
  const value = b[start - 1] !== QUOTE && isExact ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new Undecodable('expected an integer');
  out.safeInteger(value);
}

function areDigits(b: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (b[at]! < ZERO || b[at]! > 0x39) return false;
  return true;
}

/**
 * Reads text of single-byte characters without creating a view. A view would take as long as the
 * rest of the decoding.
 */
const latin1At = (b: Uint8Array, start: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(b, start, end);

/**
 * Reads a JSON number as a double. A number of up to 15 digits is a whole number divided by a power
 * of ten. A double holds both exactly, so only the division rounds.
 */
export function floatFromText(b: Uint8Array, start: number, end: number): number {
  const negative = b[start] === MINUS;
  const first = negative ? start + 1 : start;
  if (!(b[first]! >= ZERO && b[first]! <= 0x39)) throw new Undecodable('expected a number');
  let [value, point] = [0, -1];
  for (let at = first; at < end; at += 1) {
    const byte = b[at]!;
    if (byte === DOT && point < 0) point = at;
    else if (byte < ZERO || byte > 0x39 || at - first >= EXACT_DIGITS + (point < 0 ? 0 : 1))
      return unusualFloat(latin1At(b, start, end));
    else value = value * 10 + byte - ZERO;
  }
  if (point >= 0) value /= POWERS[end - point - 1]!;
  return negative ? -value : value;
}

function unusualFloat(text: string): number {
  if (!JSON_NUMBER.test(text)) throw new Undecodable('expected a number');
  return Number(text);
}

const POWERS = Array.from({ length: EXACT_DIGITS + 2 }, (_, n) => 10 ** n);

const SIGN_NEGATIVE = 0x4000;
const SIGN_NAN = 0xc000;
const SIGN_PLUS_INFINITY = 0xd000;
const SIGN_MINUS_INFINITY = 0xf000;
const groups: number[] = [];

/** A numeric of Postgres has fewer base-10000 digits than `MOST_GROUPS`, and a 16-bit weight. */
const MOST_GROUPS = 1 << 16;
const MOST_WEIGHT = 1 << 15;

/**
 * Encodes the sign, the weight and the digits in base 10000, as Postgres does. Removes zero digits
 * at both ends, so that `1.10` equals `1.1`. Throws Undecodable for a number that no numeric of
 * Postgres can hold. Its weight or its count of digits would not fit into 16 bits, so that it could
 * equal a different number.
 */
function writeNumeric(out: Scratch, sign: number, weight: number, from: number, to: number): void {
  while (from < to && groups[from] === 0) {
    from += 1;
    weight -= 1;
  }
  while (to > from && groups[to - 1] === 0) to -= 1;
  const isZero = from === to;
  if (!isZero && (Math.abs(weight) >= MOST_WEIGHT || to - from >= MOST_GROUPS))
    throw new Undecodable('more digits than a numeric can have');
  out.u16(isZero && sign === SIGN_NEGATIVE ? 0 : sign);
  out.u16(isZero ? 0 : weight & 0xffff);
  out.u16(to - from);
  for (let at = from; at < to; at += 1) out.u16(groups[at]!);
}

/** Reads Postgres' binary form of a numeric. Throws Undecodable if its size is not `size`. */
export function numericFromBinary(b: Uint8Array, start: number, size: number, out: Scratch): void {
  const count = size < 8 ? -1 : uint16At(b, start);
  if (size !== 8 + count * 2) throw new Undecodable(`${size} bytes are not a numeric`);
  const sign = uint16At(b, start + 4);
  groups.length = 0;
  for (let at = 0; at < count; at += 1) groups.push(uint16At(b, start + 8 + at * 2));
  writeNumeric(out, sign, int16At(b, start + 2), 0, count);
}

/**
 * Reads a decimal such as `-123.450`, with or without an exponent. Also reads NaN and the
 * infinities as Debezium writes them.
 */
export function numericFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const negative = b[start] === MINUS;
  const first = negative ? start + 1 : start;
  let point = end;
  for (let at = first; at < end; at += 1) {
    const byte = b[at]!;
    if (byte === DOT && point === end) point = at;
    else if (byte < ZERO || byte > 0x39) return unusualNumeric(b, start, end, out);
  }
  if (first === end || point === first) throw new Undecodable('expected a decimal');
  groups.length = 0;
  const wholeDigits = point - first;
  // Groups of four digits are aligned at the point. The first group may be shorter, and the last
  // one is padded with zeros.
  let at = first;
  let size = wholeDigits % 4 || 4;
  while (at < point) {
    groups.push(group(b, at, at + size, size));
    at += size;
    size = 4;
  }
  const wholeGroups = groups.length;
  for (at = point + 1; at < end; at += 4) groups.push(group(b, at, Math.min(at + 4, end), 4));
  writeNumeric(out, negative ? SIGN_NEGATIVE : 0, wholeGroups - 1, 0, groups.length);
}

function group(b: Uint8Array, from: number, to: number, size: number): number {
  let value = 0;
  for (let at = from; at < from + size; at += 1) value = value * 10 + (at < to ? b[at]! - ZERO : 0);
  return value;
}

function unusualNumeric(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const plain = canonicalDecimal(latin1At(b, start, end));
  groups.length = 0;
  if (plain === 'NaN') return writeNumeric(out, SIGN_NAN, 0, 0, 0);
  if (plain === 'Infinity') return writeNumeric(out, SIGN_PLUS_INFINITY, 0, 0, 0);
  if (plain === '-Infinity') return writeNumeric(out, SIGN_MINUS_INFINITY, 0, 0, 0);
  const bytes = Buffer.from(plain, 'latin1');
  numericFromText(bytes, 0, bytes.length, out);
}

/**
 * Reads an `int64` of Postgres' binary form as a double. Returns null if the double might not be
 * exact.
 */
export function smallInt64(b: Uint8Array, at: number): number | null {
  const high = int32At(b, at);
  return high >= -0x100000 && high < 0x100000 ? high * TWO_32 + (int32At(b, at + 4) >>> 0) : null;
}
