// Writes fields of COPY's text format as the JSON values of a record, byte by byte. Only common
// values are written here. All other values are left to write-debezium-json.ts, the slow writer.

/**
 * Writes the field in `[from, to)` of `b` to `out`, beginning at `at`. Returns the end of the JSON
 * value, or `REFERRED` if the slow writer must write the field. `out` has room for `MOST_GROWTH`
 * bytes for each byte of the field, and for `MOST_ADDED` more. The field is never NULL.
 */
export type WriteField = (
  b: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
) => number;

export const REFERRED = -1;
export const MOST_GROWTH = 3; // `\v` becomes `\u000B`
export const MOST_ADDED = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DASH = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

function copied(b: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let next = at;
  for (let i = from; i < to; i += 1) out[next++] = b[i]!;
  return next;
}

const PLAIN = 0;
const QUOTED = 1;
const ESCAPED = 2;
const LEADS_TWO = 3;
const LEADS_THREE = 4;
const OTHER = 5;

/** The kind of each byte of a text. The slow writer writes texts with a byte of kind `OTHER`. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === QUOTE) return QUOTED;
  if (byte === BACKSLASH) return ESCAPED;
  if (byte >= 0xc2 && byte < 0xe0) return LEADS_TWO;
  if (byte >= 0xe0 && byte < 0xf0) return LEADS_THREE;
  return byte >= SPACE && byte < 0x80 ? PLAIN : OTHER;
});

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** The characters after a backslash that COPY and JSON write in the same way. */
const SAME_ESCAPES: ReadonlySet<number> = new Set(Buffer.from('\\bfnrt'));
const VERTICAL_TAB = Buffer.from(String.raw`\u000B`);

const text: WriteField = (b, from, to, out, at) => {
  let next = at;
  out[next++] = QUOTE;
  for (let i = from; i < to; i += 1) {
    const byte = b[i]!;
    const kind = KINDS[byte]!;
    if (kind === PLAIN) {
      out[next++] = byte;
    } else if (kind === LEADS_TWO) {
      if (i + 1 >= to || !isContinuation(b[i + 1]!)) return REFERRED;
      out[next++] = byte;
      out[next++] = b[++i]!;
    } else if (kind === LEADS_THREE) {
      if (!leadsThree(b, i, to)) return REFERRED;
      out[next++] = byte;
      out[next++] = b[++i]!;
      out[next++] = b[++i]!;
    } else if (kind === QUOTED) {
      out[next++] = BACKSLASH;
      out[next++] = QUOTE;
    } else if (kind === ESCAPED && SAME_ESCAPES.has(b[i + 1]!)) {
      out[next++] = BACKSLASH;
      out[next++] = b[++i]!;
    } else if (kind === ESCAPED && b[i + 1] === 0x76) {
      next = copied(VERTICAL_TAB, 0, VERTICAL_TAB.length, out, next);
      i += 1;
    } else {
      return REFERRED;
    }
  }
  out[next++] = QUOTE;
  return next;
};

/**
 * Returns whether a valid character of three bytes begins at `i`. Only a database with the encoding
 * SQL_ASCII can contain invalid bytes. The slow writer replaces them.
 */
function leadsThree(b: Uint8Array, i: number, to: number): boolean {
  if (i + 2 >= to) return false;
  const second = b[i + 1]!;
  if (!isContinuation(second) || !isContinuation(b[i + 2]!)) return false;
  return !(b[i] === 0xe0 && second < 0xa0) && !(b[i] === 0xed && second >= 0xa0);
}

const bool: WriteField = (b, from, to, out, at) => {
  if (to - from !== 1) return REFERRED;
  return b[from] === 0x74
    ? copied(TRUE, 0, TRUE.length, out, at)
    : copied(FALSE, 0, FALSE.length, out, at);
};
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

/** Leaves NaN and the infinities to the slow writer. They end with a letter. */
const numeric: WriteField = (b, from, to, out, at) => {
  if (to === from || !isDigit(b[to - 1]!)) return REFERRED;
  out[at] = QUOTE;
  const end = copied(b, from, to, out, at + 1);
  out[end] = QUOTE;
  return end + 1;
};

