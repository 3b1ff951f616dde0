// Compares the expected rows, as COPY BINARY sends them, with the stream's row hashes in one pass.
// A row that is not proven equal becomes a candidate.
import type { Shape } from './row-comparison.js';
import { KeyTable, keyText } from './enc/key-table.js';
import { RowEncoder } from './enc/row.js';
import { TID_FIELD_BYTES, tidText } from './enc/row-place.js';
import { RowBatch } from './kernel/row-batch.js';
import { int32At } from '../domain/values/bytes.js';

/** A row that is not proven equal. The drill-down reads its raw rows on both sides. */
export interface Candidate {
  /**
   * The row's place in the table, as Postgres prints it: `(12,3)`. It is valid within the snapshot.
   */
  readonly ctid: string;
  readonly key: string;
}

/**
 * The maximum number of candidates that are compared row by row. Further candidates are only
 * counted.
 */
export const MAX_CANDIDATES = 5000;

export class HashComparison {
  readonly #table: KeyTable;
  readonly #encoder: RowEncoder;
  /** Rows that are not yet hashed and judged. Every getter first hashes and judges these rows. */
  readonly #waiting: RowBatch;
  #rowsRead = 0;
  #matched = 0;
  readonly #suspects = { missing: 0, mismatched: 0, unknown: 0 };
  #duplicates = 0;
  readonly #candidates: Candidate[] = [];
  #lastKey: Int32Array = new Int32Array(4);

  constructor(table: KeyTable, encoder: RowEncoder) {
    this.#table = table;
    this.#encoder = encoder;
    this.#waiting = new RowBatch(encoder, this.judge.bind(this));
    table.beginPass();
  }

  get rowsRead(): number {
    this.#waiting.flush();
    return this.#rowsRead;
  }

  get matched(): number {
    this.#waiting.flush();
    return this.#matched;
  }

  /**
   * The number of keys that are not proven equal, by problem. A key is `missing` if the stream
   * lacks it, `mismatched` if its row differs, and `unknown` if its row cannot be decoded.
   */
  get suspects(): Readonly<Record<'missing' | 'mismatched' | 'unknown', number>> {
    this.#waiting.flush();
    return this.#suspects;
  }

  /** The number of rows whose key has already occurred in this pass. Such a key is not unique. */
  get duplicates(): number {
    this.#waiting.flush();
    return this.#duplicates;
  }

  get candidates(): readonly Candidate[] {
    this.#waiting.flush();
    return this.#candidates;
  }

  /** The key of the last row. */
  get lastKey(): string {
    this.#waiting.flush();
    return keyText(this.#lastKey.subarray(0, this.#encoder.keyWords));
  }

  get suspected(): number {
    const { missing, mismatched, unknown } = this.suspects;
    return missing + mismatched + unknown;
  }

  /**
   * True if at least `MAX_CANDIDATES` rows are not proven equal, and these are more than half of
   * the rows read so far. Further rows probably differ for the same reason, so reading can stop.
   */
  get isSystematic(): boolean {
    return this.suspected >= MAX_CANDIDATES && this.suspected > this.rowsRead / 2;
  }

  /**
   * Takes one row that begins at `at`: its ctid, then the shape's columns. Returns the offset at
   * which the row ends.
   */
  add(b: Uint8Array, at: number): number {
    return this.#waiting.add(b, at);
  }

  /** Compares one row, which is given as its key, its hash and its place (block and item). */
  judge(key: Int32Array, high: number, low: number, block: number, item: number): void {
    this.#rowsRead += 1;
    this.#lastKey = key;
    const slot = this.#table.find(key);
    if (slot < 0) {
      this.#suspects.missing += 1;
      return this.#keep(key, block, item);
    }
    if (!this.#table.mark(slot)) this.#duplicates += 1;
    if (this.#table.isUndecodable(slot) || (high === 0 && low === 0)) this.#suspects.unknown += 1;
    else if (this.#table.rowEquals(slot, high, low)) {
      this.#matched += 1;
      return;
    } else this.#suspects.mismatched += 1;
    this.#keep(key, block, item);
  }

  /**
   * Returns the number of keys that only the stream has, and at most `MAX_CANDIDATES` of these
   * keys.
   */
  finish(): { extraneous: number; keys: string[] } {
    const extraneous = this.#table.size - (this.rowsRead - this.suspects.missing - this.duplicates);
    return { extraneous, keys: extraneous > 0 ? this.#table.unmarked(MAX_CANDIDATES) : [] };
  }

  #keep(key: Int32Array, block: number, item: number): void {
    if (this.#candidates.length >= MAX_CANDIDATES) return;
    this.#candidates.push({
      ctid: tidText(block, item),
      key: keyText(key.subarray(0, this.#encoder.keyWords)),
    });
  }
}

/** The key of the row that the canary adds to the stream. A real row is unlikely to have it. */
const CANARY_KEY = Int32Array.of(0x736c, 0x75696365, 0x63616e, 0x617279);

/**
 * Runs the canary of a comparison by hashes, on rows of this window. On the stream's side, it sets
 * values to NULL, drops rows, and adds one row. The comparison must report exactly these faults. It
 * would also report a row that cannot be decoded, so such rows are left out.
 */
export function runHashCanary(
  shape: Shape,
  rows: readonly Uint8Array[],
): { planted: number; found: number } {
  const encoder = new RowEncoder(shape);
  const table = new KeyTable(encoder.keyWords);
  const decoded = rows.filter((row) => {
    encoder.fromBinary(row, TID_FIELD_BYTES);
    return encoder.row[0] !== 0 || encoder.row[1] !== 0;
  });
  const planted = plantFaults(shape, decoded, encoder, table);
  const comparison = new HashComparison(table, encoder);
  for (const row of decoded) comparison.add(row, 0);
  const { extraneous } = comparison.finish();
  const { missing, mismatched, unknown } = comparison.suspects;
  return { planted, found: missing + mismatched + unknown + extraneous };
}

/**
 * Fills `table` with the rows of a faulty stream. Some values are NULL, some rows are missing, and
 * one row is extra. Returns the number of faults.
 */
export function plantFaults(
  shape: Shape,
  rows: readonly Uint8Array[],
  encoder: RowEncoder,
  table: KeyTable,
): number {
  let planted = 1;
  table.set(CANARY_KEY, 1, 1);
  rows.forEach((row, at) => {
    const damaged = at % 3 === 0 ? withNull(shape, row) : at % 3 === 1 ? null : row;
    if (damaged !== row) planted += 1;
    if (damaged === null) return;
    encoder.fromBinary(damaged, TID_FIELD_BYTES);
    table.set(encoder.key, encoder.row[0]!, encoder.row[1]!);
  });
  return planted;
}

/** Copies the row with one non-key value set to NULL. Returns null if the row has no such value. */
function withNull(shape: Shape, row: Uint8Array): Uint8Array | null {
  let at = TID_FIELD_BYTES;
  for (const column of shape.columns) {
    const size = int32At(row, at);
    const next = at + 4 + Math.max(size, 0);
    if (size >= 0 && !shape.key.includes(column.name)) {
      const damaged = new Uint8Array(row.length - size);
      damaged.set(row.subarray(0, at));
      damaged.fill(0xff, at, at + 4);
      damaged.set(row.subarray(next), at + 4);
      return damaged;
    }
    at = next;
  }
  return null;
}
