// Finds the changes that an initial load in chunks overwrote. Debezium may read a chunk without a
// change that it has already written to the topic. The first chunk is read while another thread
// writes changes. Also, a commit can be in the WAL before any other session sees it. The record of
// the chunk (`op` is r) then has an older row, but comes after the change. After the load, such a
// record is the last of its key. If it was newer than the change, a later change would follow it.
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER } from '../domain/values/toast-placeholder.js';
import { hash128 } from './enc/hash.js';
import { OPEN, walkObject } from './enc/json-scan.js';
import { KeyTable } from './enc/key-table.js';
import { Scratch } from './enc/scratch.js';
import { loadEnvelope } from './load-envelope.js';

/** The position of a change that has none. It is less than any other. */
const NO_POSITION = 0n;
const WORD = 32n;

/** Receives the records of one partition, in their order. It keeps a hash of each changed key. */
export class OverwrittenChanges {
  /**
   * The row's hash is that of the row after the newest change. The note is the position of that
   * change (two words), and the hash of the row's columns.
   */
  readonly #keys = new KeyTable(4, 1024, true);
  readonly #overwritten = new Set<string>();
  readonly #scratch = new Scratch();
  readonly #key = new Int32Array(4);
  readonly #row = new Int32Array(4);
  readonly #columns = new Int32Array(4);

  /** The number of rows whose last record is older than another one. */
  get count(): number {
    return this.#overwritten.size;
  }

  /** Returns whether the last record of a key is older than another one. */
  has(key: Buffer): boolean {
    return this.#overwritten.has(textOf(key));
  }

  /** Receives a record with key and value as JSON. Ignores tombstones, which follow a deletion. */
  add(key: Buffer | null, value: Buffer | null): void {
    const record = key && value && loadEnvelope(value);
    if (!record) return;
    this.#hash(key, this.#key);
    const slot = this.#keys.find(this.#key);
    if (record.op === 'r') {
      if (slot >= 0) this.#mark(key, this.#isOlder(slot, record.after));
      return;
    }
    this.#hash(record.after, this.#row);
    const [high, low] = [this.#row[0]!, this.#row[1]!];
    const position = record.position ?? NO_POSITION;
    if (slot >= 0 && position !== NO_POSITION && position <= this.#positionAt(slot)) {
      // a change that was written again, by the connector after a crash or by Sluice
      this.#mark(key, !this.#keys.rowEquals(slot, high, low));
      return;
    }
    // An omitted TOAST value refers to the record before, which may be too old.
    this.#mark(key, this.has(key) && omitsValues(record.after));
    const at = this.#keys.set(this.#key, high, low);
    this.#keys.setNote(at, ...wordsOf(position), this.#columnsOf(record.after));
  }

  /**
   * Returns whether a row of the load differs from the row after the newest change. A row with
   * different columns does not count: a change of the table's definition writes no changes.
   */
  #isOlder(slot: number, loaded: Buffer): boolean {
    this.#hash(loaded, this.#row);
    if (this.#keys.rowEquals(slot, this.#row[0]!, this.#row[1]!)) return false;
    const columns = this.#keys.note(slot, 2);
    return columns === 0 || columns === this.#columnsOf(loaded);
  }

  #positionAt(slot: number): bigint {
    const [high, low] = [this.#keys.note(slot, 0), this.#keys.note(slot, 1)].map((word) =>
      BigInt.asUintN(32, BigInt(word)),
    );
    return (high! << WORD) | low!;
  }

  /** Returns the hash of the row's column names, or 0 if the row was deleted. */
  #columnsOf(row: Buffer): number {
    if (row[0] !== OPEN) return 0;
    const names: string[] = [];
    walkObject(row, 0, row.length, (name) => names.push(name));
    this.#hash(Buffer.from(names.join('\n')), this.#columns);
    return this.#columns[0]! | 1;
  }

  #mark(key: Buffer, isOverwritten: boolean): void {
    if (isOverwritten) this.#overwritten.add(textOf(key));
    else if (this.#overwritten.size > 0) this.#overwritten.delete(textOf(key));
  }

  #hash(bytes: Buffer, out: Int32Array): void {
    this.#scratch.reset();
    this.#scratch.sized(bytes, 0, bytes.length);
    hash128(this.#scratch, 0, out);
  }
}

/**
 * Receives the records of the overwritten keys, in their order, and keeps the offsets of their
 * changes. All changes of a key must be repeated, because a change omits the TOAST values that it
 * did not set. A change that the topic already has twice is kept once.
 */
export class ChangesToRepeat {
  readonly offsets: number[] = [];
  readonly #newest = new Map<string, { readonly position: bigint; readonly isKept: boolean }>();

  /** Receives a record with key and value as JSON. A tombstone belongs to the record before it. */
  add(offset: number, key: Buffer, value: Buffer | null): void {
    const known = this.#newest.get(textOf(key));
    if (value === null) {
      if (known?.isKept) this.offsets.push(offset);
      return;
    }
    const record = loadEnvelope(value);
    if (!record) return;
    const position = record.position ?? NO_POSITION;
    const isRepeat = known !== undefined && position !== NO_POSITION && position <= known.position;
    const isKept = record.op !== 'r' && !isRepeat;
    if (isKept) this.offsets.push(offset);
    const newest = isKept ? position : (known?.position ?? NO_POSITION);
    this.#newest.set(textOf(key), { position: newest, isKept });
  }
}

const textOf = (key: Buffer): string => key.toString('latin1');

const wordsOf = (position: bigint): [high: number, low: number] => [
  Number(BigInt.asIntN(32, position >> WORD)),
  Number(BigInt.asIntN(32, position)),
];

const omitsValues = (row: Buffer): boolean =>
  row.includes(TOAST_PLACEHOLDER) || row.includes(PLACEHOLDER_BASE64);
