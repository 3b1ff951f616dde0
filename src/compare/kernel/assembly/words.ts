// Writes two parts of an encoded change (enc/change.ts): the identity of a key, and the hash of a
// row. The bytes to hash begin at the scratch memory.
import { hash128 } from './hash';
import { isIntegerKey, scratch } from './layout';

const KEY_SEED: u32 = 0x6b6579;
const ROW_SEED: u32 = 0x726f77;
const hashed: usize = memory.data(16);

/** Writes the identity of the key whose encoding ends at `to`: a single integer, or else a hash. */
export function writeKey(to: usize, out: usize): bool {
  if (!isIntegerKey) {
    hash128(scratch, <i32>(to - scratch), KEY_SEED, out);
    return true;
  }
  if (to != scratch + 9) return false;
  const key = bswap<u64>(load<u64>(scratch, 1));
  store<u32>(out, <u32>(key >> 32));
  store<u32>(out, <u32>key, 4);
  store<u64>(out, 0, 8);
  return true;
}

/** Writes the hash of the row whose encoding ends at `to`. */
export function writeRow(to: usize, out: usize): void {
  hash128(scratch, <i32>(to - scratch), ROW_SEED, hashed);
  const words = load<u64>(hashed);
  store<u64>(out, words == 0 ? (<u64>1) << 32 : words); // 0 means a row that cannot be decoded
}
