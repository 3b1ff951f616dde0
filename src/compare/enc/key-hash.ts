// Hashes the bytes of a record's key, for a key table (key-table.ts) whose keys are not decoded.
import { hash128 } from './hash.js';
import { Scratch } from './scratch.js';

export class KeyHash {
  readonly #scratch = new Scratch();
  readonly #words = new Int32Array(4);

  /** Returns the hash of the bytes, which is valid until the next call. */
  of(bytes: Uint8Array): Int32Array {
    this.#scratch.reset();
    this.#scratch.sized(bytes, 0, bytes.length);
    hash128(this.#scratch, 0, this.#words);
    return this.#words;
  }
}
