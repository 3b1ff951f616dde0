// Writes compact JSON into one growing buffer, without an object for each value.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from('0123456789abcdef');
const LEAST_ROOM = 1 << 16;
/** Up to this number of bytes, copying one byte at a time is faster. */
const WORTH_COPY = 128;
const MOST_SMALL = 0x7fffffff;
const SMALL_DIGITS = 10;
const LONGEST_ESCAPE = 6;

const isPlain = (code: number): boolean => code >= 0x20 && code !== QUOTE && code !== BACKSLASH;

export class JsonOutput {
  bytes = Buffer.allocUnsafe(LEAST_ROOM);
  length = 0;

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  raw(from: Uint8Array): void {
    const count = from.length;
    this.reserve(count);
    const { bytes } = this;
    let to = this.length;
    for (let at = 0; at < count; at += 1) bytes[to++] = from[at]!;
    this.length = to;
  }

  /** Writes ASCII characters as they are, without quotes or escapes. */
  ascii(text: string): void {
    const count = text.length;
    this.reserve(count);
    const { bytes } = this;
    let to = this.length;
    for (let at = 0; at < count; at += 1) bytes[to++] = text.charCodeAt(at);
    this.length = to;
  }

  /** Writes an integer as decimal digits. */
  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= MOST_SMALL) this.#small(value | 0);
    else this.ascii(String(value));
  }

  /** Writes an integer from 0 to `MOST_SMALL`. Making a string of it takes five times as long. */
  #small(value: number): void {
    this.reserve(SMALL_DIGITS);
    let digits = 1;
    for (let limit = 10; digits < SMALL_DIGITS && value >= limit; limit *= 10) digits += 1;
    const { bytes } = this;
    this.length += digits;
    let rest = value;
    for (let at = this.length - 1; digits > 0; at -= 1, digits -= 1) {
      const tens = (rest / 10) | 0;
      bytes[at] = 0x30 + rest - tens * 10;
      rest = tens;
    }
  }

  /** Writes the UTF-8 bytes `[from, to)` as a JSON string. */
  string(source: Buffer, from: number, to: number): void {
    this.reserve((to - from) * LONGEST_ESCAPE + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = QUOTE;
    let next = from;
    if (to - from > WORTH_COPY) {
      while (next < to && isPlain(source[next]!)) next += 1;
      source.copy(bytes, at, from, next);
      at += next - from;
    }
    for (; next < to; next += 1) {
      const code = source[next]!;
      if (isPlain(code)) bytes[at++] = code;
      else at = escape(bytes, at, code);
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** Writes a text as a JSON string. */
  text(text: string): void {
    const utf8 = Buffer.from(text);
    this.string(utf8, 0, utf8.length);
  }
}

/** Writes the escape of a byte. Returns the position after it. */
function escape(bytes: Buffer, at: number, code: number): number {
  bytes[at] = BACKSLASH;
  if (code >= 0x20) {
    bytes[at + 1] = code;
    return at + 2;
  }
  bytes[at + 1] = 0x75; // \u00XX
  bytes[at + 2] = 0x30;
  bytes[at + 3] = 0x30;
  bytes[at + 4] = HEX[code >> 4]!;
  bytes[at + 5] = HEX[code & 15]!;
  return at + 6;
}
