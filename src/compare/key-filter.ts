// Picks the records of a few keys out of a topic.
import type { Shape } from './row-comparison.js';
import { KeyReader, isUnreadable } from './enc/change.js';
import { KeyTable, keyOf } from './enc/key-table.js';

/** The filter of the drill-down, which reads only the records of candidates. */
export class KeyFilter {
  readonly #key: KeyReader;
  readonly #wanted: KeyTable;

  /** Creates a filter for the `wanted` keys, which are in the form of `keyText`. */
  constructor(shape: Shape, wanted: readonly string[]) {
    this.#key = new KeyReader(shape);
    this.#wanted = new KeyTable(this.#key.encoder.keyWords, wanted.length);
    for (const key of wanted) this.#wanted.set(keyOf(key), 1, 1);
  }

  /** The key of the last record, in the form of `keyText`. */
  get lastKey(): string {
    return this.#key.encoder.keyText;
  }

  /**
   * Returns whether the record is wanted. `[start, end)` is its key. A key that cannot be read is
   * not wanted: the fold has already counted its record as refused.
   */
  wants(bytes: Buffer, start: number, end: number): boolean {
    if (start < 0) return false;
    try {
      return this.#wanted.find(this.#key.read(bytes, start, end)) >= 0;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return false;
    }
  }
}
