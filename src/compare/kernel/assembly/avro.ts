// Encodes change events in Avro, in the wire format of a schema registry. The host compiles each
// schema into steps (avro/kernel-steps.ts), and sets a table of schemas. A record that has a
// different schema, or a value that is not understood here, is left to the TypeScript reference
// (enc/).
import { scalarFromAvro } from './column';
import { DELETE, SNAPSHOT, isChange } from './envelope';
import { partitionOf } from './hash';
import { at, isAtEnd, isBroken, open, readLong, take } from './input';
import {
  BOOLEAN,
  BYTES,
  DOUBLE,
  FLOAT,
  KIND_DELETE,
  KIND_SNAPSHOT,
  KIND_UPSERT,
  LONG,
  MOST_BYTES,
  NULL_VALUE,
  STRING,
  UNCLEAR,
  clearValues,
  columnCount,
  keyColumn,
  keyCount,
  kindOf,
  scratch,
  setKind,
  startOf,
} from './layout';
import { writeKey, writeRow } from './words';

/**
 * A step has four words: the kind of value, the branch that is null, its use, and a jump. For a
 * record that is null, the jump leads to the step after the record.
 */
const STEP_BYTES: usize = 16;
const NULL_AT: usize = 4;
const USE: usize = 8;
const JUMP: usize = 12;
/** The members of a record follow, unless the record is null. */
const RECORD: i32 = 7;
const END: i32 = 8;
/** Uses of a value. A use of 0 or more is a column. */
const OPERATION: i32 = -2;
const TRANSACTION: i32 = -3;
const BEFORE: i32 = -4;
const AFTER: i32 = -5;

const HEADER_BYTES: usize = 5;
/** An entry of the table of schemas: the id, and the address of its steps. */
const SCHEMA_BYTES: usize = 8;
const NO_STEPS: usize = 0;

const ownKey: usize = memory.data(16);
let operation: u8 = 0;
let transaction: i64 = -1;
let hasBefore: bool = false;
let hasAfter: bool = false;

/** Reads a value by the steps of its schema. Returns false for a value that is not understood. */
function walk(steps: usize, from: usize, to: usize): bool {
  open(from, to);
  let step = steps;
  while (load<i32>(step) != END) {
    const kind = load<i32>(step);
    const nullAt = load<i32>(step, NULL_AT);
    const use = load<i32>(step, USE);
    let isNull = false;
    if (nullAt >= 0) {
      const branch = readLong();
      if (branch < 0 || branch > 1) return false;
      isNull = <i32>branch == nullAt;
    }
    if (kind == RECORD && isNull) {
      step = steps + load<u32>(step, JUMP);
      continue;
    }
    step += STEP_BYTES;
    if (kind == RECORD) enter(use);
    else if (!isNull) readValue(kind, use);
    else if (use >= 0) setKind(use, from, from, NULL_VALUE);
    if (isBroken) return false;
  }
  return isAtEnd();
}

/** Begins a row, if the record is a row. The row after a change replaces the row before it. */
function enter(use: i32): void {
  if (use != BEFORE && use != AFTER) return;
  clearValues();
  if (use == BEFORE) hasBefore = true;
  else hasAfter = true;
}

function readValue(kind: i32, use: i32): void {
  let start = at;
  if (kind == STRING || kind == BYTES) {
    const length = readLong();
    start = take(length);
    if (use == OPERATION) operation = length == 1 && !isBroken ? load<u8>(start) : 0;
  } else if (kind == LONG) {
    const value = readLong();
    if (use == TRANSACTION) transaction = value;
  } else if (kind == BOOLEAN) {
    take(1);
    if (load<u8>(start) > 1) take(-1); // neither true nor false
  } else take(kind == DOUBLE ? 8 : kind == FLOAT ? 4 : 0);
  if (use >= 0) setKind(use, start, at, kind);
}

