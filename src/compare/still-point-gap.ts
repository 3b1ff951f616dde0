// Finds the gap: the rows that differ between a snapshot of the source and a topic at a still
// point. The still point has an end offset for each partition (the ends). A row is in the gap for
// one of two reasons: the snapshot sees a change whose record is at or after the ends, or the
// snapshot does not see a change whose record is before the ends. In both cases, the row is taken
// from the topic as it was at the ends.
import { isReadLater, isVisible, type SnapshotVisibility } from '../domain/values/position.js';
import type { Shape } from './row-comparison.js';
import {
  filled,
  imageOf,
  isLeftOut,
  NONE,
  stateAfter,
  type Image,
  type ImageRecord,
  type KeyState,
} from './row-images.js';

/** The row of a key at the ends of the topic. */
export interface RowAtEnds {
  readonly key: string;
  /** Null if the topic has no row. */
  readonly image: Image | null;
  /**
   * Columns whose values at the ends are not in the records, because the WAL omits unchanged
   * TOASTed values. The snapshot has the same values: it sees the row, and no change after the ends
   * that the snapshot sees has set these columns.
   */
  readonly inSnapshot: ReadonlySet<string>;
}

export class Gap {
  readonly #shape: Shape;
  readonly #ends: ReadonlyMap<number, number>;
  readonly #snapshot: SnapshotVisibility;
  readonly #atEnds = new Map<string, KeyState>();
  readonly #keys = new Set<string>();
  /**
   * Keys that have a record of an insert before the ends, which the snapshot does not see. If an
   * UPDATE changes a row's key, Debezium writes such a record for the new key. It omits the row's
   * TOASTed values that did not change. The snapshot has no row with the new key, or an unrelated
   * one.
   */
  readonly #unseenInserts = new Set<string>();
  /** Keys that have a record at or after the ends. */
  readonly #later = new Set<string>();
  /** Columns that records at or after the ends changed, in transactions that the snapshot sees. */
  readonly #touched = new Map<string, Set<string>>();

  /**
   * Creates an empty gap. `ends` has the end of each partition. All records that are added MUST be
   * of one topic.
   */
  constructor(shape: Shape, ends: ReadonlyMap<number, number>, snapshot: SnapshotVisibility) {
    this.#shape = shape;
    this.#ends = ends;
    this.#snapshot = snapshot;
  }

  /** Takes a record, in offset order of its partition. Throws an Error if it cannot be read. */
  add(partition: number, offset: number, key: Buffer | null, value: Buffer | null): void {
    if (key === null) throw new Error('a record has no key');
    const record = imageOf(this.#shape, key, value);
    const isSeen = this.#isSeen(record);
    if (offset < (this.#ends.get(partition) ?? 0)) {
      const before = this.#atEnds.get(record.key);
      this.#atEnds.set(record.key, stateAfter(this.#shape, before, record.image));
      if (isSeen) return;
      this.#keys.add(record.key);
      if (record.isInsert) this.#unseenInserts.add(record.key);
      return;
    }
    if (record.isInsert && !this.#later.has(record.key) && !this.#atEnds.has(record.key))
      this.#atEnds.set(record.key, { image: null, open: NONE });
    this.#later.add(record.key);
    if (!isSeen) return;
    this.#keys.add(record.key);
    this.#touch(record);
  }

  #isSeen({ txId, loadedBy }: ImageRecord): boolean {
    if (loadedBy !== null) return !isReadLater(loadedBy, this.#snapshot);
    return txId === null || isVisible(txId, this.#snapshot);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Returns the keys whose row at the ends must still be found further back in the topic. */
  get wanted(): ReadonlySet<string> {
    return new Set([...this.#keys].filter((key) => this.#isWanted(key)));
  }

  /**
   * Takes states of keys. They come from records that are earlier in the topic than the records
   * read so far.
   */
  takeOlder(older: ReadonlyMap<string, KeyState>): void {
    for (const [key, state] of older) {
      const known = this.#atEnds.get(key);
      this.#atEnds.set(key, known ? filled(known, state) : state);
    }
  }

  /**
   * Returns the rows of the gap. The topic MUST have been read to its beginning, or until no key
   * was wanted. A key without a record has no row. A column whose value was not found keeps
   * Debezium's placeholder for an unchanged TOAST value.
   */
  rows(): RowAtEnds[] {
    return [...this.#keys].map((key) => {
      const state = this.#atEnds.get(key);
      const open = this.#unseenInserts.has(key) ? [] : [...(state?.open ?? [])];
      const kept = open.filter((name) => !this.#touched.get(key)?.has(name));
      return { key, image: state?.image ?? null, inSnapshot: new Set(kept) };
    });
  }

  #isWanted(key: string): boolean {
    const state = this.#atEnds.get(key);
    if (!state) return true;
    const touched = this.#touched.get(key);
    return [...state.open].some((name) => touched?.has(name));
  }

  #touch({ key, image }: ImageRecord): void {
    const touched = this.#touched.get(key) ?? new Set();
    for (const { name } of this.#shape.columns)
      if (image === null || !isLeftOut(image[name])) touched.add(name);
    this.#touched.set(key, touched);
  }
}
