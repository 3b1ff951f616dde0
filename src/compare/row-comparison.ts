// Compares the expected rows, which Postgres returned, with the rows of the stream. It compares the
// canonical texts of their values (column-types.ts).
import { NO_COUNTS, type Counts } from '../domain/evidence/counts.js';
import type { Difference } from '../domain/evidence/window.js';
import { withinTolerance } from './tolerance.js';

export interface ComparedColumn {
  readonly name: string;
  readonly type: string;
  /**
   * The largest absolute difference that still counts as equal (decimal text). Absent means exact.
   */
  readonly toleranceAbs?: string | undefined;
}

export interface Shape {
  readonly key: readonly string[];
  /** All compared columns, including the key columns, in a fixed order. */
  readonly columns: readonly ComparedColumn[];
}

/** Returns whether a column has a tolerance. Hashes cannot apply tolerances. */
export const hasTolerance = (shape: Shape): boolean =>
  shape.columns.some((column) => column.toleranceAbs !== undefined);

/**
 * Explains why a row has no canonical form. `column` is the first column without a canonical text,
 * and `found` shows its value. If `column` is null, `found` describes the whole record.
 */
export interface WhyNot {
  readonly class: 'type' | 'undecodable';
  readonly column: string | null;
  readonly found: string;
}

/**
 * A row of the stream: canonical values joined by `joinRow`, or null if it could not be decoded.
 */
export interface StreamRow {
  readonly row: string | null;
  readonly why?: WhyNot | undefined;
  /** The partition of the row's record. Only some comparisons use it. */
  readonly partition?: number;
  /** The hash of the bytes of the record's key. Only the fold of an output uses it. */
  readonly spelling?: number;
  /** True if a window proved this row equal to the source's row at that time. */
  proven?: boolean;
  /** The number of the window that last found the row's key among the expected rows. */
  mark: number;
}

export const joinRow = (values: readonly (string | null)[]): string => JSON.stringify(values);
export const splitRow = (row: string): (string | null)[] => JSON.parse(row) as (string | null)[];

const MAX_KEPT = 1000;

/**
 * Compares the expected rows with a map of the stream's rows in one pass. `finish` then reports the
 * rows that only the stream has.
 */
export class Comparison {
  readonly counts: { -readonly [name in keyof Counts]: number } = { ...NO_COUNTS };
  readonly differences: Difference[] = [];
  rowsRead = 0;
  /** The number of rows whose key has already occurred. Such a key is not unique. */
  duplicates = 0;
  readonly #shape: Shape;
  readonly #stream: ReadonlyMap<string, StreamRow>;
  readonly #mark: number;
  #found = 0;

  constructor(shape: Shape, stream: ReadonlyMap<string, StreamRow>, mark: number) {
    this.#shape = shape;
    this.#stream = stream;
    this.#mark = mark;
  }

  /** Takes one expected row. `row` is null if Postgres' values could not be decoded. */
  add(key: string, row: string | null): void {
    this.rowsRead += 1;
    const other = this.#stream.get(key);
    if (!other) {
      this.counts.missing += 1;
      this.#keep({
        class: 'missing',
        key: this.#keyOf(key),
        column: null,
        batch: row,
        stream: null,
      });
      return;
    }
    if (other.mark === this.#mark) this.duplicates += 1;
    else this.#found += 1;
    other.mark = this.#mark;
    const keep = (found: Difference): void =>
      this.#keep(
        other.proven && found.class === 'mismatched' ? { ...found, class: 'stale' } : found,
      );
    const outcome = compareRows(this.#shape, key, row, other.row, keep, other.why);
    this.counts[outcome] += 1;
    if (outcome === 'matched') other.proven = true; // a newer record of the key gets a new entry
  }

  finish(): { counts: Counts; differences: readonly Difference[] } {
    if (this.#found < this.#stream.size) {
      for (const [key, entry] of this.#stream) {
        if (entry.mark === this.#mark) continue;
        this.counts.extraneous += 1;
        this.#keep({
          class: 'extraneous',
          key: this.#keyOf(key),
          column: null,
          batch: null,
          stream: entry.row,
        });
      }
    }
    return { counts: this.counts, differences: this.differences };
  }

  #keyOf(key: string): Record<string, string | null> {
    return keyRecord(this.#shape, key);
  }

  #keep(difference: Difference): void {
    if (this.differences.length < MAX_KEPT) this.differences.push(difference);
  }
}

/**
 * Compares two rows of one key and reports the differences. If a row is undecodable on one side,
 * the key is unknown, never equal. There is one exception: if only the stream's row is undecodable,
 * and the reason is a value of a wrong type, the key is mismatched.
 */
export function compareRows(
  shape: Shape,
  key: string,
  expected: string | null,
  actual: string | null,
  report: (difference: Difference) => void,
  why?: WhyNot,
): 'matched' | 'mismatched' | 'unknown' {
  if (expected === null || actual === null) {
    const at = why ? shape.columns.findIndex((column) => column.name === why.column) : -1;
    const batch = expected !== null && at >= 0 ? (splitRow(expected)[at] ?? null) : expected;
    const isWrong = expected !== null && why?.class === 'type';
    report({
      class: isWrong ? 'type' : 'undecodable',
      key: keyRecord(shape, key),
      column: why?.column ?? null,
      batch,
      stream: actual ?? why?.found ?? null,
    });
    return isWrong ? 'mismatched' : 'unknown';
  }
  if (expected === actual) return 'matched';
  const [left, right] = [splitRow(expected), splitRow(actual)];
  const differing = shape.columns.filter(
    (column, at) =>
      left[at] !== right[at] &&
      !withinTolerance(left[at] ?? null, right[at] ?? null, column.toleranceAbs),
  );
  for (const column of differing) {
    const at = shape.columns.indexOf(column);
    report({
      class: 'mismatched',
      key: keyRecord(shape, key),
      column: column.name,
      batch: left[at] ?? null,
      stream: right[at] ?? null,
    });
  }
  return differing.length > 0 ? 'mismatched' : 'matched';
}

export function keyRecord(shape: Shape, key: string): Record<string, string | null> {
  const values = splitRow(key);
  return Object.fromEntries(shape.key.map((name, at) => [name, values[at] ?? null]));
}
