// What the folds of a topic share: how far each partition was read, and what could not be understood; most also keep one row per key. PURE.
import type { StreamRow } from './comparison.js';

export class FoldProgress {
  /** Records that could not be understood at all: each makes the window inconclusive. */
  unreadable = 0;
  readonly #next = new Map<number, number>();

  /** Next offset to read of a partition, or undefined when it was never read. */
  nextOffset(partition: number): number | undefined {
    return this.#next.get(partition);
  }

  readUpTo(partition: number, offset: number): void {
    this.#next.set(partition, offset);
  }
}

export class Fold extends FoldProgress {
  readonly rows = new Map<string, StreamRow>();
}
