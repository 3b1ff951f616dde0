// Rewrites the values of Avro that contain no other values: primitive types, enums and fixed types.
import { decimalText } from '../decimal-text.js';
import { doubleJson } from '../json-number.js';
import type { JsonOutput } from '../json-output.js';
import { Undecodable } from '../undecodable.js';
import type { AvroInput } from './avro-input.js';
import { SCALAR, type Rewrite, type Scalar, type SchemaObject } from './schema-types.js';

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

/** Reads a boolean. Throws Undecodable if the byte is neither 0 nor 1. */
function booleanOf(input: AvroInput): boolean {
  const byte = input.byte();
  if (byte > 1) throw new Undecodable('a boolean that is neither true nor false');
  return byte === 1;
}

/** Writes a value that is neither an object nor a list. */
export function writeScalar(scalar: Scalar, input: AvroInput, out: JsonOutput): void {
  switch (scalar) {
    case SCALAR.string: {
      const from = input.sized();
      return out.string(input.bytes, from, input.at);
    }
    case SCALAR.long:
      return out.integer(input.long());
    case SCALAR.double:
      return out.ascii(doubleJson(input.double()));
    case SCALAR.float:
      return out.ascii(doubleJson(input.float()));
    case SCALAR.boolean:
      return out.ascii(booleanOf(input) ? 'true' : 'false');
    case SCALAR.bytes: {
      const from = input.sized();
      return base64(input.bytes.subarray(from, input.at), out);
    }
    case SCALAR.null:
      return out.raw(NULL);
  }
}

/** Skips a value, with the same checks as `writeScalar`. */
export function skipScalar(scalar: Scalar, input: AvroInput): void {
  switch (scalar) {
    case SCALAR.string:
    case SCALAR.bytes:
      input.sized();
      return;
    case SCALAR.long:
      return input.skipLong();
    case SCALAR.double:
      input.take(8);
      return;
    case SCALAR.float:
      input.take(4);
      return;
    case SCALAR.boolean:
      booleanOf(input);
      return;
    case SCALAR.null:
      return;
  }
}

function scalarOf(scalar: Scalar): Rewrite {
  const rewrite: Rewrite = (input, out) =>
    out ? writeScalar(scalar, input, out) : skipScalar(scalar, input);
  return Object.assign(rewrite, { plain: { scalar } });
}

export const PRIMITIVES: Readonly<Record<string, Rewrite>> = {
  null: scalarOf(SCALAR.null),
  boolean: scalarOf(SCALAR.boolean),
  int: scalarOf(SCALAR.long),
  long: scalarOf(SCALAR.long),
  float: scalarOf(SCALAR.float),
  double: scalarOf(SCALAR.double),
  bytes: scalarOf(SCALAR.bytes),
  string: scalarOf(SCALAR.string),
};
