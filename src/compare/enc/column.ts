// Encodes a column: a field of Postgres' COPY BINARY and a JSON value of Debezium become the same
// `enc-v1` bytes. PURE.
import { canonFromJson, canonFromText } from '../column-types.js';
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER, Undecodable } from '../undecodable.js';
import { parseJsonLossless } from '../json.js';
import { QUOTE, textAt } from './json-scan.js';
import { floatFromText, integerFromText, numericFromBinary, numericFromText } from './number.js';
import { int16At, int32At } from '../../domain/values/bytes.js';
import { floatAt, type Scratch } from './scratch.js';
import {
  dateFromBinary,
  dateFromText,
  instantFromBinary,
  instantFromText,
  timeFromBinary,
  timeFromText,
} from './time.js';
import { content, hexDigit } from './json-string.js';

/** Encodes a field of a COPY BINARY row, which is never NULL and has `size` bytes at `at`. */
export type FromBinary = (b: Uint8Array, at: number, size: number, out: Scratch) => void;
/**
 * Encodes the JSON value in `[start, end)`, with its quotes. It is never null. Throws Undecodable.
 */
export type FromJson = (b: Uint8Array, start: number, end: number, out: Scratch) => void;

export interface ColumnEncoder {
  readonly fromBinary: FromBinary;
  readonly fromJson: FromJson;
  /** True if the column is read as `::text`, because its binary form is not decoded here. */
  readonly asText: boolean;
}

const UTF8 = new TextEncoder();

function refusePlaceholder(b: Uint8Array, start: number, end: number): void {
  if (
    end - start === TOAST_PLACEHOLDER.length &&
    b[start] === TOAST_PLACEHOLDER.charCodeAt(0) &&
    textAt(b, start, end) === TOAST_PLACEHOLDER
  )
    throw new Undecodable('an unchanged TOAST value, which the record does not contain');
}

function plainText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  refusePlaceholder(b, start, end);
  out.sized(b, start, end);
}

function paddedText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  let to = end;
  while (to > start && b[to - 1] === 0x20) to -= 1;
  plainText(b, start, to, out);
}

const quoted =
  (use: (b: Uint8Array, start: number, end: number, out: Scratch) => void): FromJson =>
  (b, start, end, out) =>
    content(b, start, end, out, use);

const TEXT: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, size, out) => out.sized(b, at, at + size),
  fromJson: quoted(plainText),
};

/** Reads integers, which are JSON numbers, and oids, which are strings of digits. */
const integerFromJson: FromJson = (b, start, end, out) =>
  b[start] === QUOTE
    ? integerFromText(b, start + 1, end - 1, out)
    : integerFromText(b, start, end, out);

const integer = (read: (b: Uint8Array, at: number) => number): ColumnEncoder => ({
  asText: false,
  fromBinary: (b, at, _size, out) => out.safeInteger(read(b, at)),
  fromJson: integerFromJson,
});

const float = (
  round: (value: number) => number,
  read: (b: Uint8Array, at: number) => number,
): ColumnEncoder => ({
  asText: false,
  fromBinary: (b, at, _size, out) => out.f64(read(b, at)),
  fromJson: (b, start, end, out) => {
    if (b[start] === QUOTE && /^(NaN|-?Infinity)$/.test(textAt(b, start + 1, end - 1)))
      return out.f64(Number(textAt(b, start + 1, end - 1)));
    const value = round(
      b[start] === QUOTE ? longFloat(textAt(b, start + 1, end - 1)) : floatFromText(b, start, end),
    );
    if (!Number.isFinite(value)) throw new Undecodable('expected a number in range');
    out.f64(value);
  },
});

function longFloat(text: string): number {
  if (!/^-?\d{16,}$/.test(text)) throw new Undecodable('expected a number');
  return Number(text);
}

const JSONB: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, size, out) => out.sized(b, at + 1, at + size),
  fromJson: quoted(plainText),
};

