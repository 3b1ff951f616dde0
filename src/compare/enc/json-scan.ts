// Walks over the bytes of compact JSON as Kafka Connect writes it, without spaces between tokens.
// `skipValue` creates no objects except errors.
import { utf8Text } from '../strict-utf8.js';
import { Undecodable } from '../undecodable.js';

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN = 0x7b;
export const CLOSE = 0x7d;
export const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const SPACE = 0x20;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

export const broken = (): Undecodable => new Undecodable('broken JSON');

/** Returns the text of the bytes. Throws Undecodable if they are not UTF-8. */
export const textAt = (b: Uint8Array, start: number, end: number): string =>
  utf8Text(Buffer.from(b.buffer, b.byteOffset + start, end - start));

export function startsWith(b: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) if (b[at + i] !== bytes[i]) return false;
  return true;
}

/** Returns whether `[start, end)` is exactly this word, such as `null`. */
export const isWord = (b: Uint8Array, start: number, end: number, word: Uint8Array): boolean =>
  end - start === word.length && startsWith(b, start, word);

/**
 * Returns the end of the JSON value that begins at `at`. Throws Undecodable if it has no end before
 * `to`.
 */
export function skipValue(b: Uint8Array, at: number, to: number): number {
  const first = b[at];
  if (first === QUOTE) return skipString(b, at, to);
  if (first === OPEN || first === OPEN_LIST) return skipNested(b, at, to);
  let end = at;
  for (; end < to; end += 1) {
    const byte = b[end]!;
    if (byte === COMMA || byte === CLOSE || byte === CLOSE_LIST) break;
    if (byte <= SPACE) throw new Undecodable('unexpected space in JSON');
  }
  if (end === at || end >= to || isMalformed(b, at, end)) throw broken();
  return end;
}

/** Returns whether a number has a zero before other digits, or ends with its point. */
function isMalformed(b: Uint8Array, at: number, end: number): boolean {
  const first = b[at] === MINUS ? at + 1 : at;
  if (b[end - 1] === DOT) return true;
  return b[first] === ZERO && b[first + 1]! >= ZERO && b[first + 1]! <= NINE;
}

function skipNested(b: Uint8Array, at: number, to: number): number {
  let depth = 0;
  for (let end = at; end < to;) {
    const byte = b[end]!;
    if (byte === QUOTE) {
      end = skipString(b, end, to);
      continue;
    }
    if (byte === OPEN || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth -= 1;
    end += 1;
    if (depth === 0) return end;
  }
  throw broken();
}

function skipString(b: Uint8Array, at: number, to: number): number {
  for (let end = at + 1; end < to; end += 1) {
    const byte = b[end]!;
    if (byte === QUOTE) return end + 1;
    if (byte === BACKSLASH) end += 1;
    else if (byte < SPACE) throw broken(); // JSON writes a control character as an escape
  }
  throw broken();
}

/**
 * Walks over the object that begins at `from`. Calls `member` for each of its members, with the
 * member's name and with the start and end of its value.
 */
export function walkObject(
  b: Uint8Array,
  from: number,
  to: number,
  member: (name: string, start: number, end: number) => void,
): void {
  if (b[from] !== OPEN) throw new Undecodable('expected an object');
  let at = from + 1;
  if (b[at] === CLOSE) return;
  for (;;) {
    const nameEnd = skipValue(b, at, to);
    if (b[at] !== QUOTE || b[nameEnd] !== COLON) throw broken();
    const start = nameEnd + 1;
    const end = skipValue(b, start, to);
    if (end >= to) throw broken();
    member(textAt(b, at + 1, nameEnd - 1), start, end);
    if (b[end] === CLOSE) return;
    if (b[end] !== COMMA) throw broken();
    at = end + 1;
  }
}
