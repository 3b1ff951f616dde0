// Compares the rows of a query with the hashes of the stream's rows in one pass. It counts every
// key, and keeps the raw rows of the first suspects, because the query runs only once.
import { hasTolerance, type Shape } from './row-comparison.js';
import { KeyTable, keyOf, keyText } from './enc/key-table.js';
import { KeyTableMemory } from './key-table-memory.js';
import { ROW, asProven, isProven, kindOf } from './output-note.js';

/** A key that is not proven equal. */
export interface Suspect {
  /** The identity of the key, in the form of `keyText`. */
  readonly key: string;
  /**
   * The row of the query, as COPY BINARY with a ctid field. Null if only the stream has the key.
   */
  readonly row: Uint8Array | null;
  /** The note of the stream's row (see output-note.ts). Null if only the query has the key. */
  readonly note: readonly [first: number, second: number] | null;
  /** The hash of the stream's row. Two zeros if only the query has the key. */
  readonly hash: readonly [high: number, low: number];
}

export interface SuspectLimits {
  /** The maximum number of the query's rows that are kept. */
  readonly suspects: number;
  /** If the kept rows have this size (in bytes) or more, no further row is kept. */
  readonly bytes: number;
  /** The limit for kept keys that only the stream has. */
  readonly onlyStream: number;
}

/** Suspects beyond these limits are counted, but not examined. The first suspect is always kept. */
export const SUSPECT_LIMITS: SuspectLimits = {
  suspects: 5000,
  bytes: 32 << 20,
  onlyStream: 5000,
};

/** With a tolerance, more suspects are examined, because many of them may be equal. */
export const TOLERANT_LIMITS: SuspectLimits = {
  suspects: 100_000,
  bytes: 64 << 20,
  onlyStream: 5000,
};

export const limitsFor = (shape: Shape): SuspectLimits =>
  hasTolerance(shape) ? TOLERANT_LIMITS : SUSPECT_LIMITS;

export const NOTHING_FOUND = {
  rowsRead: 0,
  duplicates: 0,
  matched: 0,
  missing: 0,
  extraneous: 0,
  mismatched: 0,
  unknown: 0,
};

export type Found = Readonly<typeof NOTHING_FOUND>;

export class ResultComparison {
  readonly #table: KeyTable;
  readonly #limits: SuspectLimits;
  /** Keys of the query that the stream does not have. */
  readonly #missing: KeyTable;
  readonly #suspects: Suspect[] = [];
  readonly #counts = { rowsRead: 0, duplicates: 0, matched: 0, mismatched: 0, unknown: 0 };
  readonly #memory: KeyTableMemory;
  #bytes = 0;

  constructor(table: KeyTable, limits = SUSPECT_LIMITS, memory = new KeyTableMemory(Infinity)) {
    this.#table = table;
    this.#limits = limits;
    this.#memory = memory;
    this.#missing = new KeyTable(4);
    table.beginPass();
  }

  /** The size of the rows that are kept, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Compares one row of `HashedRows`. Throws Outgrown if the missing keys need too much memory. */
  judge(key: Int32Array, high: number, low: number, row: () => Uint8Array): void {
    const counts = this.#counts;
    const table = this.#table;
    const isDecoded = high !== 0 || low !== 0;
    counts.rowsRead += 1;
    const slot = table.find(key);
    if (slot < 0) {
      if (this.#missing.find(key) >= 0) counts.duplicates += 1;
      this.#memory.set(this.#missing, key, 1, 1);
      return this.#keep(key, row, -1);
    }
    if (!table.mark(slot)) counts.duplicates += 1;
    const first = table.note(slot, 0);
    const kind = kindOf(first);
    if (isDecoded && kind === ROW.decoded && table.rowEquals(slot, high, low)) {
      counts.matched += 1;
      this.#setProven(slot);
      return;
    }
    const isUnknown = !isDecoded || kind === ROW.undecodable || isRowless(table, slot, kind);
    if (isUnknown) counts.unknown += 1;
    else counts.mismatched += 1;
    this.#keep(key, row, slot);
  }

  /**
   * Returns the counts and the first suspects, in the order of the query. The keys that only the
   * stream has follow at the end.
   */
  finish(): { found: Found; suspects: readonly Suspect[] } {
    const counts = this.#counts;
    const missing = this.#missing.size;
    const keysFound = counts.rowsRead - counts.duplicates - missing;
    const extraneous = this.#table.size - keysFound;
    const keys = extraneous > 0 ? this.#table.unmarked(this.#limits.onlyStream) : [];
    const only = keys.map((key) => this.#suspect(key, null, this.#table.find(keyOf(key))));
    return { found: { ...counts, missing, extraneous }, suspects: [...this.#suspects, ...only] };
  }

  /** Marks the stream's row of a key as proven, as `judge` does for rows of equal hashes. */
  prove(key: string): void {
    const slot = this.#table.find(keyOf(key));
    if (slot >= 0) this.#setProven(slot);
  }

  #setProven(slot: number): void {
    const table = this.#table;
    const [first, second, third] = [table.note(slot, 0), table.note(slot, 1), table.note(slot, 2)];
    table.setNote(slot, asProven(first), second, third);
  }

  #keep(key: Int32Array, row: () => Uint8Array, slot: number): void {
    const { suspects, bytes } = this.#limits;
    const kept = this.#suspects.length;
    if (kept >= suspects || (kept > 0 && this.#bytes >= bytes)) return;
    const raw = Uint8Array.from(row());
    this.#bytes += raw.length;
    this.#suspects.push(this.#suspect(keyText(key), raw, slot));
  }

  #suspect(key: string, row: Uint8Array | null, slot: number): Suspect {
    const table = this.#table;
    if (slot < 0) return { key, row, note: null, hash: [0, 0] };
    const note = [table.note(slot, 0), table.note(slot, 1)] as const;
    return { key, row, note, hash: table.rowOf(slot) };
  }
}

/** A sink's table has no notes, so its undecodable rows are recognized by their hash of 0. */
const isRowless = (table: KeyTable, slot: number, kind: number): boolean =>
  kind === ROW.decoded && table.isUndecodable(slot);

export const wasProven = ({ note }: Suspect): boolean => note !== null && isProven(note[0]);
