// Reads the content of a JSON string as UTF-8 bytes, without creating a JavaScript string.
import { Undecodable } from '../undecodable.js';
import { BACKSLASH, QUOTE } from './json-scan.js';
import type { Scratch } from './scratch.js';

const isEscaped = (b: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at += 1) if (b[at] === BACKSLASH) return true;
  return false;
};

/** Calls `use` with the content of a JSON string, after resolving its escapes. */
export function content(
  b: Uint8Array,
  start: number,
  end: number,
  out: Scratch,
  use: (b: Uint8Array, start: number, end: number, out: Scratch) => void,
): void {
  if (b[start] !== QUOTE) throw new Undecodable('expected a string');
  if (!isEscaped(b, start + 1, end - 1)) return use(b, start + 1, end - 1, out);
  const plain = unescape(b, start + 1, end - 1);
  use(unescaped, 0, plain, out);
}

let unescaped = new Uint8Array(1024);

/** Writes the string between the quotes into `unescaped` as UTF-8. Returns its length. */
function unescape(b: Uint8Array, start: number, end: number): number {
  if (unescaped.length < end - start) unescaped = new Uint8Array((end - start) * 2);
  let to = 0;
  for (let at = start; at < end; at += 1) {
    const byte = b[at]!;
    if (byte !== BACKSLASH) {
      unescaped[to++] = byte;
      continue;
    }
    at += 1;
    const simple = ESCAPES[b[at]!];
    if (simple !== undefined) {
      unescaped[to++] = simple;
      continue;
    }
    if (b[at] !== 0x75) throw new Undecodable('unknown escape in JSON');
    let code = hex4(b, at + 1, end);
    at += 4;
    if (code >= 0xd800 && code < 0xe000) {
      const low =
        code < 0xdc00 && b[at + 1] === BACKSLASH && b[at + 2] === 0x75 ? hex4(b, at + 3, end) : 0;
      if (low < 0xdc00 || low >= 0xe000) throw new Undecodable('a surrogate without its pair');
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    to = writeUtf8(code, to);
  }
  return to;
}

const ESCAPES: Readonly<Record<number, number>> = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 8,
  0x66: 12,
  0x6e: 10,
  0x72: 13,
  0x74: 9,
};

function hex4(b: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) throw new Undecodable('an incomplete escape in JSON');
  return (
    (hexDigit(b[at]!) << 12) |
    (hexDigit(b[at + 1]!) << 8) |
    (hexDigit(b[at + 2]!) << 4) |
    hexDigit(b[at + 3]!)
  );
}

export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x57;
  throw new Undecodable('expected a hexadecimal digit');
}

function writeUtf8(code: number, to: number): number {
  if (code < 0x80) {
    unescaped[to++] = code;
    return to;
  }
  if (code < 0x800) {
    unescaped[to++] = 0xc0 | (code >> 6);
  } else {
    if (code < 0x10000) unescaped[to++] = 0xe0 | (code >> 12);
    else {
      unescaped[to++] = 0xf0 | (code >> 18);
      unescaped[to++] = 0x80 | ((code >> 12) & 0x3f);
    }
    unescaped[to++] = 0x80 | ((code >> 6) & 0x3f);
  }
  unescaped[to++] = 0x80 | (code & 0x3f);
  return to;
}
