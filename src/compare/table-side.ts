// Takes the table's rows while the topic is still being read into its fold. The rows wait as hashes
// until the fold is complete. Then these rows and all later ones are compared.
import type { Shape } from './row-comparison.js';
import { RowEncoder } from './enc/row.js';
import { HashComparison } from './hash-comparison.js';
import type { HashFold } from './hash-fold.js';
import { RowBatch } from './kernel/row-batch.js';
import { WaitingRows } from './waiting-table-rows.js';

export class TableSide {
  /** The comparison. Null until the fold is complete. */
  comparison: HashComparison | null = null;
  readonly #encoder: RowEncoder;
  readonly #batch: RowBatch;
  readonly #waiting: WaitingRows;

  constructor(shape: Shape) {
    this.#encoder = new RowEncoder(shape);
    this.#waiting = new WaitingRows(this.#encoder.keyWords);
    this.#batch = new RowBatch(this.#encoder, (key, high, low, block, item) =>
      this.comparison
        ? this.comparison.judge(key, high, low, block, item)
        : this.#waiting.add(key, high, low, block, item),
    );
  }

  /** The number of waiting rows. Rows in the unfinished last batch are not counted. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes one row that begins at `at` with its ctid. Returns the offset at which the row ends. */
  add(b: Uint8Array, at: number): number {
    return this.#batch.add(b, at);
  }

  /**
   * Compares all rows so far with the fold, which MUST have read the topic up to the offset at which
   * this window ends its reading. Returns the comparison, to which later rows are added.
   */
  meet(fold: HashFold): HashComparison {
    this.#batch.flush();
    const comparison = (this.comparison ??= new HashComparison(fold.table, this.#encoder));
    this.#waiting.drain(comparison.judge.bind(comparison));
    return comparison;
  }
}
