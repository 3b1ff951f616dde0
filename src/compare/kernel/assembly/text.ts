// Encodes texts, bytes and identifiers, as enc/column.ts and enc/json-string.ts do. Each function
// returns the address after the bytes that it wrote, or 0 for a value that it does not understand.
import { BACKSLASH, QUOTE, areEqual, copy } from './scan';

const PLACEHOLDER: usize = memory.data<u8>([
  0x5f, 0x5f, 0x64, 0x65, 0x62, 0x65, 0x7a, 0x69, 0x75, 0x6d, 0x5f, 0x75, 0x6e, 0x61, 0x76, 0x61,
  0x69, 0x6c, 0x61, 0x62, 0x6c, 0x65, 0x5f, 0x76, 0x61, 0x6c, 0x75, 0x65, 0, 0, 0, 0,
]); // __debezium_unavailable_value
const PLACEHOLDER_LENGTH: i32 = 28;
const SMALL_U: u8 = 0x75;
const SPACE: u8 = 0x20;
/** The value of each hexadecimal digit. All other bytes have NO_DIGIT. */
const HEX: usize = memory.data(256);
const NO_DIGIT: u8 = 0x80;
memory.fill(HEX, NO_DIGIT, 256);
for (let digit: u8 = 0; digit < 16; digit += 1) {
  store<u8>(HEX + digit + (digit < 10 ? 0x30 : 0x57), digit);
  if (digit > 9) store<u8>(HEX + digit + 0x37, digit);
}

/** Writes the length, then the bytes. */
export function sized(start: usize, end: usize, out: usize): usize {
  const size = end - start;
  store<u32>(out, bswap<u32>(<u32>size));
  copy(out + 4, start, size);
  return out + 4 + size;
}

/** Returns `end`, or 0 if the text that was written at `out` is Debezium's placeholder. */
function unlessPlaceholder(out: usize, end: usize): usize {
  const size = <i32>(end - out - 4);
  return size == PLACEHOLDER_LENGTH && areEqual(out + 4, PLACEHOLDER, size) ? 0 : end;
}

/** Writes the content of a JSON string, whose quotes lie outside of `[start, end)`. */
export function textFromJson(start: usize, end: usize, escaped: bool, out: usize): usize {
  const to = escaped ? unescape(start, end, out) : sized(start, end, out);
  return to == 0 ? 0 : unlessPlaceholder(out, to);
}

/** Writes a text without the spaces at its end. */
export function paddedFromJson(start: usize, end: usize, escaped: bool, out: usize): usize {
  const to = escaped ? unescape(start, end, out) : sized(start, end, out);
  return to == 0 ? 0 : unlessPlaceholder(out, withoutSpaces(out, to));
}

export function paddedFromBinary(start: usize, end: usize, out: usize): usize {
  return unlessPlaceholder(out, withoutSpaces(out, sized(start, end, out)));
}

function withoutSpaces(out: usize, end: usize): usize {
  while (end > out + 4 && load<u8>(end - 1) == SPACE) end -= 1;
  store<u32>(out, bswap<u32>(<u32>(end - out - 4)));
  return end;
}

function unescape(start: usize, end: usize, out: usize): usize {
  let to = out + 4;
  let at = start;
  while (at < end) {
    if (load<u8>(at) != BACKSLASH) {
      const bytes = v128.load(at);
      const next = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(BACKSLASH))) | 0x10000;
      const plain = min<usize>(<usize>ctz(next), end - at);
      v128.store(to, bytes);
      to += plain;
      at += plain;
      continue;
    }
    const letter = load<u8>(at, 1);
    if (letter != SMALL_U) {
      const simple = simpleEscape(letter);
      if (simple == 0) return 0;
      store<u8>(to, simple);
      to += 1;
      at += 2;
      continue;
    }
    let code = hex4(at + 2, end);
    at += 6;
    if (code >= 0xd800 && code < 0xe000) {
      if (code >= 0xdc00 || load<u8>(at) != BACKSLASH || load<u8>(at, 1) != SMALL_U) return 0;
      const low = hex4(at + 2, end);
      if (low < 0xdc00 || low >= 0xe000) return 0;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    if (code > 0x10ffff) return 0;
    to = writeUtf8(code, to);
  }
  store<u32>(out, bswap<u32>(<u32>(to - out - 4)));
  return to;
}

