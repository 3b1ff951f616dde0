// CRC-32C (Castagnoli), which guards every Kafka record batch. Four tables: about four times as fast as one byte at a time.
const POLYNOMIAL = 0x82f63b78;
const TABLES = Array.from({ length: 4 }, () => new Int32Array(256));
for (let n = 0; n < 256; n += 1) {
  let crc = n;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLES[0]![n] = crc;
}
for (let n = 0; n < 256; n += 1) for (let t = 1; t < 4; t += 1) TABLES[t]![n] = (TABLES[t - 1]![n]! >>> 8) ^ TABLES[0]![TABLES[t - 1]![n]! & 0xff]!;

/** Of `bytes[from, to)`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const [one, two, three, four] = TABLES as [Int32Array, Int32Array, Int32Array, Int32Array];
  let crc = -1;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc = four[crc & 0xff]! ^ three[(crc >>> 8) & 0xff]! ^ two[(crc >>> 16) & 0xff]! ^ one[crc >>> 24]!;
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ one[(crc ^ bytes[at]!) & 0xff]!;
  return (crc ^ -1) >>> 0;
}
