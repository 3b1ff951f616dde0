// Encodes and hashes many records or rows in one call. It marks each record or row that it does not
// understand. The TypeScript reference (enc/) then encodes that record or row. The encoding of a
// row is enc-v1.
import { encodeAvro } from './avro';
import { fromBinary, fromJson } from './column';
import { DELETE, SNAPSHOT, isKeyOfRow, operation, scan, transaction } from './envelope';
import { partitionOf } from './hash';
import {
  KIND_DELETE,
  KIND_SNAPSHOT,
  KIND_UPSERT,
  MOST_BYTES,
  UNCLEAR,
  columnCount,
  keyColumn,
  keyCount,
  scratch,
  setValue,
  startOf,
  endOf,
} from './layout';
import { writeKey, writeRow } from './words';

export { crc32c } from './crc';
export { configure } from './layout';

const NULL_JSON: u8 = 0x6e; // the letter n of null

/** A record has four words: the places at which its key and its value begin and end. */
const RECORD_BYTES: usize = 16;
/** A change has nine words, as enc/change.ts describes them. */
const CHANGE_BYTES: usize = 36;

/**
 * Writes the change of each record. Kind -1 means that the reference must encode the record.
 * Returns the number of such records. With more than one partition, a record whose partition does
 * not match its key also gets kind -1.
 */
export function encodeRecords(
  records: usize,
  count: i32,
  changes: usize,
  partition: i32,
  partitions: i32,
): i32 {
  let unclear = 0;
  let record = records;
  let change = changes;
  for (let at = 0; at < count; at += 1) {
    const kind = encodeRecord(record, change, partition, partitions);
    store<i32>(change, kind);
    if (kind == UNCLEAR) unclear += 1;
    record += RECORD_BYTES;
    change += CHANGE_BYTES;
  }
  return unclear;
}

/**
 * Does the same for records in Avro. `schemas` is a table of `schemaCount` schemas. A record whose
 * key has a schema other than `keySchema` also gets kind -1.
 */
export function encodeAvroRecords(
  records: usize,
  count: i32,
  changes: usize,
  partition: i32,
  partitions: i32,
  schemas: usize,
  schemaCount: i32,
  keySchema: u32,
): i32 {
  let unclear = 0;
  let record = records;
  let change = changes;
  for (let at = 0; at < count; at += 1) {
    const kind = encodeAvro(record, change, partition, partitions, schemas, schemaCount, keySchema);
    store<i32>(change, kind);
    if (kind == UNCLEAR) unclear += 1;
    record += RECORD_BYTES;
    change += CHANGE_BYTES;
  }
  return unclear;
}

function encodeRecord(record: usize, change: usize, partition: i32, partitions: i32): i32 {
  const keyStart = load<i32>(record);
  const keyEnd = load<i32>(record, 4);
  const start = load<i32>(record, 8);
  const end = load<i32>(record, 12);
  if (keyStart < 0 || start < 0 || end - start > MOST_BYTES) return UNCLEAR;
  if (partitions > 1 && partitionOf(keyStart, keyEnd, partitions) != partition) return UNCLEAR;
  if (!scan(start, end) || !isKeyOfRow(keyStart, keyEnd)) return UNCLEAR;
  if (!keyFromJson(change + 4)) return UNCLEAR;
  store<u32>(change, <u32>(transaction >> 32), 28);
  store<u32>(change, <u32>transaction, 32);
  if (operation == DELETE) {
    store<u64>(change, 0, 20);
    return KIND_DELETE;
  }
  if (!rowFromJson(change + 20)) return UNCLEAR;
  return operation == SNAPSHOT ? KIND_SNAPSHOT : KIND_UPSERT;
}

function keyFromJson(out: usize): bool {
  let to = scratch;
  for (let key = 0; key < keyCount; key += 1) {
    const column = keyColumn(key);
    const start = startOf(column);
    if (start == 0 || load<u8>(start) == NULL_JSON) return false;
    store<u8>(to, 1);
    to = fromJson(column, to + 1);
    if (to == 0) return false;
  }
  return writeKey(to, out);
}

function rowFromJson(out: usize): bool {
  let to = scratch;
  for (let column = 0; column < columnCount; column += 1) {
    const start = startOf(column);
    if (start == 0) return false;
    if (load<u8>(start) == NULL_JSON) {
      if (endOf(column) - start != 4 || load<u32>(start) != 0x6c6c756e) return false;
      store<u8>(to, 0);
      to += 1;
      continue;
    }
    store<u8>(to, 1);
    to = fromJson(column, to + 1);
    if (to == 0) return false;
  }
  writeRow(to, out);
  return true;
}

/** A row has two words: the places at which its ctid field begins and at which the row ends. */
const ROW_BYTES: usize = 8;
const TID_FIELD_BYTES: usize = 10;
/**
 * An encoded row has nine words: a mark if the row is unclear, its key (4), hash (2), block and
 * item.
 */
const FOUND_BYTES: usize = 36;

/** Encodes each row of COPY BINARY. Returns how many rows the reference must encode. */
export function encodeRows(rows: usize, count: i32, found: usize): i32 {
  let unclear = 0;
  let row = rows;
  let out = found;
  for (let at = 0; at < count; at += 1) {
    const isClear = encodeRow(load<u32>(row), load<u32>(row, 4), out);
    store<i32>(out, isClear ? 0 : UNCLEAR);
    if (!isClear) unclear += 1;
    row += ROW_BYTES;
    out += FOUND_BYTES;
  }
  return unclear;
}

function encodeRow(tid: usize, end: usize, out: usize): bool {
  if (end - tid > <usize>MOST_BYTES) return false;
  store<u32>(out, bswap<u32>(load<u32>(tid, 4)), 28);
  store<u32>(out, <u32>bswap<u16>(load<u16>(tid, 8)), 32);
  let at = tid + TID_FIELD_BYTES;
  let to = scratch;
  for (let column = 0; column < columnCount; column += 1) {
    if (at + 4 > end) return false;
    const size = <i32>bswap<u32>(load<u32>(at));
    setValue(column, at, at + 4, false);
    at += 4;
    if (size < 0) {
      store<u8>(to, 0);
      to += 1;
      continue;
    }
    if (<usize>size > end - at) return false;
    store<u8>(to, 1);
    to = fromBinary(column, at, size, to + 1);
    if (to == 0) return false;
    at += <usize>size;
  }
  if (at != end) return false;
  writeRow(to, out + 20);
  return keyFromBinary(out + 4);
}

function keyFromBinary(out: usize): bool {
  let to = scratch;
  for (let key = 0; key < keyCount; key += 1) {
    const column = keyColumn(key);
    const at = startOf(column);
    const size = <i32>bswap<u32>(load<u32>(at));
    if (size < 0) return false;
    store<u8>(to, 1);
    to = fromBinary(column, at + 4, size, to + 1);
    if (to == 0) return false;
  }
  return writeKey(to, out);
}
