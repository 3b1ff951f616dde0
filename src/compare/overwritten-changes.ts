// Finds the changes that an initial load in chunks overwrote. Debezium may read a chunk without a
// change that it has already written to the topic, for two reasons. It reads the first chunk while
// another thread writes changes. Also, a commit can be in the WAL before any other session sees it.
// The record of the chunk (`op` is r) then has an older row, but comes after the change. After the
// load, such a record is the last of its key. If its row were newer than the change, the record of
// a later change would follow it.
import { KeyHash } from './enc/key-hash.js';
import { KeyTable } from './enc/key-table.js';
import { loadEnvelope, type LoadEnvelope } from './load-envelope.js';
import { RowShapes } from './row-shapes.js';

/** Used for a change that has no position. It is less than any real position. */
const NO_POSITION = 0n;
const WORD = 32n;

/** Receives the records of one partition, in their order. It keeps a hash of each changed key. */
export class OverwrittenChanges {
  /**
   * The hash of each key's row after the key's newest change. The note contains the position of
   * that change (two words), and the number of the row's shape (row-shapes.ts).
   */
  readonly #keys = new KeyTable(4, 1024, true);
  readonly #shapes: RowShapes;
  readonly #overwritten = new Set<string>();
  /** The keys whose newest change a row of the load overwrote. */
  readonly #byLoad = new Set<string>();
  readonly #repeated = new Set<string>();
  readonly #hash = new KeyHash();

  /**
   * `isWhole` says that every change has all values of its row: the replica identity is FULL, or
   * the table has no TOAST table. Otherwise, a change may omit values that it did not set.
   */
  constructor(isWhole: boolean) {
    this.#shapes = new RowShapes(isWhole);
  }

  /** The number of rows whose last record is older than another one. */
  get count(): number {
    return this.#overwritten.size;
  }

  /** The number of rows whose newest change the load overwrote, and that got this change again. */
  get repeated(): number {
    return this.#repeated.size;
  }

  /** Returns whether the last record of a key is older than another one. */
  has(key: Buffer): boolean {
    return this.#overwritten.has(textOf(key));
  }

  /** Receives a record with key and value as JSON. Ignores tombstones, which follow a deletion. */
  add(key: Buffer | null, value: Buffer | null): void {
    const record = key && value && loadEnvelope(value);
    if (!record) return;
    const hash = this.#hash.of(key);
    const slot = this.#keys.find(hash);
    const isLoaded = record.op === 'r';
    if (slot >= 0 && (isLoaded || isRepeat(record, this.#positionAt(slot)))) {
      const isOlder = this.#isOlder(slot, record.after);
      if (!isLoaded && !isOlder && this.#byLoad.has(textOf(key))) this.#repeated.add(textOf(key));
      this.#mark(key, isOlder);
      if (isLoaded && isOlder) this.#byLoad.add(textOf(key));
    } else if (!isLoaded) this.#change(key, hash, record);
  }

  #change(key: Buffer, hash: Int32Array, { after, position }: LoadEnvelope): void {
    this.#mark(key, false);
    const shape = this.#shapes.of(after);
    const [high, low] = this.#shapes.hash(after, shape);
    const at = this.#keys.set(hash, high, low);
    this.#keys.setNote(at, ...wordsOf(position ?? NO_POSITION), shape);
  }

  /** Returns whether a row certainly differs from the row after the newest change. */
  #isOlder(slot: number, row: Buffer): boolean {
    const shape = this.#keys.note(slot, 2);
    if (!this.#shapes.areComparable(row, shape)) return false;
    return !this.#keys.rowEquals(slot, ...this.#shapes.hash(row, shape));
  }

  #positionAt(slot: number): bigint {
    const [high, low] = [this.#keys.note(slot, 0), this.#keys.note(slot, 1)].map((word) =>
      BigInt.asUintN(32, BigInt(word)),
    );
    return (high! << WORD) | low!;
  }

  #mark(key: Buffer, isOverwritten: boolean): void {
    if (isOverwritten) this.#overwritten.add(textOf(key));
    else if (this.#overwritten.size > 0) {
      this.#overwritten.delete(textOf(key));
      this.#byLoad.delete(textOf(key));
    }
  }
}

/**
 * Receives the records of the overwritten keys, in their order, and finds the newest change of each
 * key. If that change deleted the row, its tombstone is repeated as well.
 */
export class ChangesToRepeat {
  readonly #newest = new Map<string, { position: bigint; offsets: number[]; isLast: boolean }>();

  /** The offsets of the records that must be written again, in their order. */
  get offsets(): number[] {
    return [...this.#newest.values()].flatMap(({ offsets }) => offsets).sort((a, b) => a - b);
  }

  /** Receives a record with key and value as JSON. A tombstone belongs to the record before it. */
  add(offset: number, key: Buffer, value: Buffer | null): void {
    const known = this.#newest.get(textOf(key));
    if (value === null) {
      if (known?.isLast) known.offsets.push(offset);
      return;
    }
    const record = loadEnvelope(value);
    if (record === null || record.op === 'r' || (known && isRepeat(record, known.position))) {
      if (known) known.isLast = false;
      return;
    }
    const position = record.position ?? NO_POSITION;
    this.#newest.set(textOf(key), { position, offsets: [offset], isLast: true });
  }
}

/** True for a change that was written again, by the connector after a crash or by Sluice. */
const isRepeat = ({ position }: LoadEnvelope, newest: bigint): boolean =>
  position !== null && position <= newest;

const textOf = (key: Buffer): string => key.toString('latin1');

const wordsOf = (position: bigint): [high: number, low: number] => [
  Number(BigInt.asIntN(32, position >> WORD)),
  Number(BigInt.asIntN(32, position)),
];
