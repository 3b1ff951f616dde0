// Encodes a whole row in `enc-v1` (scratch.ts). Computes the identity of its key and the row's
// hash. The input is a COPY BINARY row, the values of a JSON object, or canonical texts.
import { Undecodable } from '../undecodable.js';
import type { Shape } from '../row-comparison.js';
import type { Canon } from '../column-types.js';
import { writeCanon } from './canon.js';
import { encoderOf, type ColumnEncoder } from './column.js';
import { hash128 } from './hash.js';
import { isWord } from './json-scan.js';
import { keyText } from './key-table.js';
import { int32At } from '../../domain/values/bytes.js';
import { Scratch, TAG_NULL, TAG_VALUE } from './scratch.js';

const INTEGERS = new Set(['int2', 'int4', 'int8']);
const KEY_SEED = 0x6b6579;
const ROW_SEED = 0x726f77;
const NULL = Buffer.from('null');
const LETTER_N = 0x6e;

/** The place of each column's JSON value in a buffer. A start of -1 means that it is absent. */
export interface Fields {
  readonly start: Int32Array;
  readonly end: Int32Array;
}

export class RowEncoder {
  /**
   * The number of words in a key's identity. A key of one integer is its own identity, in two
   * words. Any other key has its 128-bit hash as its identity, in four words.
   */
  readonly keyWords: 2 | 4;
  readonly key = new Int32Array(4);
  /**
   * The hash of the last row, in the first two words of the array. Both words are 0 if the row
   * could not be decoded. A real hash is never 0.
   */
  readonly row = new Int32Array(4);
  readonly encoders: readonly ColumnEncoder[];
  readonly shape: Shape;
  readonly #keyAt: readonly number[];
  readonly #scratch = new Scratch();

  /** With `hashesKey`, the identity of every key is its hash, so that keys may be NULL. */
  constructor(shape: Shape, { hashesKey = false } = {}) {
    this.shape = shape;
    this.encoders = shape.columns.map((column) => encoderOf(column.type));
    this.#keyAt = shape.key.map((name) =>
      shape.columns.findIndex((column) => column.name === name),
    );
    const only = this.#keyAt.length === 1 ? shape.columns[this.#keyAt[0]!] : undefined;
    this.keyWords = only && INTEGERS.has(only.type) && !hashesKey ? 2 : 4;
  }

  /** Returns `key` as text, which is unique for each identity. */
  get keyText(): string {
    return keyText(this.key.subarray(0, this.keyWords));
  }

  /** Sets `key`. Throws Undecodable if a value of the key is absent, NULL or cannot be decoded. */
  keyFromJson(b: Uint8Array, fields: Fields): void {
    const scratch = this.#scratch;
    scratch.reset();
    for (const column of this.#keyAt) {
      if (b[fields.start[column]!] === LETTER_N) throw new Undecodable('a key is never NULL');
      this.#jsonValue(b, fields, column);
    }
    this.#setKey();
  }

  /**
   * Sets `key` from the canonical texts of the key's columns. A column may be NULL if keys are
   * hashed.
   */
  keyFromCanon(values: readonly Canon[]): void {
    this.#scratch.reset();
    this.#keyAt.forEach((column, at) => this.#canonValue(column, values[at]!));
    this.#setKey();
  }

  /** Sets `row` from the canonical texts of all columns. Null makes the row undecodable. */
  rowFromCanon(values: readonly Canon[] | null): void {
    if (values === null) return this.#undecodable();
    this.#scratch.reset();
    values.forEach((value, column) => this.#canonValue(column, value));
    this.#setRow();
  }

  #canonValue(column: number, value: Canon): void {
    writeCanon(this.shape.columns[column]!.type, value, this.#scratch);
  }

  /** Sets `row`. A value that cannot be decoded makes the whole row undecodable. */
  rowFromJson(b: Uint8Array, fields: Fields): void {
    this.#scratch.reset();
    try {
      for (let column = 0; column < this.encoders.length; column += 1)
        this.#jsonValue(b, fields, column);
    } catch (error) {
      if (!(error instanceof Undecodable || error instanceof SyntaxError)) throw error;
      return this.#undecodable();
    }
    this.#setRow();
  }

  /**
   * Sets `key` and `row` from the fields of a COPY BINARY row that starts at `at`. Returns the end
   * of the row. Throws Undecodable if the key cannot be decoded.
   */
  fromBinary(b: Uint8Array, at: number): number {
    const scratch = this.#scratch;
    const count = this.encoders.length;
    const starts = this.#starts;
    let next = at;
    for (let column = 0; column < count; column += 1) {
      starts[column] = next;
      const size = int32At(b, next);
      next += 4 + (size > 0 ? size : 0);
    }
    scratch.reset();
    for (const column of this.#keyAt) this.#binaryValue(b, starts[column]!, column);
    this.#setKey();
    scratch.reset();
    try {
      for (let column = 0; column < count; column += 1)
        this.#binaryValue(b, starts[column]!, column);
      this.#setRow();
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      this.#undecodable();
    }
    return next;
  }

  readonly #starts: number[] = [];

  #jsonValue(b: Uint8Array, fields: Fields, column: number): void {
    const start = fields.start[column]!;
    if (start < 0) throw new Undecodable('the field is absent');
    // Only the whole word `null` means NULL, because some writers print NaN as `nan`.
    if (b[start] === LETTER_N && isWord(b, start, fields.end[column]!, NULL)) {
      this.#scratch.u8(TAG_NULL);
      return;
    }
    this.#scratch.u8(TAG_VALUE);
    this.encoders[column]!.fromJson(b, start, fields.end[column]!, this.#scratch);
  }

  #binaryValue(b: Uint8Array, at: number, column: number): void {
    const size = int32At(b, at);
    if (size < 0) {
      this.#scratch.u8(TAG_NULL);
      return;
    }
    this.#scratch.u8(TAG_VALUE);
    this.encoders[column]!.fromBinary(b, at + 4, size, this.#scratch);
  }

  #setKey(): void {
    const { key } = this;
    const scratch = this.#scratch;
    if (this.keyWords === 2) {
      if (scratch.length !== 9) throw new Undecodable('a key is never NULL');
      key[0] = scratch.view.getInt32(1);
      key[1] = scratch.view.getInt32(5);
    } else {
      hash128(scratch, KEY_SEED, key);
    }
  }

  #setRow(): void {
    hash128(this.#scratch, ROW_SEED, this.row);
    if (this.row[0] === 0 && this.row[1] === 0) this.row[1] = 1;
  }

  #undecodable(): void {
    this.row[0] = 0;
    this.row[1] = 0;
  }
}
