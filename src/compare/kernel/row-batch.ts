// Encodes rows of COPY BINARY in batches. The kernel encodes the rows that it understands, and the
// TypeScript reference (enc/) encodes the others.
import { int32At } from '../../domain/values/bytes.js';
import { TID_FIELD_BYTES, blockAt, itemAt } from '../enc/row-place.js';
import type { RowEncoder } from '../enc/row.js';
import { Kernel } from './kernel.js';

/** Receives a row's key, hash and place (block and item). The key's array is reused. */
export type TakeRow = (
  key: Int32Array,
  high: number,
  low: number,
  block: number,
  item: number,
) => void;

const ROWS = 1024;
const ROW_WORDS = 2;
const FOUND_WORDS = 9;
const BATCH_BYTES = 1 << 18;

/** The regions of the kernel's memory that a batch uses. */
interface Memory {
  readonly kernel: Kernel;
  readonly bytes: Uint8Array;
  readonly rows: Int32Array;
  readonly found: Int32Array;
  readonly atBytes: number;
  readonly atRows: number;
  readonly atFound: number;
}

function memoryFor(encoder: RowEncoder): Memory | null {
  const kernel = Kernel.of(encoder.shape, encoder.keyWords === 2);
  if (!kernel) return null;
  const atBytes = kernel.reserve(BATCH_BYTES);
  const atRows = kernel.reserve(ROWS * ROW_WORDS * 4);
  const atFound = kernel.reserve(ROWS * FOUND_WORDS * 4);
  return {
    kernel,
    bytes: kernel.bytes.subarray(atBytes, atBytes + BATCH_BYTES),
    rows: kernel.words(atRows, ROWS * ROW_WORDS),
    found: kernel.words(atFound, ROWS * FOUND_WORDS),
    atBytes,
    atRows,
    atFound,
  };
}

export class RowBatch {
  /** The number of rows that the reference had to encode. */
  referred = 0;
  readonly #encoder: RowEncoder;
  readonly #take: TakeRow;
  readonly #key = new Int32Array(4);
  /** Undefined before the first row. Null for a shape that the kernel does not know. */
  #memory: Memory | null | undefined;
  #filled = 0;
  #count = 0;
  /** The bytes that contain the row that `take` gets. The row is in `[#from, #to)`. */
  #bytes: Uint8Array = new Uint8Array();
  #from = 0;
  #to = 0;

  /**
   * `take` gets the rows in the order in which they were added. The last rows wait for `flush`.
   */
  constructor(encoder: RowEncoder, take: TakeRow) {
    this.#encoder = encoder;
    this.#take = take;
  }

  /** The row that `take` gets, which begins with its ctid. It is valid only during that call. */
  get current(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#to);
  }

  /** Takes the row that begins at `at` with its ctid. Returns the offset at which the row ends. */
  add(b: Uint8Array, at: number): number {
    if (this.#memory === undefined) this.#memory = memoryFor(this.#encoder);
    const end = this.#endOf(b, at);
    const size = end - at;
    if (!this.#memory || end > b.length || size > BATCH_BYTES) {
      this.flush();
      this.#byReference(b, at, end);
      return end;
    }
    if (this.#filled + size > BATCH_BYTES || this.#count === ROWS) this.flush();
    const { bytes, rows, atBytes } = this.#memory;
    bytes.set(at === 0 && end === b.length ? b : b.subarray(at, end), this.#filled);
    rows[this.#count * ROW_WORDS] = atBytes + this.#filled;
    this.#filled += size;
    rows[this.#count * ROW_WORDS + 1] = atBytes + this.#filled;
    this.#count += 1;
    return end;
  }

  /** Passes all rows that were added so far to `take`. */
  flush(): void {
    const count = this.#count;
    if (!this.#memory || count === 0) return;
    this.#count = 0;
    this.#filled = 0;
    const { kernel, bytes, rows, found, atBytes, atRows, atFound } = this.#memory;
    kernel.exports.encodeRows(atRows, count, atFound);
    const key = this.#key;
    for (let row = 0, at = 0; row < count; row += 1, at += FOUND_WORDS) {
      const from = rows[row * ROW_WORDS]! - atBytes;
      const to = rows[row * ROW_WORDS + 1]! - atBytes;
      if (found[at] !== 0) {
        this.#byReference(bytes, from, to);
        continue;
      }
      this.#show(bytes, from, to);
      key[0] = found[at + 1]!;
      key[1] = found[at + 2]!;
      key[2] = found[at + 3]!;
      key[3] = found[at + 4]!;
      this.#take(key, found[at + 5]!, found[at + 6]!, found[at + 7]!, found[at + 8]!);
    }
  }

  #show(b: Uint8Array, from: number, to: number): void {
    this.#bytes = b;
    this.#from = from;
    this.#to = to;
  }

  #byReference(b: Uint8Array, at: number, to: number): void {
    const { key, row } = this.#encoder;
    this.referred += 1;
    this.#show(b, at, to);
    this.#encoder.fromBinary(b, at + TID_FIELD_BYTES);
    this.#take(key, row[0]!, row[1]!, blockAt(b, at), itemAt(b, at));
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
