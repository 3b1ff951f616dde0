// Walks over compact JSON with the same results as enc/json-scan.ts, but 16 bytes at a time. Each
// function returns 0 for JSON that it does not understand. It may read up to 16 bytes past the
// input.

export const QUOTE: u8 = 0x22;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
export const OPEN: u8 = 0x7b;
export const CLOSE: u8 = 0x7d;
export const BACKSLASH: u8 = 0x5c;
const OPEN_LIST: u8 = 0x5b;
const CLOSE_LIST: u8 = 0x5d;
const SPACE: u8 = 0x20;
const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;

/** True if the last string that `skipString` skipped has an escape. */
export let hadEscape: bool = false;

/** Returns the end of the JSON value that begins at `at`, or 0. */
export function skipValue(at: usize, to: usize): usize {
  hadEscape = false;
  if (at >= to) return 0;
  const first = load<u8>(at);
  if (first == QUOTE) return skipString(at, to);
  if (first == OPEN || first == OPEN_LIST) return skipNested(at, to);
  let end = at;
  for (; end < to; end += 1) {
    const byte = load<u8>(end);
    if (byte == COMMA || byte == CLOSE || byte == CLOSE_LIST) break;
    if (byte <= SPACE) return 0;
  }
  return end == at || end >= to || isMalformed(at, end) ? 0 : end;
}

/** Returns whether a number has a zero before other digits, or ends with its point. */
function isMalformed(at: usize, end: usize): bool {
  const first = load<u8>(at) == MINUS ? at + 1 : at;
  if (load<u8>(end - 1) == DOT) return true;
  return load<u8>(first) == ZERO && <u32>load<u8>(first, 1) - 0x30 <= 9;
}

/** Returns the position after the closing quote, or 0. */
export function skipString(at: usize, to: usize): usize {
  hadEscape = false;
  let end = at + 1;
  while (end < to) {
    const bytes = v128.load(end);
    const marks = v128.or(
      i8x16.eq(bytes, i8x16.splat(QUOTE)),
      i8x16.eq(bytes, i8x16.splat(BACKSLASH)),
    );
    const hits = i8x16.bitmask(v128.or(marks, i8x16.lt_u(bytes, i8x16.splat(SPACE))));
    if (hits == 0) {
      end += 16;
      continue;
    }
    end += <usize>ctz(hits);
    if (end >= to) return 0;
    const mark = load<u8>(end);
    if (mark == QUOTE) return end + 1;
    if (mark != BACKSLASH) return 0; // JSON writes a control character as an escape
    hadEscape = true;
    end += 2;
  }
  return 0;
}

/**
 * This bit turns a square bracket into a curly one. It turns no other byte into a curly bracket.
 */
const CURLY: u8 = 0x20;

function skipNested(at: usize, to: usize): usize {
  let depth: i32 = 0;
  let end = at;
  while (end < to) {
    const bytes = v128.load(end);
    const curly = v128.or(bytes, i8x16.splat(CURLY));
    const brackets = v128.or(
      i8x16.eq(curly, i8x16.splat(OPEN)),
      i8x16.eq(curly, i8x16.splat(CLOSE)),
    );
    let hits = i8x16.bitmask(v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), brackets));
    let next = end + 16;
    while (hits != 0) {
      const place = end + <usize>ctz(hits);
      if (place >= to) return 0;
      const byte = load<u8>(place);
      if (byte == QUOTE) {
        next = skipString(place, to);
        if (next == 0) return 0;
        break;
      }
      depth += (byte | CURLY) == OPEN ? 1 : -1;
      if (depth == 0) return place + 1;
      hits &= hits - 1;
    }
    end = next;
  }
  return 0;
}

/** Returns whether the `length` bytes at both places are equal. */
export function areEqual(a: usize, b: usize, length: i32): bool {
  let at: usize = 0;
  let left = length;
  while (left >= 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false;
    at += 16;
    left -= 16;
  }
  if (left == 0) return true;
  const same = i8x16.bitmask(i8x16.eq(v128.load(a + at), v128.load(b + at)));
  const wanted = (1 << left) - 1;
  return (same & wanted) == wanted;
}

/** Returns whether all bytes are printable ASCII. */
export function isPlainAscii(start: usize, end: usize): bool {
  for (let at = start; at < end; at += 16) {
    const bytes = v128.load(at);
    const low = i8x16.lt_s(bytes, i8x16.splat(SPACE)); // also bytes above 127, which are negative
    const odd = i8x16.bitmask(v128.or(low, i8x16.eq(bytes, i8x16.splat(0x7f))));
    const left = end - at;
    if ((left < 16 ? odd & ((1 << (<i32>left)) - 1) : odd) != 0) return false;
  }
  return true;
}

/** Returns whether JSON would write one of the bytes with an escape. */
export function needsEscape(start: usize, end: usize): bool {
  for (let at = start; at < end; at += 1) {
    const byte = load<u8>(at);
    if (byte < SPACE || byte == QUOTE || byte == BACKSLASH) return true;
  }
  return false;
}

/**
 * Copies bytes in steps of 16, so up to 15 bytes are written past the end. The regions MUST NOT
 * overlap.
 */
export function copy(to: usize, from: usize, size: usize): void {
  for (let at: usize = 0; at < size; at += 16) v128.store(to + at, v128.load(from + at));
}
