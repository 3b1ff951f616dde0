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
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1;
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
  return (crc ^ -1) >>> 0;
}