/** Returns the id of the schema, or -1 if the bytes are not in the wire format. */
function schemaOf(from: usize, to: usize): i64 {
  if (to - from < HEADER_BYTES || load<u8>(from) != 0) return -1;
  return <i64>bswap<u32>(load<u32>(from, 1));
}

function stepsOf(id: i64, schemas: usize, count: i32): usize {
  for (let schema = 0; schema < count; schema += 1) {
    const entry = schemas + <usize>schema * SCHEMA_BYTES;
    if (<i64>load<u32>(entry) == id) return load<u32>(entry, 4);
  }
  return NO_STEPS;
}

/** Does for a record in Avro what `encodeRecord` of index.ts does for a record in JSON. */
export function encodeAvro(
  record: usize,
  change: usize,
  partition: i32,
  partitions: i32,
  schemas: usize,
  count: i32,
  keySchema: u32,
): i32 {
  const keyStart = load<i32>(record);
  const keyEnd = load<i32>(record, 4);
  const start = load<i32>(record, 8);
  const stop = load<i32>(record, 12);
  if (keyStart < 0 || start < 0 || stop - start > MOST_BYTES) return UNCLEAR;
  if (keyEnd - keyStart > MOST_BYTES) return UNCLEAR;
  if (partitions > 1 && partitionOf(keyStart, keyEnd, partitions) != partition) return UNCLEAR;
  if (schemaOf(keyStart, keyEnd) != <i64>keySchema) return UNCLEAR;
  const keySteps = stepsOf(keySchema, schemas, count);
  const steps = stepsOf(schemaOf(start, stop), schemas, count);
  if (keySteps == NO_STEPS || steps == NO_STEPS) return UNCLEAR;
  clearValues();
  if (!walk(keySteps, <usize>keyStart + HEADER_BYTES, keyEnd) || !keyFromAvro(ownKey))
    return UNCLEAR;
  operation = 0;
  transaction = -1;
  hasBefore = false;
  hasAfter = false;
  clearValues();
  if (!walk(steps, <usize>start + HEADER_BYTES, stop) || !keyFromAvro(change + 4)) return UNCLEAR;
  if (load<u64>(ownKey) != load<u64>(change, 4) || load<u64>(ownKey, 8) != load<u64>(change, 12))
    return UNCLEAR;
  return finished(change);
}

/** Writes the transaction and the row's hash. Returns the kind of the change. */
function finished(change: usize): i32 {
  if (operation == DELETE ? !hasBefore || hasAfter : !hasAfter) return UNCLEAR;
  if (transaction < 0 || transaction > MOST_TRANSACTION) {
    if (operation != SNAPSHOT) return UNCLEAR;
    transaction = 0;
  }
  if (operation != SNAPSHOT && !isChange(operation)) return UNCLEAR;
  store<u32>(change, <u32>(transaction >> 32), 28);
  store<u32>(change, <u32>transaction, 32);
  if (operation == DELETE) {
    store<u64>(change, 0, 20);
    return KIND_DELETE;
  }
  if (!rowFromAvro(change + 20)) return UNCLEAR;
  return operation == SNAPSHOT ? KIND_SNAPSHOT : KIND_UPSERT;
}
const MOST_TRANSACTION: i64 = 999_999_999_999_999;

function keyFromAvro(out: usize): bool {
  let to = scratch;
  for (let key = 0; key < keyCount; key += 1) {
    const column = keyColumn(key);
    if (startOf(column) == 0 || kindOf(column) == NULL_VALUE) return false;
    store<u8>(to, 1);
    to = scalarFromAvro(column, to + 1);
    if (to == 0) return false;
  }
  return writeKey(to, out);
}

function rowFromAvro(out: usize): bool {
  let to = scratch;
  for (let column = 0; column < columnCount; column += 1) {
    if (startOf(column) == 0) return false;
    const isNull = kindOf(column) == NULL_VALUE;
    store<u8>(to, isNull ? 0 : 1);
    to = isNull ? to + 1 : scalarFromAvro(column, to + 1);
    if (to == 0) return false;
  }
  writeRow(to, out);
  return true;
}
