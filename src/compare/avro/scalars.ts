// Rewrites the values of Avro that contain no other values: primitive types, enums and fixed types.
import { decimalText } from '../decimal-text.js';
import { doubleJson } from '../json-number.js';
import type { JsonOutput } from '../json-output.js';
import { Undecodable } from '../undecodable.js';
import type { Rewrite, SchemaObject } from './schema-types.js';

const NULL = Buffer.from('null');
const QUOTE = 0x22;

/** The texts of logical types that have a fixed size, by type and size. */
const FIXED_TEXTS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  'uuid/16': (bytes) =>
    bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  'duration/12'(bytes) {
    const [months, days, ms] = [0, 4, 8].map((at) => bytes.readUInt32LE(at)) as [
      number,
      number,
      number,
    ];
    const fraction = String(ms % 1000).padStart(3, '0');
    return `P${months}M${days}DT${Math.floor(ms / 1000)}.${fraction}S`;
  },
};

/** Rewrites a label of an enum. */
export function enumOf(symbols: readonly string[]): Rewrite {
  const texts = symbols.map((symbol) => Buffer.from(JSON.stringify(symbol)));
  return (input, out) => {
    const text = texts[input.count()];
    if (!text) throw new Undecodable('a label that its Avro schema does not have');
    out?.raw(text);
  };
}

/** Rewrites a value of a fixed size, which may be a decimal, a uuid or a duration. */
export function fixedOf({ size = 0, logicalType, scale = 0 }: SchemaObject): Rewrite {
  const textOf = FIXED_TEXTS[`${logicalType}/${size}`];
  return (input, out) => {
    const from = input.take(size);
    const bytes = input.bytes.subarray(from, input.at);
    if (logicalType === 'decimal') out?.text(decimalText(bytes, scale));
    else if (textOf) out?.text(textOf(bytes));
    else if (out) base64(bytes, out);
  };
}

function base64(bytes: Buffer, out: JsonOutput): void {
  out.byte(QUOTE);
  out.ascii(bytes.toString('base64'));
  out.byte(QUOTE);
}

const integer: Rewrite = (input, out) => {
  if (out) out.integer(input.long());
  else input.skipLong();
};

export const PRIMITIVES: Readonly<Record<string, Rewrite>> = {
  null: (_input, out) => out?.raw(NULL),
  boolean: (input, out) => {
    const byte = input.byte(); // must be read even if nothing is written
    if (byte > 1) throw new Undecodable('a boolean that is neither true nor false');
    out?.ascii(byte === 0 ? 'false' : 'true');
  },
  int: integer,
  long: integer,
  float(input, out) {
    const value = input.float();
    out?.ascii(doubleJson(value));
  },
  double(input, out) {
    const value = input.double();
    out?.ascii(doubleJson(value));
  },
  bytes(input, out) {
    const from = input.sized();
    if (out) base64(input.bytes.subarray(from, input.at), out);
  },
  string(input, out) {
    const from = input.sized();
    out?.string(input.bytes, from, input.at);
  },
};
