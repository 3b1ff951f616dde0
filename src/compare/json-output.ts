// Writes compact JSON into one growing buffer, without an object for each value.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from('0123456789abcdef');
const LEAST_ROOM = 1 << 16;
/** Up to this number of bytes, copying one byte at a time is faster. */
const WORTH_COPY = 32;
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

  /** Writes text that consists of ASCII characters. */
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
    if (typeof value === 'number' && value >= 0 && value < 10) return this.byte(0x30 + value);
    this.ascii(String(value));
  }

  /** Writes the UTF-8 bytes `[from, to)` as a JSON string. */
  string(source: Buffer, from: number, to: number): void {
    let next = from;
    while (next < to && isPlain(source[next]!)) next += 1;
    this.reserve((to - next) * LONGEST_ESCAPE + (next - from) + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = QUOTE;
    if (next - from > WORTH_COPY) {
      source.copy(bytes, at, from, next);
      at += next - from;
    } else for (let plain = from; plain < next; plain += 1) bytes[at++] = source[plain]!;
    this.length = next === to ? at : this.#escaped(source, next, to, at);
    bytes[this.length++] = QUOTE;
  }

  /**
   * Writes the bytes to `start`, with escapes. The caller has reserved room for them. Returns the
   * position after the last byte that was written.
   */
  #escaped(source: Buffer, from: number, to: number, start: number): number {
    const { bytes } = this;
    let at = start;
    for (let next = from; next < to; next += 1) {
      const code = source[next]!;
      if (isPlain(code)) {
        bytes[at++] = code;
        continue;
      }
      bytes[at++] = BACKSLASH;
      if (code >= 0x20) {
        bytes[at++] = code;
        continue;
      }
      bytes[at++] = 0x75; // \u00XX
      bytes[at++] = 0x30;
      bytes[at++] = 0x30;
      bytes[at++] = HEX[code >> 4]!;
      bytes[at++] = HEX[code & 15]!;
    }
    return at;
  }

  /** Writes a text as a JSON string. */
  text(text: string): void {
    const utf8 = Buffer.from(text);
    this.string(utf8, 0, utf8.length);
  }
}