/**
 * Returns whether `YYYY-MM-DD` begins at `from`. `infinity` and `-infinity` are too short. In a
 * year of more than four digits, the dashes are in other places.
 */
const hasDate = (b: Uint8Array, from: number, to: number): boolean =>
  to - from >= 10 && isDigit(b[from]!) && b[from + 4] === DASH && b[from + 7] === DASH;

const date: WriteField = (b, from, to, out, at) => {
  if (to - from !== 10 || !hasDate(b, from, to)) return REFERRED;
  out[at] = QUOTE;
  const end = copied(b, from, to, out, at + 1);
  out[end] = LETTER_Z;
  out[end + 1] = QUOTE;
  return end + 2;
};

/** The length of `HH:MM:SS`. */
const CLOCK = 8;

/**
 * Copies `HH:MM:SS`, with or without a fraction. Leaves a fraction that ends with a zero to the
 * slow writer. Postgres never prints such a fraction.
 */
function clock(b: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  const size = to - from;
  const isWhole = size === CLOCK && isDigit(b[to - 1]!);
  const last = b[to - 1]!;
  const hasFraction =
    size > CLOCK + 1 &&
    size <= CLOCK + 7 &&
    b[from + CLOCK] === POINT &&
    last > ZERO &&
    last <= NINE;
  return isWhole || hasFraction ? copied(b, from, to, out, at) : REFERRED;
}

const time: WriteField = (b, from, to, out, at) => {
  out[at] = QUOTE;
  const end = clock(b, from, to, out, at + 1);
  if (end === REFERRED) return REFERRED;
  out[end] = LETTER_Z;
  out[end + 1] = QUOTE;
  return end + 2;
};

/** Writes the opening quote, the date and the time of day of a timestamp. */
function instant(b: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  if (to - from < 19 || !hasDate(b, from, to) || b[from + 10] !== SPACE) return REFERRED;
  out[at] = QUOTE;
  const end = copied(b, from, from + 10, out, at + 1);
  out[end] = LETTER_T;
  return clock(b, from + 11, to, out, end + 1);
}

const timestamp: WriteField = (b, from, to, out, at) => {
  const end = instant(b, from, to, out, at);
  if (end === REFERRED) return REFERRED;
  out[end] = LETTER_Z;
  out[end + 1] = QUOTE;
  return end + 2;
};

const PLUS = 0x2b;
/** The length of a quote and `YYYY-MM-DDTHH:MM:SS`. */
const WHOLE_INSTANT = 20;

/** Writes all six digits of a fraction, as Debezium does. The session's time zone is UTC. */
const timestamptz: WriteField = (b, from, to, out, at) => {
  const zone = to - 3;
  if (zone <= from || b[zone] !== PLUS || b[zone + 1] !== ZERO || b[zone + 2] !== ZERO)
    return REFERRED;
  let end = instant(b, from, zone, out, at);
  if (end === REFERRED) return REFERRED;
  if (end === at + WHOLE_INSTANT) out[end++] = POINT;
  while (end < at + WHOLE_INSTANT + 7) out[end++] = ZERO;
  out[end] = LETTER_Z;
  out[end + 1] = QUOTE;
  return end + 2;
};

const FIELDS: Readonly<Record<string, WriteField>> = {
  bool,
  int2: copied,
  int4: copied,
  int8: copied,
  oid: copied,
  numeric,
  date,
  time,
  timestamp,
  timestamptz,
  ...Object.fromEntries(
    ['text', 'varchar', 'bpchar', 'char', 'citext', 'enum', 'uuid', 'xml', 'json', 'jsonb'].map(
      (type) => [type, text],
    ),
  ),
};

/** Returns the writer of a type's common values. Undefined if the slow writer writes them all. */
export const fieldWriterOf = (type: string): WriteField | undefined =>
  Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
