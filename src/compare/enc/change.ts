// Encodes a table's change events as numbers. Each event takes a fixed number of words in a typed
// array, which a thread can send to another thread.
import { Undecodable, WiderKey } from '../undecodable.js';
import type { Shape } from '../row-comparison.js';
import { REFUSED, whyRefused } from '../refused.js';
import { EnvelopeScanner } from './envelope.js';
import { partitionOf } from '../../domain/values/partition.js';
import { RowEncoder } from './row.js';

/**
 * The number of 32-bit words of one change. One is for its kind, four for the key, two for the
 * row's hash, and two for the transaction. For a refused change, the word after the kind is the
 * reason, and the last two words are the record's offset.
 */
export const CHANGE_WORDS = 9;
export const KIND = { snapshot: 0, upsert: 1, delete: 2, unreadable: 3, tombstone: 4 } as const;
const TWO_32 = 4294967296;
/** The words in place of a row's hash for a change that has no row. */
const NO_ROW = new Int32Array(4);

export class Changes {
  words = new Int32Array(CHANGE_WORDS * 1024);
  count = 0;

  reset(): void {
    this.count = 0;
  }

  push(kind: number, key: Int32Array, row: Int32Array, txId: number): void {
    const at = this.count * CHANGE_WORDS;
    this.#reserve(at + CHANGE_WORDS);
    const { words } = this;
    words[at] = kind;
    words[at + 1] = key[0]!;
    words[at + 2] = key[1]!;
    words[at + 3] = key[2]!;
    words[at + 4] = key[3]!;
    words[at + 5] = row[0]!;
    words[at + 6] = row[1]!;
    words[at + 7] = Math.floor(txId / TWO_32);
    words[at + 8] = txId | 0;
    this.count += 1;
  }

  /** Adds changes that are already encoded as words. */
  append(changes: Int32Array): void {
    const at = this.count * CHANGE_WORDS;
    this.#reserve(at + changes.length);
    this.words.set(changes, at);
    this.count += changes.length / CHANGE_WORDS;
  }

  #reserve(length: number): void {
    if (length <= this.words.length) return;
    const grown = new Int32Array(Math.max(length, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
  }
}

/**
 * Returns the transaction of the change whose words begin at `at`. For a refused change, returns
 * the offset of its record.
 */
export const txIdAt = (words: Int32Array, at: number): number =>
  words[at + 7]! * TWO_32 + (words[at + 8]! >>> 0);

export class ChangeEncoder {
  readonly encoder: RowEncoder;
  readonly #scanner: EnvelopeScanner;
  readonly #key: KeyReader;
  readonly #why = new Int32Array(4);

  constructor(shape: Shape) {
    this.#scanner = new EnvelopeScanner(shape);
    this.encoder = new RowEncoder(shape);
    this.#key = new KeyReader(shape);
  }

  /**
   * Adds the change of a record, whose key and value are ranges of `bytes`. Refuses the record if
   * it has no key, if its key or operation cannot be read, or if its key belongs to a different
   * row. If there are several partitions, also refuses a record that is not in its key's partition.
   */
  encode(
    { partition, partitions }: Place,
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
    out: Changes,
  ): void {
    if (keyStart < 0) return this.#refuse(REFUSED.noKey, offset, out);
    if (partitions > 1 && partitionOf(bytes, keyStart, keyEnd, partitions) !== partition)
      return this.#refuse(REFUSED.misplaced, offset, out);
    const scanner = this.#scanner;
    const { encoder } = this;
    try {
      if (start < 0)
        return out.push(KIND.tombstone, this.#key.read(bytes, keyStart, keyEnd), NO_ROW, 0);
      scanner.scan(bytes, start, end);
      encoder.keyFromJson(bytes, scanner);
      if (!scanner.isKeyOfRow(bytes, keyStart, keyEnd) && !this.#isSameKey(bytes, keyStart, keyEnd))
        return this.#refuse(REFUSED.foreignKey, offset, out);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return this.#refuse(whyRefused(error), offset, out);
    }
    if (scanner.op === 'd') return out.push(KIND.delete, encoder.key, NO_ROW, scanner.txId);
    encoder.rowFromJson(bytes, scanner);
    out.push(
      scanner.op === 'r' ? KIND.snapshot : KIND.upsert,
      encoder.key,
      encoder.row,
      scanner.txId,
    );
  }

  /**
   * Returns whether the record's key is the key of its row, even if spaces or the order of columns
   * differ.
   */
  #isSameKey(bytes: Buffer, keyStart: number, keyEnd: number): boolean {
    const key = this.#key.read(bytes, keyStart, keyEnd);
    return key.every((word, at) => at >= this.encoder.keyWords || word === this.encoder.key[at]);
  }

  #refuse(why: number, offset: number, out: Changes): void {
    this.#why[0] = why;
    out.push(KIND.unreadable, this.#why, NO_ROW, offset);
  }
}

/** The place of a record. `partitions` is 0 if the partition cannot be checked. */
export interface Place {
  readonly partition: number;
  readonly partitions: number;
}

/** Reads a record's own key, which is an object of the table's key columns. */
export class KeyReader {
  readonly encoder: RowEncoder;
  readonly #scanner: EnvelopeScanner;

  constructor(shape: Shape) {
    const columns = shape.key.map((name) => shape.columns.find((column) => column.name === name)!);
    const keyOnly: Shape = { key: shape.key, columns };
    this.#scanner = new EnvelopeScanner(keyOnly);
    this.encoder = new RowEncoder(keyOnly);
  }

  /**
   * Returns the words of the key, which are valid until the next call. Throws Undecodable if the
   * key cannot be decoded. Throws WiderKey if it has more columns than the table's key.
   */
  read(bytes: Buffer, start: number, end: number): Int32Array {
    this.#scanner.scanObject(bytes, start, end);
    if (this.#scanner.members > this.encoder.shape.columns.length) throw new WiderKey();
    this.encoder.keyFromJson(bytes, this.#scanner);
    return this.encoder.key;
  }
}

export const isUnreadable = (error: unknown): boolean =>
  error instanceof Undecodable || error instanceof SyntaxError;
