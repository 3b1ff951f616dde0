// A column's two encoders: from Postgres' COPY BINARY field and from Debezium's JSON value to the same `enc-v1` bytes. PURE.
import {
  PLACEHOLDER_BASE64,
  TOAST_PLACEHOLDER,
  Undecodable,
  canonFromJson,
  canonFromText,
} from '../column-types.js';
import { parseJsonLossless } from '../json.js';
import { BACKSLASH, QUOTE, textAt } from './json-scan.js';
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

/** Field of a COPY BINARY row: never NULL, `size` bytes at `at`. */
export type FromBinary = (b: Uint8Array, at: number, size: number, out: Scratch) => void;
/** JSON value in `[start, end)`, quotes included; never null. Throws Undecodable. */
export type FromJson = (b: Uint8Array, start: number, end: number, out: Scratch) => void;

export interface ColumnEncoder {
  readonly fromBinary: FromBinary;
  readonly fromJson: FromJson;
  /** The column is read as `::text`: its own binary form is not decoded here. */
  readonly asText: boolean;
}

const UTF8 = new TextEncoder();

const isEscaped = (b: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at += 1) if (b[at] === BACKSLASH) return true;
  return false;
};

/** Runs `use` on the content of a JSON string; unescaped first where it holds escapes. */
function content(
  b: Uint8Array,
  start: number,
  end: number,
  out: Scratch,
  use: (b: Uint8Array, start: number, end: number, out: Scratch) => void,
): void {
  if (b[start] !== QUOTE) throw new Undecodable('expected a string');
  if (!isEscaped(b, start + 1, end - 1)) return use(b, start + 1, end - 1, out);
  const plain = unescape(b, start + 1, end - 1);
  use(unescaped, 0, plain, out);
}

let unescaped = new Uint8Array(1024);

/** Writes the string between the quotes into `unescaped`, as UTF-8. Returns its length. */
function unescape(b: Uint8Array, start: number, end: number): number {
  if (unescaped.length < end - start) unescaped = new Uint8Array((end - start) * 2);
  let to = 0;
  for (let at = start; at < end; at += 1) {
    const byte = b[at]!;
    if (byte !== BACKSLASH) {
      unescaped[to++] = byte;
      continue;
    }
    at += 1;
    const simple = ESCAPES[b[at]!];
    if (simple !== undefined) {
      unescaped[to++] = simple;
      continue;
    }
    if (b[at] !== 0x75) throw new Undecodable('unknown escape in JSON');
    let code = hex4(b, at + 1, end);
    at += 4;
    if (code >= 0xd800 && code < 0xe000) {
      const low =
        code < 0xdc00 && b[at + 1] === BACKSLASH && b[at + 2] === 0x75 ? hex4(b, at + 3, end) : 0;
      if (low < 0xdc00 || low >= 0xe000) throw new Undecodable('half a surrogate pair');
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    to = writeUtf8(code, to);
  }
  return to;
}

const ESCAPES: Readonly<Record<number, number>> = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 8,
  0x66: 12,
  0x6e: 10,
  0x72: 13,
  0x74: 9,
};

function hex4(b: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) throw new Undecodable('cut escape in JSON');
  return (
    (hexDigit(b[at]!) << 12) |
    (hexDigit(b[at + 1]!) << 8) |
    (hexDigit(b[at + 2]!) << 4) |
    hexDigit(b[at + 3]!)
  );
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x57;
  throw new Undecodable('expected a hexadecimal digit');
}

function writeUtf8(code: number, to: number): number {
  if (code < 0x80) {
    unescaped[to++] = code;
    return to;
  }
  if (code < 0x800) {
    unescaped[to++] = 0xc0 | (code >> 6);
  } else {
    if (code < 0x10000) unescaped[to++] = 0xe0 | (code >> 12);
    else {
      unescaped[to++] = 0xf0 | (code >> 18);
      unescaped[to++] = 0x80 | ((code >> 12) & 0x3f);
    }
    unescaped[to++] = 0x80 | ((code >> 6) & 0x3f);
  }
  unescaped[to++] = 0x80 | (code & 0x3f);
  return to;
}

function refusePlaceholder(b: Uint8Array, start: number, end: number): void {
  if (
    end - start === TOAST_PLACEHOLDER.length &&
    b[start] === TOAST_PLACEHOLDER.charCodeAt(0) &&
    textAt(b, start, end) === TOAST_PLACEHOLDER
  )
    throw new Undecodable('unchanged TOAST value: not in the record');
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

/** Integers arrive as JSON numbers, oids as strings of digits. */
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
      throw new Undecodable('unchanged TOAST value: not in the record');
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

/** Types without a form of their own here go through their canonical text on both sides. */
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
