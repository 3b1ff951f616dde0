// Encodes one value by its column's type, from JSON or from Postgres' binary form. Each function
// returns the address after the bytes that it wrote, or 0 for a value that it does not understand.
import { floatFromText, isUnclear } from './float';
import { open, readLong } from './input';
import {
  BOOLEAN,
  DOUBLE,
  FLOAT,
  LONG,
  STRING,
  endOf,
  isEscaped,
  kindOf,
  startOf,
  typeOf,
} from './layout';
import { integerFromText, numericFromBinary, numericFromText, writeI64 } from './number';
import { QUOTE, isPlainAscii, needsEscape } from './scan';
import {
  bytesFromBase64,
  paddedFromBinary,
  paddedFromJson,
  sized,
  textFromJson,
  uuidFromText,
} from './text';
import {
  dateFromBinary,
  dateFromText,
  instantFromBinary,
  instantFromText,
  timeFromText,
} from './time';

// The numbers of the types. They must equal those of `TYPES` in kernel/kernel.ts.
const BOOL: i32 = 1;
const INT2: i32 = 2;
const INT4: i32 = 3;
const INT8: i32 = 4;
const OID: i32 = 5;
const NUMERIC: i32 = 6;
const FLOAT4: i32 = 7;
const FLOAT8: i32 = 8;
const TEXT: i32 = 9;
const JSONB: i32 = 10;
const BPCHAR: i32 = 11;
const BYTEA: i32 = 12;
const UUID: i32 = 13;
const DATE: i32 = 14;
const TIME: i32 = 15;
const INSTANT: i32 = 16;
/**
 * Types whose values are compared as text. The kernel understands only printable ASCII, which has
 * the same bytes on both sides.
 */
const OWN_TEXT: i32 = 17;

const TRUE: u32 = 0x65757274;
const FALS: u32 = 0x736c6166;
const LETTER_E: u8 = 0x65;
const CANONICAL_NAN: u64 = 0x7ff8000000000000;

/**
 * Encodes the value that the column has in the last record. The value is neither absent nor null.
 */
export function fromJson(column: i32, out: usize): usize {
  const start = startOf(column);
  const end = endOf(column);
  const type = typeOf(column);
  if (load<u8>(start) != QUOTE) return bareFromJson(type, start, end, out);
  return fromText(type, start + 1, end - 1, isEscaped(column), out);
}

/** Encodes the content of a string. */
function fromText(type: i32, first: usize, last: usize, escaped: bool, out: usize): usize {
  if (type == TEXT || type == JSONB) return textFromJson(first, last, escaped, out);
  if (type == BPCHAR) return paddedFromJson(first, last, escaped, out);
  if (escaped) return 0;
  if (type == NUMERIC) return numericFromText(first, last, out);
  if (type == INSTANT) return instantFromText(first, last, out);
  if (type == UUID) return uuidFromText(first, last, out);
  if (type == DATE) return dateFromText(first, last, out);
  if (type == TIME) return timeFromText(first, last, out);
  if (type == BYTEA) return bytesFromBase64(first, last, out);
  if (type >= INT2 && type <= OID) return integerFromText(first, last, out);
  if (type == OWN_TEXT && isPlainAscii(first, last)) return textFromJson(first, last, false, out);
  return 0;
}

/** Encodes a value without quotes. */
function bareFromJson(type: i32, start: usize, end: usize, out: usize): usize {
  if (type >= INT2 && type <= OID) return integerFromText(start, end, out);
  if (type == BOOL) return boolFromJson(start, end, out);
  if (type != FLOAT8 && type != FLOAT4) return 0;
  let value = floatFromText(start, end);
  if (isUnclear) return 0;
  if (type == FLOAT4) {
    value = <f64>(<f32>value);
    if (!isFinite<f64>(value)) return 0;
  }
  return writeF64(out, value);
}

function boolFromJson(start: usize, end: usize, out: usize): usize {
  const length = end - start;
  if (length == 4 && load<u32>(start) == TRUE) store<u8>(out, 1);
  else if (length == 5 && load<u32>(start) == FALS && load<u8>(start, 4) == LETTER_E)
    store<u8>(out, 0);
  else return 0;
  return out + 1;
}

function writeF64(out: usize, value: f64): usize {
  let bits = reinterpret<u64>(value);
  if (value != value) bits = CANONICAL_NAN;
  else if (value == 0) bits = 0;
  store<u64>(out, bswap<u64>(bits));
  return out + 8;
}

/** Encodes the value in Avro that the column has in the last record. The value is not null. */
export function scalarFromAvro(column: i32, out: usize): usize {
  const type = typeOf(column);
  const kind = kindOf(column);
  const start = startOf(column);
  const end = endOf(column);
  if (kind == STRING) {
    if (type == OWN_TEXT && needsEscape(start, end)) return 0;
    return fromText(type, start, end, false, out);
  }
  if (kind == LONG) {
    if (type < INT2 || type > OID) return 0;
    open(start, end);
    return writeI64(out, readLong());
  }
  if (kind == BOOLEAN) {
    if (type != BOOL) return 0;
    store<u8>(out, load<u8>(start));
    return out + 1;
  }
  if (type != FLOAT8 && type != FLOAT4) return 0;
  if (kind != DOUBLE && kind != FLOAT) return 0;
  let value = kind == DOUBLE ? load<f64>(start) : <f64>load<f32>(start);
  if (type == FLOAT4) value = <f64>(<f32>value);
  return isFinite<f64>(value) ? writeF64(out, value) : 0;
}

/** Encodes a field of COPY BINARY. The field has `size` bytes and is not NULL. */
export function fromBinary(column: i32, at: usize, size: i32, out: usize): usize {
  const type = typeOf(column);
  const end = at + <usize>size;
  if (type == TEXT || type == BYTEA || (type == UUID && size == 16)) return sized(at, end, out);
  if (type == NUMERIC) return numericFromBinary(at, size, out);
  if (type == BPCHAR) return paddedFromBinary(at, end, out);
  if (type == JSONB) return size > 0 ? sized(at + 1, end, out) : 0;
  if (type == OWN_TEXT) return isPlainAscii(at, end) ? sized(at, end, out) : 0;
  if (size == 8) return eightBytes(type, at, out);
  if (size == 4) return fourBytes(type, at, out);
  if (type == INT2 && size == 2) return writeI64(out, <i64>(<i16>bswap<u16>(load<u16>(at))));
  if (type != BOOL || size != 1) return 0;
  store<u8>(out, load<u8>(at));
  return out + 1;
}

function eightBytes(type: i32, at: usize, out: usize): usize {
  if (type == INSTANT) return instantFromBinary(at, out);
  if (type == FLOAT8) return writeF64(out, reinterpret<f64>(bswap<u64>(load<u64>(at))));
  if (type != INT8 && type != TIME) return 0;
  store<u64>(out, load<u64>(at));
  return out + 8;
}

function fourBytes(type: i32, at: usize, out: usize): usize {
  const word = bswap<u32>(load<u32>(at));
  if (type == INT4) return writeI64(out, <i64>(<i32>word));
  if (type == OID) return writeI64(out, <i64>word);
  if (type == DATE) return dateFromBinary(at, out);
  return type == FLOAT4 ? writeF64(out, <f64>reinterpret<f32>(word)) : 0;
}
