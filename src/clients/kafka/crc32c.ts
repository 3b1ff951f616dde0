// Computes CRC-32C (Castagnoli), the checksum of every Kafka record batch. Sixteen tables in one
// array are about 1.5 times as fast as four tables.
const POLYNOMIAL = 0x82f63b78;
const STEP = 16;
const T = new Int32Array(256 * STEP);
for (let n = 0; n < 256; n += 1) {
  let crc = n;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  T[n] = crc;
}
for (let n = 0; n < 256; n += 1)
  for (let t = 1; t < STEP; t += 1)
    T[t * 256 + n] = (T[(t - 1) * 256 + n]! >>> 8) ^ T[T[(t - 1) * 256 + n]! & 0xff]!;

/** Returns the CRC-32C of `bytes[from, to)` as an unsigned 32-bit number. */
export const crc32c = (bytes: Uint8Array, from: number, to: number): number =>
  (advanced(-1, bytes, from, to) ^ -1) >>> 0;

/**
 * Returns the state of a checksum after `bytes[from, to)`. The state before the first byte is -1,
 * and a checksum is the state with all bits inverted.
 */
export function advanced(state: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = state;
  let at = from;
  for (const whole = to - ((to - from) % STEP); at < whole; at += STEP) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const first =
      T[3840 + (crc & 0xff)]! ^
      T[3584 + ((crc >>> 8) & 0xff)]! ^
      T[3328 + ((crc >>> 16) & 0xff)]! ^
      T[3072 + (crc >>> 24)]!;
    const second =
      T[2816 + bytes[at + 4]!]! ^
      T[2560 + bytes[at + 5]!]! ^
      T[2304 + bytes[at + 6]!]! ^
      T[2048 + bytes[at + 7]!]!;
    const third =
      T[1792 + bytes[at + 8]!]! ^
      T[1536 + bytes[at + 9]!]! ^
      T[1280 + bytes[at + 10]!]! ^
      T[1024 + bytes[at + 11]!]!;
    const last =
      T[768 + bytes[at + 12]!]! ^
      T[512 + bytes[at + 13]!]! ^
      T[256 + bytes[at + 14]!]! ^
      T[bytes[at + 15]!]!;
    crc = first ^ second ^ third ^ last;
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ T[(crc ^ bytes[at]!) & 0xff]!;
  return crc;
}

/**
 * A table for a certain number of zero bytes. Entry `bit` is the checksum state after these bytes,
 * if only this bit of the state was set before them.
 */
type Shift = Int32Array;

const shifted = (shift: Shift, state: number): number => {
  let crc = 0;
  for (let bit = 0, rest = state; rest !== 0; bit += 1, rest >>>= 1)
    if (rest & 1) crc ^= shift[bit]!;
  return crc;
};

/** The shifts by 1, 2, 4, 8 … zero bytes. */
const SHIFTS: Shift[] = [
  Int32Array.from({ length: 32 }, (_, bit) => advanced(1 << bit, new Uint8Array(1), 0, 1)),
];
while (SHIFTS.length < 31) {
  const half = SHIFTS.at(-1)!;
  SHIFTS.push(half.map((state) => shifted(half, state)));
}

/** Returns the state after `count` zero bytes, in a time that hardly depends on `count`. */
export function afterZeros(state: number, count: number): number {
  let crc = state;
  for (let bit = 0, rest = count; rest > 0; bit += 1, rest >>>= 1)
    if (rest & 1) crc = shifted(SHIFTS[bit]!, crc);
  return crc;
}

/**
 * Bytes that are written many times, for example at the end of each record of one topic. Their part
 * of a checksum is computed only once, because the checksum is linear: the earlier state and these
 * bytes contribute to it independently.
 */
export class SharedBytes {
  readonly bytes: Buffer;
  readonly #own: number;
  readonly #tables = new Int32Array(1024);

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#own = advanced(0, bytes, 0, bytes.length);
    for (let byte = 0; byte < 4; byte += 1)
      for (let n = 0; n < 256; n += 1)
        this.#tables[byte * 256 + n] = afterZeros(n << (8 * byte), bytes.length);
  }

  /** Returns the state of a checksum after these bytes. */
  advance(state: number): number {
    const t = this.#tables;
    return (
      this.#own ^
      t[state & 0xff]! ^
      t[256 + ((state >>> 8) & 0xff)]! ^
      t[512 + ((state >>> 16) & 0xff)]! ^
      t[768 + (state >>> 24)]!
    );
  }
}
