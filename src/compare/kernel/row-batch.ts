// Encodes rows of COPY BINARY in batches: the kernel does what it understands, and the reference
// does the rest. PURE.
import { int32At, uint16At } from '../../domain/values/bytes.js';
import type { RowEncoder } from '../enc/row.js';
import { Kernel } from './kernel.js';

/** Takes one row: its key and hash, and its place: block and item. The key is reused. */
export type TakeRow = (
  key: Int32Array,
  high: number,
  low: number,
  block: number,
  item: number,
) => void;

/** The bytes of the field with a row's ctid, which comes before the shape's columns. */
export const TID_FIELD_BYTES = 4 + 6;
const ROWS = 1024;
const ROW_WORDS = 2;
const FOUND_WORDS = 9;
const BATCH_BYTES = 1 << 18;

export class RowBatch {
  /** The number of rows that the reference had to encode. */
  referred = 0;
  readonly #encoder: RowEncoder;
  readonly #take: TakeRow;
  readonly #kernel: Kernel | null;
  readonly #atBytes: number = 0;
  readonly #atRows: number = 0;
  readonly #atFound: number = 0;
  readonly #bytes: Uint8Array = new Uint8Array(0);
  readonly #rows: Int32Array = new Int32Array(0);
  readonly #key = new Int32Array(4);
  #filled = 0;
  #count = 0;

  /** `take` gets each row, in the order in which they came. The last ones arrive with `flush`. */
  constructor(encoder: RowEncoder, take: TakeRow) {
    this.#encoder = encoder;
    this.#take = take;
    this.#kernel = Kernel.of(encoder.shape, encoder.keyWords === 2);
    if (!this.#kernel) return;
    this.#atBytes = this.#kernel.reserve(BATCH_BYTES);
    this.#atRows = this.#kernel.reserve(ROWS * ROW_WORDS * 4);
    this.#atFound = this.#kernel.reserve(ROWS * FOUND_WORDS * 4);
    this.#bytes = this.#kernel.bytes.subarray(this.#atBytes, this.#atBytes + BATCH_BYTES);
    this.#rows = this.#kernel.words(this.#atRows, ROWS * ROW_WORDS);
  }

  /** Takes the row from `at` on, which begins with its ctid. Returns the row's end. */
  add(b: Uint8Array, at: number): number {
    const end = this.#endOf(b, at);
    const size = end - at;
    if (!this.#kernel || end > b.length || size > BATCH_BYTES) {
      this.flush();
      this.#byReference(b, at);
      return end;
    }
    if (this.#filled + size > BATCH_BYTES || this.#count === ROWS) this.flush();
    this.#bytes.set(at === 0 && end === b.length ? b : b.subarray(at, end), this.#filled);
    this.#rows[this.#count * ROW_WORDS] = this.#atBytes + this.#filled;
    this.#filled += size;
    this.#rows[this.#count * ROW_WORDS + 1] = this.#atBytes + this.#filled;
    this.#count += 1;
    return end;
  }

  /** Passes on all rows so far. */
  flush(): void {
    const count = this.#count;
    if (!this.#kernel || count === 0) return;
    this.#count = 0;
    this.#filled = 0;
    this.#kernel.exports.encodeRows(this.#atRows, count, this.#atFound);
    const found = this.#kernel.words(this.#atFound, count * FOUND_WORDS);
    const key = this.#key;
    for (let row = 0, at = 0; row < count; row += 1, at += FOUND_WORDS) {
      if (found[at] !== 0) {
        this.#byReference(this.#bytes, this.#rows[row * ROW_WORDS]! - this.#atBytes);
        continue;
      }
      key[0] = found[at + 1]!;
      key[1] = found[at + 2]!;
      key[2] = found[at + 3]!;
      key[3] = found[at + 4]!;
      this.#take(key, found[at + 5]!, found[at + 6]!, found[at + 7]!, found[at + 8]!);
    }
  }

  #byReference(b: Uint8Array, at: number): void {
    const { key, row } = this.#encoder;
    this.referred += 1;
    this.#encoder.fromBinary(b, at + TID_FIELD_BYTES);
    this.#take(key, row[0]!, row[1]!, int32At(b, at + 4), uint16At(b, at + 8));
  }

  #endOf(b: Uint8Array, at: number): number {
    let next = at + TID_FIELD_BYTES;
    for (let left = this.#encoder.encoders.length; left > 0; left -= 1) {
      const size = int32At(b, next);
      next += 4 + (size > 0 ? size : 0);
    }
    return next;
  }
}
