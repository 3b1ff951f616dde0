// Holds the layout of the module's memory, which the host sets once for each shape.

/**
 * The number of bytes that describe one column: its type, its name (pointer and length), and the
 * place of its value in the record.
 */
export const COLUMN_BYTES: i32 = 24;
const NAME: i32 = 4;
const NAME_LENGTH: i32 = 8;
const START: i32 = 12;
const END: i32 = 16;
const ESCAPED: i32 = 20;

/** Stands for the column of a value whose name is not in the shape. */
export const NO_COLUMN: i32 = -1;

/**
 * The maximum size of a record or row, in bytes. The TypeScript reference encodes longer ones, so
 * that every encoding here fits into the scratch memory.
 */
export const MOST_BYTES: i32 = 1 << 18;

export let columns: usize = 0;
export let columnCount: i32 = 0;
export let keys: usize = 0;
export let keyCount: i32 = 0;
export let isIntegerKey: bool = false;
export let powers: usize = 0;
export let scratch: usize = 0;

/**
 * Sets the layout. The columns of the key are at `atKeys` as 32-bit numbers, and the table of
 * float.ts is at `atPowers`. The memory at `atScratch` has room for the longest encoding.
 */
export function configure(
  atColumns: usize,
  columnsInAll: i32,
  atKeys: usize,
  keysInAll: i32,
  hasIntegerKey: bool,
  atPowers: usize,
  atScratch: usize,
): void {
  columns = atColumns;
  columnCount = columnsInAll;
  keys = atKeys;
  keyCount = keysInAll;
  isIntegerKey = hasIntegerKey;
  powers = atPowers;
  scratch = atScratch;
}

export function typeOf(column: i32): i32 {
  return load<i32>(columns + <usize>(column * COLUMN_BYTES));
}

export function nameOf(column: i32): usize {
  return load<u32>(columns + <usize>(column * COLUMN_BYTES), NAME);
}

export function nameLength(column: i32): i32 {
  return load<i32>(columns + <usize>(column * COLUMN_BYTES), NAME_LENGTH);
}

/** Returns where the column's value begins in the last record. 0 means that it is absent. */
export function startOf(column: i32): usize {
  return load<u32>(columns + <usize>(column * COLUMN_BYTES), START);
}

export function endOf(column: i32): usize {
  return load<u32>(columns + <usize>(column * COLUMN_BYTES), END);
}

/** Returns whether the value is a string with escapes. */
export function isEscaped(column: i32): bool {
  return load<i32>(columns + <usize>(column * COLUMN_BYTES), ESCAPED) != 0;
}

export function setValue(column: i32, start: usize, end: usize, escaped: bool): void {
  const place = columns + <usize>(column * COLUMN_BYTES);
  store<u32>(place, <u32>start, START);
  store<u32>(place, <u32>end, END);
  store<i32>(place, escaped ? 1 : 0, ESCAPED);
}

// The kinds of values in Avro, as `SCALAR` of avro/schema-types.ts has them.
export const NULL_VALUE: i32 = 0;
export const BOOLEAN: i32 = 1;
export const LONG: i32 = 2;
export const FLOAT: i32 = 3;
export const DOUBLE: i32 = 4;
export const BYTES: i32 = 5;
export const STRING: i32 = 6;

/** Returns the kind of the column's value in the last record in Avro. */
export function kindOf(column: i32): i32 {
  return load<i32>(columns + <usize>(column * COLUMN_BYTES), ESCAPED);
}

/** Sets the place and the kind of a column's value in Avro. */
export function setKind(column: i32, start: usize, end: usize, kind: i32): void {
  const place = columns + <usize>(column * COLUMN_BYTES);
  store<u32>(place, <u32>start, START);
  store<u32>(place, <u32>end, END);
  store<i32>(place, kind, ESCAPED);
}

/** Marks every column as absent. */
export function clearValues(): void {
  for (let column = 0; column < columnCount; column += 1) setValue(column, 0, 0, false);
}

export function keyColumn(at: i32): i32 {
  return load<i32>(keys + <usize>(at * 4));
}

/**
 * The kinds of a change, as enc/change.ts has them. The reference must encode an unclear record.
 */
export const KIND_SNAPSHOT: i32 = 0;
export const KIND_UPSERT: i32 = 1;
export const KIND_DELETE: i32 = 2;
export const UNCLEAR: i32 = -1;
