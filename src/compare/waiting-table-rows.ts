// Keeps rows of the table until the topic's fold is complete. It keeps each row's key and hash, and
// the block and item of the row's ctid. Typed arrays avoid an object per row.
import type { TakeRow } from './kernel/row-batch.js';

const CHUNK_ROWS = 1 << 12;
/** The words after the key: two for the row's hash, and two for its place. */
const OTHER_WORDS = 4;

export class WaitingRows {
  size = 0;
  readonly #keyWords: 2 | 4;
  readonly #chunks: Int32Array[] = [];

  constructor(keyWords: 2 | 4) {
    this.#keyWords = keyWords;
  }

  /** Stores a copy of the row. */
  add(key: Int32Array, high: number, low: number, block: number, item: number): void {
    const words = this.#keyWords + OTHER_WORDS;
    const row = this.size % CHUNK_ROWS;
    if (row === 0) this.#chunks.push(new Int32Array(CHUNK_ROWS * words));
    const chunk = this.#chunks.at(-1)!;
    let at = row * words;
    for (let word = 0; word < this.#keyWords; word += 1) chunk[at++] = key[word]!;
    chunk[at] = high;
    chunk[at + 1] = low;
    chunk[at + 2] = block;
    chunk[at + 3] = item;
    this.size += 1;
  }

  /**
   * Passes on all rows in the order of their arrival, and forgets them. The key's array is reused.
   */
  drain(take: TakeRow): void {
    const words = this.#keyWords + OTHER_WORDS;
    const key = new Int32Array(4);
    let left = this.size;
    this.size = 0;
    for (const chunk of this.#chunks.splice(0)) {
      const end = Math.min(left, CHUNK_ROWS) * words;
      for (let at = 0; at < end; at += words) {
        for (let word = 0; word < this.#keyWords; word += 1) key[word] = chunk[at + word]!;
        const rest = at + this.#keyWords;
        take(key, chunk[rest]!, chunk[rest + 1]!, chunk[rest + 2]!, chunk[rest + 3]!);
      }
      left -= CHUNK_ROWS;
    }
  }
}
