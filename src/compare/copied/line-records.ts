// Writes rows of COPY's text format as records. SnapshotWriter in write-debezium-json.ts writes the
// same bytes. This code is faster: for common values, it makes no strings and no objects.
import { Problem } from '../../domain/failure.js';
import {
  columnWriters,
  encoded,
  snapshotEnd,
  type ReplayTable,
  type Written,
} from '../write-debezium-json.js';
import { fieldWriterOf, MOST_ADDED, MOST_GROWTH, REFERRED, type WriteField } from './fields.js';
import { unescaped } from './unescaped.js';

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const NULL = Buffer.from('null');
const HEAD = Buffer.from('{"before":null,"after":{');

interface LineColumn {
  readonly written: Written;
  readonly write: WriteField | undefined;
  /** The name and colon of the JSON field, with a comma before them unless the field is first. */
  readonly before: Buffer;
}

export class LineRecords {
  /** The last bytes of every record's value. They are the same for all rows, and not in `bytes`. */
  readonly end: Buffer;
  /** The value and the key of the last row. They are valid until the next call of `write`. */
  bytes = Buffer.alloc(1 << 12);
  valueFrom = 0;
  valueTo = 0;
  keyFrom = 0;
  keyTo = 0;
  readonly #columns: readonly LineColumn[];
  readonly #keyOrder: readonly number[];
  /** The maximum size of everything around the values. */
  readonly #around: number;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  /** Throws Undecodable for a type that cannot be written. */
  constructor(table: ReplayTable, atMs: number) {
    this.#columns = columnWriters(table.columns).map((written, at) => ({
      written,
      write: fieldWriterOf(table.columns[at]!.type),
      before: Buffer.from(at === 0 ? written.field : `,${written.field}`),
    }));
    this.#keyOrder = table.key.map((name) => table.columns.findIndex((c) => c.name === name));
    this.end = Buffer.from(snapshotEnd(table, atMs));
    this.#starts = new Int32Array(table.columns.length);
    this.#ends = new Int32Array(table.columns.length);
    const names = this.#columns.reduce((sum, { before }) => sum + before.length + MOST_ADDED, 0);
    this.#around = HEAD.length + names;
    this.bytes.set(HEAD);
  }

  /**
   * Writes the row in `line`, which ends with a line feed. Throws Undecodable, which names the
   * column, for a value that cannot be written. Throws Problem `unsupported` if the line does not
   * have one field for each column.
   */
  write(line: Buffer): void {
    const columns = this.#columns;
    const end = line.length - 1;
    this.#reserve(0, line.length * MOST_GROWTH + this.#around);
    let at = HEAD.length;
    let from = 0;
    for (let column = 0; column < columns.length; column += 1) {
      if (from > end) throw changed();
      let to = from;
      while (to < end && line[to] !== TAB) to += 1;
      at = this.#field(column, line, from, to, at);
      from = to + 1;
    }
    if (from !== end + 1 || line[end] !== NEWLINE) throw changed();
    this.valueTo = at;
    this.#writeKey();
  }

  /** Writes the field in `[from, to)` of `line`. Returns the end of its value. */
  #field(column: number, line: Buffer, from: number, to: number, at: number): number {
    const { before, write, written } = this.#columns[column]!;
    let next = at;
    let out = this.bytes;
    for (let i = 0; i < before.length; i += 1) out[next++] = before[i]!;
    this.#starts[column] = column === 0 ? at : at + 1;
    let end = REFERRED;
    if (to - from === 2 && line[from] === BACKSLASH && line[from + 1] === LETTER_N) {
      out.set(NULL, next);
      end = next + NULL.length;
    } else if (write) {
      end = write(line, from, to, out, next);
    }
    if (end === REFERRED) {
      const value = encoded(written, unescaped(line, from, to));
      const rest = (line.length - to) * MOST_GROWTH + this.#around;
      this.#reserve(next, Buffer.byteLength(value) + rest);
      out = this.bytes;
      end = next + out.write(value, next, 'utf8');
    }
    this.#ends[column] = end;
    return end;
  }

  /** Writes the key after the value. Its fields are the same as in the value. */
  #writeKey(): void {
    this.#reserve(this.valueTo, this.valueTo + 2 * this.#keyOrder.length);
    const out = this.bytes;
    let at = this.valueTo;
    this.keyFrom = at;
    for (const column of this.#keyOrder) {
      out[at] = at === this.keyFrom ? OPEN : COMMA;
      at += 1;
      const end = this.#ends[column]!;
      for (let i = this.#starts[column]!; i < end; i += 1) out[at++] = out[i]!;
    }
    out[at] = CLOSE;
    this.keyTo = at + 1;
  }

  /** Ensures room for `more` bytes after the first `used` bytes, which are kept. */
  #reserve(used: number, more: number): void {
    if (used + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.ceil(1.25 * (used + more)));
    this.bytes.copy(larger, 0, 0, Math.max(used, HEAD.length));
    this.bytes = larger;
  }
}

const changed = (): Problem =>
  new Problem(
    'unsupported',
    "COPY returned a row with a different number of columns, because the table's columns changed during the read",
  );
