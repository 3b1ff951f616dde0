// Encodes integers and decimals as enc/number.ts does. Each function gets the address to write to.
// It returns the address after the bytes that it wrote, or 0 for a value that it does not
// understand.
import { copy } from './scan';

const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;
const MOST_DIGITS: usize = 19;
const MOST_I64: u64 = 0x7fffffffffffffff;

/** Writes a 64-bit integer, as its high and low words in network order. */
export function writeI64(out: usize, value: i64): usize {
  store<u64>(out, bswap<u64>(<u64>value));
  return out + 8;
}

export function writeU16(out: usize, value: u32): usize {
  store<u16>(out, bswap<u16>(<u16>value));
  return out + 2;
}

export function u16At(at: usize): u32 {
  return <u32>bswap<u16>(load<u16>(at));
}

/** Reads an integer of up to 64 bits from decimal digits. */
export function integerFromText(start: usize, end: usize, out: usize): usize {
  const negative = load<u8>(start) == MINUS;
  const first = negative ? start + 1 : start;
  if (first >= end || end - first > MOST_DIGITS) return 0;
  let value: u64 = 0;
  for (let at = first; at < end; at += 1) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return 0;
    value = value * 10 + digit;
  }
  if (value > MOST_I64 + (negative ? 1 : 0)) return 0;
  return writeI64(out, negative ? -(<i64>value) : <i64>value);
}

const NEGATIVE: u32 = 0x4000;
const MOST_NUMERIC: usize = 2000;

/**
 * Removes the zero groups at both ends of `[from, to)`. Writes a head of six bytes at `head`, and
 * moves the other groups behind it. Returns the end of the groups.
 */
function writeNumeric(head: usize, sign: u32, weight: i32, from: usize, to: usize): usize {
  while (from < to && load<u16>(from) == 0) {
    from += 2;
    weight -= 1;
  }
  while (to > from && load<u16>(to - 2) == 0) to -= 2;
  const isZero = from == to;
  writeU16(head, isZero && sign == NEGATIVE ? 0 : sign);
  writeU16(head + 2, isZero ? 0 : <u32>weight);
  writeU16(head + 4, <u32>((to - from) >> 1));
  if (from != head + 6) shift(head + 6, from, to);
  return head + 6 + (to - from);
}

/** Moves 16-bit groups to the front. */
function shift(out: usize, from: usize, to: usize): void {
  for (let at = from; at < to; at += 2) store<u16>(out + (at - from), load<u16>(at));
}

/** Reads Postgres' binary form of a numeric, which has `size` bytes. */
export function numericFromBinary(at: usize, size: i32, out: usize): usize {
  if (size < 8) return 0;
  const count = u16At(at);
  if (size != <i32>(8 + count * 2)) return 0;
  copy(out + 6, at + 8, <usize>count * 2);
  const weight = <i32>(<i16>u16At(at + 2));
  return writeNumeric(out, u16At(at + 4), weight, out + 6, out + 6 + count * 2);
}

/** Reads a decimal without an exponent, such as `-123.450`. */
export function numericFromText(start: usize, end: usize, out: usize): usize {
  const negative = load<u8>(start) == MINUS;
  const first = negative ? start + 1 : start;
  if (first >= end || end - first > MOST_NUMERIC) return 0;
  let point = end;
  for (let at = first; at < end; at += 1) {
    const byte = load<u8>(at);
    if (byte == DOT && point == end) point = at;
    else if (<u32>byte - 0x30 > 9) return 0;
  }
  if (point == first) return 0;
  // Groups of four are aligned at the point.
  let to = out + 6;
  let size = <i32>(point - first) & 3;
  if (size == 0) size = 4;
  let at = first;
  while (at < point) {
    to = writeU16(to, group(at, at + <usize>size, size));
    at += <usize>size;
    size = 4;
  }
  const wholeGroups = <i32>((to - out - 6) >> 1);
  for (at = point + 1; at < end; at += 4)
    to = writeU16(to, group(at, at + 4 < end ? at + 4 : end, 4));
  return writeNumeric(out, negative ? NEGATIVE : 0, wholeGroups - 1, out + 6, to);
}

/** Reads `size` digits from `from` on. Digits at or after `to` count as zeros. */
function group(from: usize, to: usize, size: i32): u32 {
  let value: u32 = 0;
  for (let at = from; at < from + <usize>size; at += 1)
    value = value * 10 + (at < to ? <u32>load<u8>(at) - 0x30 : 0);
  return value;
}
