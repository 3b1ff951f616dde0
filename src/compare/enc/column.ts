// Encodes the values of a column in `enc-v1` (scratch.ts). Equal values become the same bytes,
// whether they are fields of Postgres' COPY BINARY or JSON values of Debezium.
import { base64Bytes } from '../base64.js';
import { canonFromJson, canonFromText } from '../column-types.js';
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER } from '../../domain/values/toast-placeholder.js';
import { ewkb, ewkbOfJson } from '../types/postgis.js';
import { Undecodable } from '../undecodable.js';
import { parseJsonLossless } from '../json.js';
import { QUOTE, isWord, textAt } from './json-scan.js';
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

/** Encodes a field of a COPY BINARY row: the `size` bytes at `at`. The field is never NULL. */
export type FromBinary = (b: Uint8Array, at: number, size: number, out: Scratch) => void;
/**
 * Encodes the JSON value in `[start, end)`, which includes the quotes of a string. The value is
 * never null. Throws Undecodable if the value does not fit the column's type.
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

/** Reads an integer, which is a JSON number or a string of digits. */
const integerFromJson: FromJson = (b, start, end, out) =>
  b[start] === QUOTE
    ? integerFromText(b, start + 1, end - 1, out)
    : integerFromText(b, start, end, out);

/** Refuses a field whose size is not `width`. Otherwise, bytes of the next column could be read. */
const fixed =
  (width: number, write: (b: Uint8Array, at: number, out: Scratch) => void): FromBinary =>
  (b, at, size, out) => {
    if (size !== width) throw new Undecodable(`expected ${width} bytes, got ${size}`);
    write(b, at, out);
  };

const integer = (width: number, read: (b: Uint8Array, at: number) => number): ColumnEncoder => ({
  asText: false,
  fromBinary: fixed(width, (b, at, out) => out.safeInteger(read(b, at))),
  fromJson: integerFromJson,
});

const float = (width: 4 | 8, round: (value: number) => number): ColumnEncoder => ({
  asText: false,
  fromBinary: fixed(width, (b, at, out) => out.f64(floatAt(b, at, width))),
  fromJson: (b, start, end, out) => {
    if (b[start] === QUOTE && /^(NaN|-?Infinity)$/.test(textAt(b, start + 1, end - 1)))
      return out.f64(Number(textAt(b, start + 1, end - 1)));
    const value = round(floatFromText(b, start, end));
    if (!Number.isFinite(value)) throw new Undecodable('expected a number in range');
    out.f64(value);
  },
});

const JSONB: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, size, out) => {
    if (size < 1) throw new Undecodable('expected the version of a jsonb value');
    out.sized(b, at + 1, at + size);
  },
  fromJson: quoted(plainText),
};

const [TRUE, FALSE] = [Buffer.from('true'), Buffer.from('false')];
const BOOL: ColumnEncoder = {
  asText: false,
  fromBinary: fixed(1, (b, at, out) => out.u8(b[at]!)),
  fromJson: (b, start, end, out) => {
    if (isWord(b, start, end, TRUE)) out.u8(1);
    else if (isWord(b, start, end, FALSE)) out.u8(0);
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
    const bytes = base64Bytes(text);
    out.sized(bytes, 0, bytes.length);
  },
};

const EWKB: ColumnEncoder = {
  asText: false,
  fromBinary: (b, at, size, out) => {
    ewkb(b.subarray(at, at + size));
    out.sized(b, at, at + size);
  },
  fromJson: (b, start, end, out) => {
    const bytes = ewkbOfJson(parseJsonLossless(textAt(b, start, end)));
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
  int2: integer(2, int16At),
  int4: integer(4, int32At),
  oid: integer(4, (b, at) => int32At(b, at) >>> 0),
  int8: {
    asText: false,
    fromBinary: fixed(8, (b, at, out) => out.i64(int32At(b, at), int32At(b, at + 4))),
    fromJson: integerFromJson,
  },
  numeric: {
    asText: false,
    fromBinary: numericFromBinary,
    fromJson: quoted(numericFromText),
  },
  float4: float(4, Math.fround),
  float8: float(8, (value) => value),
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
  geometry: EWKB,
  geography: EWKB,
  uuid: UUID,
  date: {
    asText: false,
    fromBinary: fixed(4, dateFromBinary),
    fromJson: quoted(dateFromText),
  },
  time: {
    asText: false,
    fromBinary: fixed(8, timeFromBinary),
    fromJson: quoted(timeFromText),
  },
  timestamp: {
    asText: false,
    fromBinary: fixed(8, instantFromBinary),
    fromJson: quoted(instantFromText),
  },
  timestamptz: {
    asText: false,
    fromBinary: fixed(8, instantFromBinary),
    fromJson: quoted(instantFromText),
  },
};

/** Encodes any other type by its canonical text, on both sides. */
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
