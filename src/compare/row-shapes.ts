// Compares two rows of a connector's records by hashes, if it is certain that both contain the
// compared values. A change may omit TOAST values that it did not set. Such a value arrives as a
// placeholder, or as null for some types.
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER } from '../domain/values/toast-placeholder.js';
import { hash128 } from './enc/hash.js';
import { OPEN, walkObject } from './enc/json-scan.js';
import { Scratch } from './enc/scratch.js';
import { Undecodable } from './undecodable.js';

/** The columns of a row, and those whose value may be omitted. */
interface Shape {
  readonly names: string;
  readonly open: ReadonlySet<string>;
}

/** The shape of a deleted row. It differs from every row. */
const DELETED = 0;
/** The shape of a row that cannot be compared. */
const UNKNOWN = 1;
/** With more shapes than this, new ones are unknown. */
const MOST_SHAPES = 10_000;
const NULL = 'null';

export class RowShapes {
  readonly #isWhole: boolean;
  readonly #shapes: Shape[] = [DELETED, UNKNOWN].map(() => ({ names: '', open: new Set() }));
  readonly #numbers = new Map<string, number>();
  readonly #scratch = new Scratch();
  readonly #hash = new Int32Array(4);

  /** `isWhole` says that no row omits values. */
  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  /** Returns the number of a row's shape. `row` is JSON: an object, or null for a deleted row. */
  of(row: Buffer): number {
    if (row[0] !== OPEN) return DELETED;
    if (!this.#isWhole && omitsValues(row)) return UNKNOWN;
    const nulls: string[] = [];
    const names = this.#namesOf(row, nulls);
    if (names === null) return UNKNOWN;
    const open = this.#isWhole ? [] : nulls;
    const text = JSON.stringify([names, open]);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#shapes.length >= MOST_SHAPES) return UNKNOWN;
    this.#numbers.set(text, this.#shapes.length);
    return this.#shapes.push({ names, open: new Set(open) }) - 1;
  }

  /**
   * Returns whether a row can be compared with a row of this shape. A row with other columns
   * cannot, because the table was altered in between, and no record says how.
   */
  areComparable(row: Buffer, shape: number): boolean {
    if (shape === UNKNOWN) return false;
    if (shape === DELETED || row[0] !== OPEN) return true;
    return this.#namesOf(row, []) === this.#shapes[shape]!.names;
  }

  /** Returns the hash of a row without the columns that are open in this shape. */
  hash(row: Buffer, shape: number): [high: number, low: number] {
    this.#scratch.reset();
    const { open } = this.#shapes[shape]!;
    if (row[0] === OPEN && shape !== UNKNOWN)
      walkObject(row, 0, row.length, (name, start, end) => {
        if (!open.has(name)) this.#scratch.sized(row, start, end);
      });
    else this.#scratch.u8(DELETED);
    hash128(this.#scratch, 0, this.#hash);
    return [this.#hash[0]!, this.#hash[1]!];
  }

  /** Returns the names of a row's columns as text, or null if the row cannot be read. */
  #namesOf(row: Buffer, nulls: string[]): string | null {
    const names: string[] = [];
    try {
      walkObject(row, 0, row.length, (name, start, end) => {
        names.push(name);
        if (row.toString('latin1', start, end) === NULL) nulls.push(name);
      });
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      return null;
    }
    return JSON.stringify(names);
  }
}

/** The bytes of the placeholder as a list of numbers, which int4[] and int8[] have. */
const PLACEHOLDER_NUMBERS = [...Buffer.from(TOAST_PLACEHOLDER)].join(',');

const omitsValues = (row: Buffer): boolean =>
  [TOAST_PLACEHOLDER, PLACEHOLDER_BASE64, PLACEHOLDER_NUMBERS].some((text) => row.includes(text));
