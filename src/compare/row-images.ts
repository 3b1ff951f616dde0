// Reads the row images of a table's records: key, transaction, and the row's values. An update
// omits a TOAST value that it did not change. The value is then taken from an earlier record.
import { canonFromJson } from './column-types.js';
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER } from '../domain/values/toast-placeholder.js';
import { PLACEHOLDER_HSTORE } from './types/hstore.js';
import { Undecodable } from './undecodable.js';
import { refuseWiderKey } from './refused.js';
import { joinRow, type Shape } from './row-comparison.js';
import { memberOf, parseJsonLossless } from './json.js';
import { readerOf } from './waiting-changes.js';

export type Image = Readonly<Record<string, unknown>>;

/** The row of a key, as the records that were read so far describe it. */
export interface KeyState {
  /** Null if the key has no row. */
  readonly image: Image | null;
  /** Columns whose value these records do not contain. */
  readonly open: ReadonlySet<string>;
}

export interface ImageRecord {
  readonly key: string;
  /** Null if the record has no transaction: a row of a connector's snapshot, or a tombstone. */
  readonly txId: number | null;
  /**
   * The transaction of the connector's snapshot that read the row, or 0 if it is unknown. Null if
   * no snapshot read the row.
   */
  readonly loadedBy: number | null;
  /** Null if the record deletes the row. */
  readonly image: Image | null;
  /** True if the record inserted the row, so the key had no row before this record. */
  readonly isInsert: boolean;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const NONE: ReadonlySet<string> = new Set();
const NO_TRANSACTION = { txId: null, loadedBy: null, isInsert: false };

/** Returns the key of a record as canonical text. Throws an Error if it cannot be read. */
export function keyOfRecord(shape: Shape, key: Buffer): string {
  const fields = parseJsonLossless(UTF8.decode(key)) as Image;
  refuseWiderKey(fields, shape);
  const values = shape.key.map((name) =>
    canonFromJson(typeOf(shape, name), memberOf(fields, name)),
  );
  if (values.includes(null)) throw new Undecodable('a key is never NULL');
  return joinRow(values);
}

/**
 * Reads one record of a connector. `value` is null for a tombstone. Throws an Error if the record
 * cannot be read.
 */
export function imageOf(shape: Shape, key: Buffer, value: Buffer | null): ImageRecord {
  const name = keyOfRecord(shape, key);
  if (value === null) return { ...NO_TRANSACTION, key: name, image: null };
  const { op, after, source } = parseJsonLossless(UTF8.decode(value)) as {
    readonly op?: string;
    readonly after?: Image | null;
    readonly source?: { readonly txId?: number | null };
  };
  const txId = source?.txId;
  if (op === 'r' && after)
    return { ...NO_TRANSACTION, key: name, image: after, loadedBy: readerOf(txId) };
  if (typeof txId !== 'number') throw new Undecodable('no source.txId');
  const change = { key: name, txId, loadedBy: null };
  if (op === 'd') return { ...change, image: null, isInsert: false };
  if (!after || (op !== 'c' && op !== 'u')) throw new Undecodable(`operation ${op} without a row`);
  return { ...change, image: after, isInsert: op === 'c' };
}

/**
 * Returns the state after one more record. A column that the record omits keeps its earlier value.
 */
export function stateAfter(
  shape: Shape,
  before: KeyState | undefined,
  image: Image | null,
): KeyState {
  if (image === null) return { image, open: NONE };
  const open = shape.columns.filter(({ name }) => isLeftOut(image[name])).map(({ name }) => name);
  return open.length === 0 ? { image, open: NONE } : filled({ image, open: new Set(open) }, before);
}

/** Fills the open columns of a state with values of an older state. */
export function filled(newer: KeyState, older: KeyState | undefined): KeyState {
  if (newer.image === null || !older?.image) return newer;
  const image = { ...newer.image };
  const open = new Set<string>();
  for (const name of newer.open) {
    if (older.open.has(name)) open.add(name);
    else image[name] = older.image[name];
  }
  return { image, open };
}

export const isLeftOut = (value: unknown): boolean =>
  value === TOAST_PLACEHOLDER ||
  value === PLACEHOLDER_BASE64 ||
  value === PLACEHOLDER_HSTORE ||
  (Array.isArray(value) && value.length === 1 && isLeftOut(value[0]));

const typeOf = (shape: Shape, name: string): string =>
  shape.columns.find((column) => column.name === name)!.type;
