// Holds the bytes of one row or key in the encoding `enc-v1`, from which its hash is computed. It
// uses one growing buffer, and no object per row.

/**
 * The tags of the encoding `enc-v1` (canon.ts has one more). Each column begins with one tag byte.
 * If the column has a value, its bytes follow. They have a fixed width, or contain their length.
 * Different rows therefore have different encodings, without separators or escapes.
 */
export const TAG_NULL = 0;
export const TAG_VALUE = 1;

const eight = new DataView(new ArrayBuffer(8));

export function floatAt(b: Uint8Array, at: number, size: 4 | 8): number {
  for (let i = 0; i < size; i += 1) eight.setUint8(i, b[at + i]!);
  return size === 4 ? eight.getFloat32(0) : eight.getFloat64(0);
}

export class Scratch {
  bytes = new Uint8Array(1 << 16);
  view = new DataView(this.bytes.buffer);
  /** The same memory as 32-bit words, for the hash. */
  words = new Int32Array(this.bytes.buffer);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `extra` more bytes and for the hash's padding. */
  reserve(extra: number): void {
    const needed = this.length + extra + 16;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(
      Math.max(needed, this.bytes.length * 2) +
        15 -
        ((Math.max(needed, this.bytes.length * 2) + 15) % 16),
    );
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
    this.words = new Int32Array(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value);
    this.length += 2;
  }

  /** Writes a 64-bit integer as its high (signed) and low 32 bits. */
  i64(high: number, low: number): void {
    this.reserve(8);
    this.view.setInt32(this.length, high);
    this.view.setInt32(this.length + 4, low);
    this.length += 8;
  }

  /** Writes an integer that a double represents exactly. */
  safeInteger(value: number): void {
    const high = Math.floor(value / 4294967296);
    this.i64(high, (value - high * 4294967296) | 0);
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(
      this.length,
      Object.is(value, -0) ? 0 : Number.isNaN(value) ? Number.NaN : value,
    );
    this.length += 8;
  }

  /** Writes the length, then the bytes. */
  sized(from: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size + 4);
    this.view.setUint32(this.length, size);
    this.length += 4;
    const { bytes } = this;
    let to = this.length;
    if (size > 64) bytes.set(from.subarray(start, end), to);
    else for (let at = start; at < end; at += 1) bytes[to++] = from[at]!;
    this.length += size;
  }
}
