// Reads a JSON number as the nearest double. It multiplies the digits by the first 128 bits of a
// power of ten. This gives a lower and an upper bound of the exact product. If the two bounds round
// differently, the TypeScript reference reads the number.
import { powers } from './layout';

const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const SMALL_E: u8 = 0x65;
const MOST_DIGITS: i32 = 19;
/** The first and the last exponent of ten in the table, which `float-powers.ts` computes. */
const FIRST_POWER: i32 = -64;
const LAST_POWER: i32 = 63;

/** True if `floatFromText` did not understand the last text. */
export let isUnclear: bool = false;

let mantissa: u64 = 0;
let exponent: i32 = 0;

/** Returns the double of a JSON number. Sets `isUnclear` if the reference must read the number. */
export function floatFromText(start: usize, end: usize): f64 {
  isUnclear = true;
  const negative = load<u8>(start) == MINUS;
  if (!readDecimal(negative ? start + 1 : start, end)) return 0;
  if (mantissa == 0) {
    isUnclear = false;
    return 0; // the encoding has one zero, without a sign
  }
  if (exponent < FIRST_POWER || exponent > LAST_POWER) return 0;
  const value = nearest();
  return negative ? -value : value;
}

/** Reads `digits[.digits][e[±]digits]` into `mantissa` and `exponent`. */
function readDecimal(first: usize, end: usize): bool {
  mantissa = 0;
  exponent = 0;
  let digits: i32 = 0;
  let at = first;
  let point: usize = 0;
  for (; at < end; at += 1) {
    const byte = load<u8>(at);
    const digit = <u32>byte - 0x30;
    if (digit <= 9) {
      mantissa = mantissa * 10 + digit;
      // The mantissa can wrap to 0, so it does not show whether a digit other than 0 came before.
      if (digits != 0 || digit != 0) digits += 1;
    } else if (byte == DOT && point == 0 && at > first) point = at;
    else break;
  }
  if (at == first || digits > MOST_DIGITS || at == point + 1) return false;
  // JSON allows no zero before other digits
  if (load<u8>(first) == ZERO && at > first + 1 && point != first + 1) return false;
  if (point != 0) exponent = -(<i32>(at - point - 1));
  return at == end || readExponent(at, end);
}

function readExponent(mark: usize, end: usize): bool {
  if ((load<u8>(mark) | 0x20) != SMALL_E) return false;
  let at = mark + 1;
  const sign = at < end ? load<u8>(at) : 0;
  if (sign == MINUS || sign == PLUS) at += 1;
  if (at >= end || end - at > 4) return false;
  let value: i32 = 0;
  for (; at < end; at += 1) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return false;
    value = value * 10 + <i32>digit;
  }
  exponent += sign == MINUS ? -value : value;
  return true;
}

/** Returns `mantissa` times ten to the power of `exponent`, rounded. */
function nearest(): f64 {
  const zeros = <i32>clz(mantissa);
  const normal = mantissa << zeros;
  const power = powers + <usize>((exponent - FIRST_POWER) * 16);
  multiply(normal, load<u64>(power));
  let high = productHigh;
  let middle = productLow;
  multiply(normal, load<u64>(power, 8));
  middle += productHigh;
  if (middle < productHigh) high += 1;
  // The exact product is at least `high:middle`, and at most two units of the middle word higher.
  // The power and the lowest word are truncated.
  const top = <i32>(high >> 63);
  const shift = 10 + top;
  const rest = high & (((<u64>1) << shift) - 1);
  const half = (<u64>1) << (shift - 1);
  if (rest == half && middle == 0) return 0;
  if (rest == half - 1 && middle >= <u64>-2) return 0;
  let bits = high >> shift;
  if (rest >= half) bits += 1;
  let biased = ((217706 * exponent) >> 16) + 63 + top - zeros + 1023;
  if (bits >> 53 != 0) {
    bits >>= 1;
    biased += 1;
  }
  if (biased < 1 || biased > 2046) return 0;
  isUnclear = false;
  return reinterpret<f64>(((<u64>biased) << 52) | (bits & 0xfffffffffffff));
}

let productHigh: u64 = 0;
let productLow: u64 = 0;

/** Sets `productHigh` and `productLow` to the 128 bits of the product. */
function multiply(a: u64, b: u64): void {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const low = a0 * b0;
  const first = a1 * b0 + (low >> 32);
  const second = a0 * b1 + (first & 0xffffffff);
  productHigh = a1 * b1 + (first >> 32) + (second >> 32);
  productLow = (second << 32) | (low & 0xffffffff);
}
