// Encodes the canonical text of a value in `enc-v1`, the encoding from which hashes are computed
// (scratch.ts). The encoding of a value is the same, whether the value is read as text, from
// Postgres' binary form or from a connector's JSON.
import type { Canon } from '../column-types.js';
import { Undecodable } from '../undecodable.js';
import { integerFromText, numericFromText } from './number.js';
import { TAG_NULL, TAG_VALUE, type Scratch } from './scratch.js';
import { dateFromText, instantFromText, timeFromText } from './time.js';

/** The tag of a canonical text that is no value of its type, such as an integer out of range. */
const TAG_FOREIGN = 2;

type FromText = (b: Uint8Array, start: number, end: number, out: Scratch) => void;
type Write = (canon: string, out: Scratch) => void;

const UTF8 = new TextEncoder();

const sized: Write = (canon, out) => {
  const bytes = UTF8.encode(canon);
  out.sized(bytes, 0, bytes.length);
};

const inHex: Write = (canon, out) => {
  const bytes = Buffer.from(canon.replaceAll('-', ''), 'hex');
  out.sized(bytes, 0, bytes.length);
};

const parsed =
  (fromText: FromText): Write =>
  (canon, out) => {
    const bytes = Buffer.from(canon, 'latin1');
    fromText(bytes, 0, bytes.length, out);
  };

const float: Write = (canon, out) => out.f64(Number(canon));
const integer = parsed(integerFromText);
const instant = parsed(instantFromText);

const WRITERS: Readonly<Record<string, Write>> = {
  bool: (canon, out) => {
    if (canon !== 't' && canon !== 'f') throw new Undecodable('expected a boolean');
    out.u8(canon === 't' ? 1 : 0);
  },
  int2: integer,
  int4: integer,
  int8: integer,
  oid: integer,
  numeric: parsed(numericFromText),
  float4: float,
  float8: float,
  bytea: inHex,
  geometry: inHex,
  geography: inHex,
  uuid: inHex,
  date: parsed(dateFromText),
  time: parsed(timeFromText),
  timestamp: instant,
  timestamptz: instant,
};

/**
 * Writes the tag and the value. For one type, equal canonical texts become equal bytes, and
 * different texts become different bytes.
 */
export function writeCanon(type: string, canon: Canon, out: Scratch): void {
  if (canon === null) return out.u8(TAG_NULL);
  const begin = out.length;
  out.u8(TAG_VALUE);
  try {
    (Object.hasOwn(WRITERS, type) ? WRITERS[type]! : sized)(canon, out);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    out.length = begin;
    out.u8(TAG_FOREIGN);
    sized(canon, out);
  }
}
