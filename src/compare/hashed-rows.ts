// Hashes rows of COPY BINARY whose keys may be NULL: the rows of a query or of a sink's table.
import { Problem } from '../domain/failure.js';
import { canonRow } from './binary-text.js';
import type { Shape } from './row-comparison.js';
import { RowEncoder } from './enc/row.js';
import { TID_FIELD_BYTES } from './enc/row-place.js';
import { RowBatch } from './kernel/row-batch.js';
import { Undecodable } from './undecodable.js';

/**
 * Receives the key and the hash of a row. The hash is 0 if the row cannot be decoded. `row` returns
 * the row's bytes, which begin with a ctid field. These bytes and the key's array are reused after
 * the call.
 */
export type TakeHashed = (
  key: Int32Array,
  high: number,
  low: number,
  row: () => Uint8Array,
) => void;

export class HashedRows {
  readonly #shape: Shape;
  readonly #batch: RowBatch;

  constructor(shape: Shape, take: TakeHashed) {
    this.#shape = shape;
    const encoder = new RowEncoder(shape, { hashesKey: true });
    const row = (): Uint8Array => this.#batch.current;
    this.#batch = new RowBatch(encoder, (key, high, low) => {
      if (high === 0 && low === 0) refuseUnreadableKey(shape, row());
      take(key, high, low, row);
    });
  }

  /**
   * Takes one row that begins at `at`. Returns the offset at which the row ends. Throws Problem
   * `unsupported` if a key cannot be encoded.
   */
  add(b: Uint8Array, at: number): number {
    return this.#naming(() => this.#batch.add(b, at));
  }

  /** Passes all rows so far to `take`. */
  flush(): void {
    this.#naming(() => this.#batch.flush());
  }

  #naming<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw error instanceof Undecodable ? unreadableKey(this.#shape) : error;
    }
  }
}

/**
 * Takes a row that cannot be decoded. Throws a Problem if its key contains NULL, or cannot be
 * decoded either, because such a row could not be counted under any key.
 */
function refuseUnreadableKey(shape: Shape, row: Uint8Array): void {
  const { key } = canonRow(shape, row, TID_FIELD_BYTES);
  if (!key || key.includes(null)) throw unreadableKey(shape);
}

const unreadableKey = ({ key }: Shape): Problem =>
  new Problem('unsupported', `a key value of (${key.join(', ')}) cannot be encoded`);
