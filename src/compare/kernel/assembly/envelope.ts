// Finds the columns' values in a Debezium record. It understands only the records of the fast path
// of enc/envelope.ts, and returns false for all other records.
import {
  NO_COLUMN,
  clearValues,
  columnCount,
  endOf,
  keyColumn,
  keyCount,
  nameLength,
  nameOf,
  setValue,
  startOf,
} from './layout';
import {
  BACKSLASH,
  CLOSE,
  COLON,
  COMMA,
  OPEN,
  QUOTE,
  areEqual,
  hadEscape,
  skipString,
  skipValue,
} from './scan';

const BEFORE: usize = memory.data<u8>([
  0x7b, 0x22, 0x62, 0x65, 0x66, 0x6f, 0x72, 0x65, 0x22, 0x3a, 0, 0, 0, 0, 0, 0,
]); // {"before":
const BEFORE_LENGTH: i32 = 10;
const AFTER: usize = memory.data<u8>([
  0x2c, 0x22, 0x61, 0x66, 0x74, 0x65, 0x72, 0x22, 0x3a, 0, 0, 0, 0, 0, 0, 0,
]); // ,"after":
const AFTER_LENGTH: i32 = 9;
const OP_LENGTH: i32 = 6; // "op":"
const TX_ID: usize = memory.data<u8>([
  0x22, 0x74, 0x78, 0x49, 0x64, 0x22, 0x3a, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]); // "txId":
const TX_ID_LENGTH: i32 = 7;
const MOST_DIGITS: usize = 15;
const ZERO: u8 = 0x30;

/**
 * The letter of the last record's operation, and its transaction. The transaction is 0 for a row of
 * a connector's snapshot that does not name one.
 */
export let operation: u8 = 0;
export let transaction: u64 = 0;
/** True if the number of the transaction has a zero before other digits, which is not JSON. */
let isMalformed: bool = false;
export const SNAPSHOT: u8 = 0x72;
const CREATE: u8 = 0x63;
const UPDATE: u8 = 0x75;
export const DELETE: u8 = 0x64;

/** Returns whether the letter stands for an operation that has a transaction. */
export function isChange(letter: u8): bool {
  return letter == CREATE || letter == UPDATE || letter == DELETE;
}

/**
 * Reads a record's value. Sets the places of the columns' values, the operation and the
 * transaction. Returns false for a record that it does not understand.
 */
export function scan(from: usize, to: usize): bool {
  if (to - from < 32 || !areEqual(from, BEFORE, BEFORE_LENGTH)) return false;
  if (load<u8>(to - 1) != CLOSE) return false;
  const before = from + BEFORE_LENGTH;
  const beforeEnd = skipValue(before, to);
  if (beforeEnd == 0 || !areEqual(beforeEnd, AFTER, AFTER_LENGTH)) return false;
  const after = beforeEnd + AFTER_LENGTH;
  const hasBefore = load<u8>(before) == OPEN;
  const hasAfter = load<u8>(after) == OPEN;
  const rowEnd = hasAfter ? scanRow(after, to) : skipValue(after, to);
  if (rowEnd == 0) return false;
  if (!hasAfter && hasBefore && scanRow(before, beforeEnd) == 0) return false;
  const op = lastOperation(rowEnd, to);
  if (op == 0 || load<u8>(op + OP_LENGTH + 1) != QUOTE || repeatsMember(rowEnd, to)) return false;
  operation = load<u8>(op + OP_LENGTH);
  transaction = 0;
  if (operation == DELETE) {
    if (!hasBefore || hasAfter) return false;
  } else if (!hasAfter) return false;
  isMalformed = false;
  if (operation == SNAPSHOT) {
    if (!readTransaction(rowEnd, op, to)) transaction = 0;
    return !isMalformed;
  }
  return isChange(operation) && readTransaction(rowEnd, op, to);
}

// The last four bytes of the names of members.
const OF_BEFORE: u32 = 0x65726f66; // fore
const OF_AFTER: u32 = 0x72657466; // fter
const OF_SOURCE: u32 = 0x65637275; // urce
const OF_TX_ID: u32 = 0x64497874; // txId

/** Returns whether the members after the row may repeat a member of the envelope. */
function repeatsMember(from: usize, to: usize): bool {
  let sources = 0;
  let ids = 0;
  let at = from + 4;
  while (at + 1 < to) {
    const quotes = i8x16.eq(v128.load(at), i8x16.splat(QUOTE));
    const colons = i8x16.eq(v128.load(at + 1), i8x16.splat(COLON));
    let hits = i8x16.bitmask(v128.and(quotes, colons));
    while (hits != 0) {
      const place = at + <usize>ctz(hits);
      if (place + 1 >= to) break;
      const last = load<u32>(place - 4);
      if (last == OF_BEFORE || last == OF_AFTER) return true;
      if (last == OF_SOURCE) sources += 1;
      else if (last == OF_TX_ID) ids += 1;
      hits &= hits - 1;
    }
    at += 16;
  }
  return sources > 1 || ids > 1;
}

