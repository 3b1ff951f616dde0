// Computes CRC-32C (Castagnoli) with sixteen tables, as clients/kafka/crc32c.ts does.

const POLYNOMIAL: u32 = 0x82f63b78;
const TABLE_BYTES: usize = 1024;
const TABLES: usize = memory.data(16384);

for (let n: u32 = 0; n < 256; n += 1) {
  let crc = n;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) != 0 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
  store<u32>(TABLES + (n << 2), crc);
}
for (let at: usize = TABLE_BYTES; at < 16 * TABLE_BYTES; at += 4) {
  const before = load<u32>(TABLES + at - TABLE_BYTES);
  store<u32>(TABLES + at, (before >> 8) ^ load<u32>(TABLES + ((before & 0xff) << 2)));
}

function entry(table: i32, bits: u64): u32 {
  return load<u32>(TABLES + ((<usize>(bits & 0xff)) << 2) + (table << 10));
}

/**
 * Returns the part of the checksum that comes from four bytes: those of `bits`, beginning at bit
 * `shift`. `last` is the number of the table for the last byte.
 */
function four(bits: u64, shift: u64, last: i32): u32 {
  const own = bits >> shift;
  return (
    entry(last + 3, own) ^
    entry(last + 2, own >> 8) ^
    entry(last + 1, own >> 16) ^
    entry(last, own >> 24)
  );
}

export function crc32c(from: usize, to: usize): u32 {
  let crc: u32 = 0xffffffff;
  let at = from;
  for (; at + 16 <= to; at += 16) {
    const low = load<u64>(at) ^ <u64>crc;
    const high = load<u64>(at, 8);
    crc = four(low, 0, 12) ^ four(low, 32, 8) ^ four(high, 0, 4) ^ four(high, 32, 0);
  }
  for (; at < to; at += 1)
    crc = (crc >> 8) ^ load<u32>(TABLES + ((<usize>((crc ^ load<u8>(at)) & 0xff)) << 2));
  return ~crc;
}