/** Returns the byte that an escape of one letter stands for, or 0 for an unknown letter. */
function simpleEscape(letter: u8): u8 {
  if (letter == QUOTE || letter == BACKSLASH || letter == 0x2f) return letter;
  if (letter == 0x6e) return 10;
  if (letter == 0x74) return 9;
  if (letter == 0x72) return 13;
  if (letter == 0x62) return 8;
  return letter == 0x66 ? 12 : 0;
}

/**
 * Returns the number that four hexadecimal digits form. Returns more than 0x10ffff if one of them
 * is no digit.
 */
function hex4(at: usize, end: usize): u32 {
  if (at + 4 > end) return u32.MAX_VALUE;
  const high = hexPair(at);
  const low = hexPair(at + 2);
  return high > 0xff || low > 0xff ? u32.MAX_VALUE : (high << 8) | low;
}

/**
 * Returns the number that two hexadecimal digits form. Returns more than 255 if one of them is no
 * digit.
 */
function hexPair(at: usize): u32 {
  const high = <u32>load<u8>(HEX + <usize>load<u8>(at));
  const low = <u32>load<u8>(HEX + <usize>load<u8>(at, 1));
  return (high << 4) | low | ((low & NO_DIGIT) << 4);
}

function writeUtf8(code: u32, to: usize): usize {
  if (code < 0x80) {
    store<u8>(to, <u8>code);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, <u8>(0xc0 | (code >> 6)));
    store<u8>(to, <u8>(0x80 | (code & 0x3f)), 1);
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (code >> 12)));
    store<u8>(to, <u8>(0x80 | ((code >> 6) & 0x3f)), 1);
    store<u8>(to, <u8>(0x80 | (code & 0x3f)), 2);
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (code >> 18)));
  store<u8>(to, <u8>(0x80 | ((code >> 12) & 0x3f)), 1);
  store<u8>(to, <u8>(0x80 | ((code >> 6) & 0x3f)), 2);
  store<u8>(to, <u8>(0x80 | (code & 0x3f)), 3);
  return to + 4;
}

/** Writes the 16 bytes of a uuid of 36 characters. */
export function uuidFromText(start: usize, end: usize, out: usize): usize {
  if (end - start != 36) return 0;
  store<u32>(out, bswap<u32>(16));
  let to = out + 4;
  let at = start;
  while (at < end) {
    const place = at - start;
    if (place == 8 || place == 13 || place == 18 || place == 23) {
      if (load<u8>(at) != 0x2d) return 0;
      at += 1;
    }
    const pair = hexPair(at);
    if (pair > 0xff) return 0;
    store<u8>(to, <u8>pair);
    to += 1;
    at += 2;
  }
  return to;
}

/** Decodes base64 with padding, and writes the bytes. */
export function bytesFromBase64(start: usize, end: usize, out: usize): usize {
  if (((end - start) & 3) != 0) return 0;
  let last = end;
  while (last > start && end - last < 2 && load<u8>(last - 1) == 0x3d) last -= 1;
  let to = out + 4;
  let bits: u32 = 0;
  let held: i32 = 0;
  for (let at = start; at < last; at += 1) {
    const six = base64Digit(load<u8>(at));
    if (six > 63) return 0;
    bits = (bits << 6) | six;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    store<u8>(to, <u8>(bits >> held));
    to += 1;
  }
  store<u32>(out, bswap<u32>(<u32>(to - out - 4)));
  return unlessPlaceholder(out, to);
}

function base64Digit(byte: u8): u32 {
  const upper = <u32>byte - 0x41;
  if (upper < 26) return upper;
  const lower = <u32>byte - 0x61;
  if (lower < 26) return lower + 26;
  const digit = <u32>byte - 0x30;
  if (digit < 10) return digit + 52;
  return byte == 0x2b ? 62 : byte == 0x2f ? 63 : 64;
}