/** Returns the place of the last `"op":"` at or after `from`. Returns 0 if there is none. */
function lastOperation(from: usize, to: usize): usize {
  let at = to - OP_LENGTH - 15; // the last 16 places at which the text still fits before `to`
  while (at + 15 >= from) {
    const quotes = i8x16.eq(v128.load(at), i8x16.splat(QUOTE));
    const letters = i8x16.eq(v128.load(at + 1), i8x16.splat(0x6f)); // the o of op
    let hits = i8x16.bitmask(v128.and(quotes, letters));
    while (hits != 0) {
      const last = 31 - clz(hits);
      const place = at + <usize>last;
      if (place < from) return 0;
      if (load<u32>(place + 1) == 0x3a22706f && load<u8>(place + 5) == QUOTE) return place;
      hits ^= 1 << last;
    }
    at -= 16;
  }
  return 0;
}

/**
 * Reads the first `"txId":` between the row and the operation. Returns false if the transaction is
 * unclear.
 */
function readTransaction(from: usize, op: usize, to: usize): bool {
  let at = from;
  while (at < op) {
    const quotes = i8x16.eq(v128.load(at), i8x16.splat(QUOTE));
    const letters = i8x16.eq(v128.load(at + 3), i8x16.splat(0x49)); // the I of txId
    let hits = i8x16.bitmask(v128.and(quotes, letters));
    while (hits != 0) {
      const place = at + <usize>ctz(hits);
      if (place > op) return false;
      if (areEqual(place, TX_ID, TX_ID_LENGTH)) return readNumber(place + TX_ID_LENGTH, to);
      hits &= hits - 1;
    }
    at += 16;
  }
  return false;
}

function readNumber(first: usize, to: usize): bool {
  let at = first;
  let value: u64 = 0;
  while (at < to) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) break;
    value = value * 10 + digit;
    at += 1;
  }
  isMalformed = load<u8>(first) == ZERO && at > first + 1;
  if (at == first || at - first > MOST_DIGITS || isMalformed) return false;
  const next = load<u8>(at);
  if (next != COMMA && next != CLOSE) return false;
  transaction = value;
  return true;
}

/** Reads an object of columns. Returns its end, or 0 for an object that it does not understand. */
function scanRow(from: usize, to: usize): usize {
  clearValues();
  let at = from + 1;
  let expected = 0;
  if (load<u8>(at) == CLOSE) return at + 1;
  while (at < to) {
    let column = expected;
    if (expected < columnCount && areEqual(at, nameOf(expected), nameLength(expected))) {
      at += nameLength(expected);
    } else {
      const nameEnd = plainName(at, to);
      if (nameEnd == 0 || load<u8>(nameEnd) != COLON) return 0;
      column = columnNamed(at, <i32>(nameEnd + 1 - at));
      at = nameEnd + 1;
    }
    const end = skipValue(at, to);
    if (end == 0 || end >= to) return 0;
    if (column != NO_COLUMN) {
      setValue(column, at, end, hadEscape);
      expected = column + 1;
    }
    const next = load<u8>(end);
    if (next == CLOSE) return end + 1;
    if (next != COMMA) return 0;
    at = end + 1;
  }
  return 0;
}

/**
 * Returns the end of a name. Returns 0 if the name has an escape, or a character that is not
 * printable ASCII.
 */
function plainName(at: usize, to: usize): usize {
  if (load<u8>(at) != QUOTE) return 0;
  const end = skipString(at, to);
  for (let place = at + 1; place + 1 < end; place += 1) {
    const byte = load<u8>(place);
    if (byte < 0x20 || byte > 0x7e || byte == BACKSLASH) return 0;
  }
  return end;
}

/** Returns the column of `"name":`, or NO_COLUMN. */
function columnNamed(at: usize, length: i32): i32 {
  for (let column = 0; column < columnCount; column += 1)
    if (nameLength(column) == length && areEqual(at, nameOf(column), length)) return column;
  return NO_COLUMN;
}

/**
 * Returns whether `[from, to)` contains the key of the last row, in exactly the bytes that a
 * connector writes.
 */
export function isKeyOfRow(from: usize, to: usize): bool {
  let at = from;
  let before = OPEN;
  for (let key = 0; key < keyCount; key += 1) {
    const column = keyColumn(key);
    const start = startOf(column);
    const size = <i32>(endOf(column) - start);
    if (load<u8>(at) != before || !areEqual(at + 1, nameOf(column), nameLength(column)))
      return false;
    at += 1 + nameLength(column);
    if (!areEqual(at, start, size)) return false;
    at += size;
    before = COMMA;
  }
  return at + 1 == to && load<u8>(at) == CLOSE;
}