const BOOL: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, _size, out) => out.u8(b[at]!),
  fromJson: (b, start, end, out) => {
    if (end - start === 4 && b[start] === 0x74) out.u8(1);
    else if (end - start === 5 && b[start] === 0x66) out.u8(0);
    else throw new Undecodable('expected a boolean');
  },
};

const BYTEA: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, size, out) => out.sized(b, at, at + size),
  fromJson: (b, start, end, out) => {
    if (b[start] !== QUOTE) throw new Undecodable('expected base64');
    const text = JSON.parse(textAt(b, start, end)) as string;
    if (text === TOAST_PLACEHOLDER || text === PLACEHOLDER_BASE64)
      throw new Undecodable('an unchanged TOAST value, which the record does not contain');
    const bytes = Buffer.from(text, 'base64');
    out.sized(bytes, 0, bytes.length);
  },
};

const UUID: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, size, out) => out.sized(b, at, at + size),
  fromJson: quoted((b, start, end, out) => {
    if (end - start !== 36) throw new Undecodable('expected a uuid');
    let to = 0;
    for (let at = start; at < end; at += 2) {
      if (at === start + 8 || at === start + 13 || at === start + 18 || at === start + 23) {
        if (b[at] !== 0x2d) throw new Undecodable('expected a uuid');
        at += 1;
      }
      uuid[to++] = (hexDigit(b[at]!) << 4) | hexDigit(b[at + 1]!);
    }
    out.sized(uuid, 0, 16);
  }),
};
const uuid = new Uint8Array(16);

const ENCODERS: Readonly<Record<string, ColumnEncoder>> = {
  bool: BOOL,
  int2: integer(int16At),
  int4: integer(int32At),
  oid: integer((b, at) => int32At(b, at) >>> 0),
  int8: {
    asText: false,
    fromBinary: (b, at, _size, out) => out.i64(int32At(b, at), int32At(b, at + 4)),
    fromJson: integerFromJson,
  },
  numeric: {
    asText: false,
    fromBinary: (b, at, _size, out) => numericFromBinary(b, at, out),
    fromJson: quoted(numericFromText),
  },
  float4: float(Math.fround, (b, at) => floatAt(b, at, 4)),
  float8: float(
    (value) => value,
    (b, at) => floatAt(b, at, 8),
  ),
  text: TEXT,
  varchar: TEXT,
  enum: TEXT,
  json: TEXT,
  jsonb: JSONB,
  bpchar: {
    asText: false,
    fromBinary: (b, at, size, out) => paddedText(b, at, at + size, out),
    fromJson: quoted(paddedText),
  },
  bytea: BYTEA,
  uuid: UUID,
  date: {
    asText: false,
    fromBinary: (b, at, _size, out) => dateFromBinary(b, at, out),
    fromJson: quoted(dateFromText),
  },
  time: {
    asText: false,
    fromBinary: (b, at, _size, out) => timeFromBinary(b, at, out),
    fromJson: quoted(timeFromText),
  },
  timestamp: {
    asText: false,
    fromBinary: (b, at, _size, out) => instantFromBinary(b, at, out),
    fromJson: quoted(instantFromText),
  },
  timestamptz: {
    asText: false,
    fromBinary: (b, at, _size, out) => instantFromBinary(b, at, out),
    fromJson: quoted(instantFromText),
  },
};

/** Encodes other types by their canonical text on both sides. */
function throughText(type: string): ColumnEncoder {
  const write = (text: string, out: Scratch): void => {
    const bytes = UTF8.encode(text);
    out.sized(bytes, 0, bytes.length);
  };
  return {
    asText: true,
    fromBinary: (b, at, size, out) => write(canonFromText(type, textAt(b, at, at + size))!, out),
    fromJson: (b, start, end, out) =>
      write(canonFromJson(type, parseJsonLossless(textAt(b, start, end)))!, out),
  };
}

export const encoderOf = (type: string): ColumnEncoder =>
  Object.hasOwn(ENCODERS, type) ? ENCODERS[type]! : throughText(type);
