// Implements MurmurHash3 x86_128 (public domain, Austin Appleby) over the scratch buffer. The hash
// of a key has all 128 bits, and the hash of a row only the first 64.
import type { Scratch } from './scratch.js';

const rotl = (x: number, r: number): number => (x << r) | (x >>> (32 - r));

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hashes `[0, scratch.length)` into `out[0..3]`. */
export function hash128(scratch: Scratch, seed: number, out: Int32Array): void {
  const { words, bytes, length } = scratch;
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  const padded = (length + 15) & ~15;
  // After the last whole block, the published algorithm mixes only the remaining bytes. Zeros after
  // them do not change the hash.
  for (let at = length; at < padded; at += 1) bytes[at] = 0;
  const blocks = length >> 4;
  let w = 0;
  for (let block = 0; block < blocks; block += 1, w += 4) {
    h1 ^= Math.imul(rotl(Math.imul(words[w]!, 0x239b961b), 15), 0xab0e9789);
    h1 = (Math.imul((rotl(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotl(Math.imul(words[w + 1]!, 0xab0e9789), 16), 0x38b34ae5);
    h2 = (Math.imul((rotl(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotl(Math.imul(words[w + 2]!, 0x38b34ae5), 17), 0xa1e38b93);
    h3 = (Math.imul((rotl(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotl(Math.imul(words[w + 3]!, 0xa1e38b93), 18), 0x239b961b);
    h4 = (Math.imul((rotl(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  if (padded > length) {
    h4 ^= Math.imul(rotl(Math.imul(words[w + 3]!, 0xa1e38b93), 18), 0x239b961b);
    h3 ^= Math.imul(rotl(Math.imul(words[w + 2]!, 0x38b34ae5), 17), 0xa1e38b93);
    h2 ^= Math.imul(rotl(Math.imul(words[w + 1]!, 0xab0e9789), 16), 0x38b34ae5);
    h1 ^= Math.imul(rotl(Math.imul(words[w]!, 0x239b961b), 15), 0xab0e9789);
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = mix(h1);
  h2 = mix(h2);
  h3 = mix(h3);
  h4 = mix(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  out[0] = h1;
  out[1] = (h2 + h1) | 0;
  out[2] = (h3 + h1) | 0;
  out[3] = (h4 + h1) | 0;
}
