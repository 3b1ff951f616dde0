// MurmurHash3 x86_128 as in enc/hash.ts, and Kafka's murmur2 as in domain/values/partition.ts.

function mix(hash: u32): u32 {
  let h = (hash ^ (hash >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** Hashes `length` bytes into the four words at `out`. Writes up to 15 zeros after the bytes. */
export function hash128(bytes: usize, length: i32, seed: u32, out: usize): void {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  const end = bytes + length;
  store<u64>(end, 0);
  store<u64>(end, 0, 8);
  let at = bytes;
  for (const whole = bytes + (length & ~15); at < whole; at += 16) {
    h1 ^= rotl<u32>(load<u32>(at) * 0x239b961b, 15) * 0xab0e9789;
    h1 = (rotl<u32>(h1, 19) + h2) * 5 + 0x561ccd1b;
    h2 ^= rotl<u32>(load<u32>(at, 4) * 0xab0e9789, 16) * 0x38b34ae5;
    h2 = (rotl<u32>(h2, 17) + h3) * 5 + 0x0bcaa747;
    h3 ^= rotl<u32>(load<u32>(at, 8) * 0x38b34ae5, 17) * 0xa1e38b93;
    h3 = (rotl<u32>(h3, 15) + h4) * 5 + 0x96cd1c35;
    h4 ^= rotl<u32>(load<u32>(at, 12) * 0xa1e38b93, 18) * 0x239b961b;
    h4 = (rotl<u32>(h4, 13) + h1) * 5 + 0x32ac3b17;
  }
  if (at < end) {
    h4 ^= rotl<u32>(load<u32>(at, 12) * 0xa1e38b93, 18) * 0x239b961b;
    h3 ^= rotl<u32>(load<u32>(at, 8) * 0x38b34ae5, 17) * 0xa1e38b93;
    h2 ^= rotl<u32>(load<u32>(at, 4) * 0xab0e9789, 16) * 0x38b34ae5;
    h1 ^= rotl<u32>(load<u32>(at) * 0x239b961b, 15) * 0xab0e9789;
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 += h2 + h3 + h4;
  h2 += h1;
  h3 += h1;
  h4 += h1;
  h1 = mix(h1);
  h2 = mix(h2);
  h3 = mix(h3);
  h4 = mix(h4);
  h1 += h2 + h3 + h4;
  store<u32>(out, h1);
  store<u32>(out, h2 + h1, 4);
  store<u32>(out, h3 + h1, 8);
  store<u32>(out, h4 + h1, 12);
}

const M: u32 = 0x5bd1e995;

/** Returns the partition that Kafka's own producers choose for the key. */
export function partitionOf(start: usize, end: usize, partitions: i32): i32 {
  const length = <u32>(end - start);
  let h: u32 = 0x9747b28c ^ length;
  let at = start;
  for (const whole = end - (length & 3); at < whole; at += 4) {
    let k = load<u32>(at) * M;
    k = (k ^ (k >> 24)) * M;
    h = (h * M) ^ k;
  }
  const rest = length & 3;
  if (rest == 3) h ^= (<u32>load<u8>(at, 2)) << 16;
  if (rest >= 2) h ^= (<u32>load<u8>(at, 1)) << 8;
  if (rest >= 1) h = (h ^ <u32>load<u8>(at)) * M;
  h = (h ^ (h >> 13)) * M;
  return <i32>((h ^ (h >> 15)) & 0x7fffffff) % partitions;
}
