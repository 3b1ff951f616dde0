// Computes the partition that Kafka's own producers choose for a key, from murmur2 of its bytes.
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Returns the partition of the key in `[start, end)` of `b`. */
export const partitionOf = (
  b: Uint8Array,
  start: number,
  end: number,
  partitions: number,
): number => (murmur2(b, start, end) & 0x7fffffff) % partitions;

/**
 * Returns a hash of a key's bytes. For Kafka, two keys with equal values but different bytes, such
 * as `1` and `1.0`, are different keys.
 */
export const spellingOf = (key: Uint8Array | null): number =>
  key === null ? 0 : murmur2(key, 0, key.length);

/** Hashes `[start, end)` of `b` to 32 bits, as org.apache.kafka.common.utils.Utils does. */
export function murmur2(b: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let h = SEED ^ length;
  let at = start;
  for (const whole = end - (length & 3); at < whole; at += 4) {
    let k = b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length & 3;
  if (rest === 3) h ^= b[at + 2]! << 16;
  if (rest >= 2) h ^= b[at + 1]! << 8;
  if (rest >= 1) h = Math.imul(h ^ b[at]!, M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}
