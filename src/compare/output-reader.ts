// Reads the records of the pipeline's output, in plain JSON or in Kafka Connect's JSON with schema.
import { decimalText } from './decimal-text.js';
import { base64Bytes } from './base64.js';
import { CONNECT_DECIMAL, connectTime } from './connect-times.js';
import type { Count } from './epoch-text.js';
import { canonFromJson, type Canon } from './column-types.js';
import { canonicalDecimal } from './canonical-decimal.js';
import { utf8Text } from './strict-utf8.js';
import { Undecodable, WrongType } from './undecodable.js';
import { refuseWiderKey } from './refused.js';
import type { Shape } from './row-comparison.js';
import { canonValues, type CanonValues } from './fold.js';
import { EXACT_DIGITS, LongNumber, memberOf, parseJsonDigits, significantDigits } from './json.js';

interface FieldSchema {
  readonly field?: string;
  readonly type?: string;
  readonly name?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly default?: unknown;
  readonly fields?: readonly FieldSchema[];
  readonly items?: FieldSchema;
}

export interface OutputRecord {
  /** The canonical texts of the key's columns. A key may be NULL. */
  readonly key: readonly Canon[];
  /** The row. Null if the record deletes it. */
  readonly row: CanonValues | null;
}

export class OutputReader {
  readonly #shape: Shape;
  readonly #image: string | null;
  readonly #typeOf: ReadonlyMap<string, string>;

  /**
   * Creates a reader. `image` is the member of the value that contains the row (Debezium's
   * `after`). Null means that the value itself is the row.
   */
  constructor(shape: Shape, image: string | null = null) {
    this.#shape = shape;
    this.#image = image;
    this.#typeOf = new Map(shape.columns.map(({ name, type }) => [name, type]));
  }

  /**
   * Reads one record. Throws an Error if its key, or the text of its value, cannot be read. A value
   * that is not an object gives a row without values.
   */
  read(key: Buffer, value: Buffer | null): OutputRecord {
    const keyFields = unwrap(parseJsonDigits(utf8Text(key)));
    refuseWiderKey(keyFields.payload, this.#shape);
    const name = this.#shape.key.map((column) => this.#canon(keyFields, column));
    if (value === null) return { key: name, row: null };
    const parsed = parseJsonDigits(utf8Text(value));
    // Kafka keeps a record whose value is the JSON text null, so it is not a tombstone
    if (this.#image === null) return { key: name, row: this.#row(parsed, keyFields) };
    const image = (parsed as Readonly<Record<string, unknown>> | null)?.[this.#image];
    return { key: name, row: image === null ? null : this.#row(image, keyFields) };
  }

  #row(image: unknown, keyFields: Fields): CanonValues {
    try {
      const fields = unwrap(image);
      const where = (name: string): Fields =>
        !fields.has(name) && this.#shape.key.includes(name) ? keyFields : fields;
      return canonValues(
        this.#shape,
        ({ name }) => this.#canon(where(name), name),
        (name) => where(name).get(name),
      );
    } catch {
      return { values: null };
    }
  }

  #canon(fields: Fields, name: string): Canon {
    return canonFromConnect(this.#typeOf.get(name)!, fields.get(name), fields.schema(name));
  }
}

interface Fields {
  readonly payload: Readonly<Record<string, unknown>>;
  has(name: string): boolean;
  get(name: string): unknown;
  schema(name: string): FieldSchema | undefined;
}

/** Reads `{schema, payload}` or a plain object. */
function unwrap(parsed: unknown): Fields {
  if (parsed === null || typeof parsed !== 'object') throw new Undecodable('expected an object');
  const record = parsed as Record<string, unknown>;
  const wrapped = 'schema' in record && 'payload' in record && Object.keys(record).length === 2;
  const payload = (wrapped ? record['payload'] : record) as Record<string, unknown> | null;
  if (payload === null || typeof payload !== 'object') throw new Undecodable('expected an object');
  const schema = wrapped ? (record['schema'] as FieldSchema | null) : null;
  return {
    payload,
    has: (name) => Object.hasOwn(payload, name),
    get: (name) => memberOf(payload, name),
    schema: (name) => schema?.fields?.find((f) => f.field === name),
  };
}

/** Returns the canonical text of a value, which may be of a logical type of Kafka Connect. */
function canonFromConnect(type: string, value: unknown, schema: FieldSchema | undefined): Canon {
  if (value === null && (schema?.default ?? null) !== null)
    throw new Undecodable(
      'a NULL in a field with a default; Kafka Connect reads the default instead of NULL',
    );
  if (value === null || value === undefined || !schema)
    return canonFromJson(type, coerce(type, value));
  const { name = '', parameters, items } = schema;
  if (items && Array.isArray(value) && type.endsWith('[]'))
    return JSON.stringify(
      value.map((item) => canonFromConnect(type.slice(0, -2), item as unknown, items)),
    );
  if (name === CONNECT_DECIMAL)
    return canonFromDecimal(type, connectDecimal(value, Number(parameters?.['scale'] ?? 0)));
  const textOf = connectTime(name);
  return canonFromJson(type, textOf ? textOf(count(value)) : coerce(type, value));
}

/** Reads a date or time that is written as a number of units, such as days or milliseconds. */
function count(value: unknown): Count {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (value instanceof LongNumber && value.isInteger) return BigInt(value.text);
  throw new WrongType('expected a whole number');
}

const WHOLE: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'oid']);
const FLOATS: ReadonlySet<string> = new Set(['float4', 'float8']);

/**
 * Prepares a value of plain JSON for the column's type. A number in a `numeric` column may be any
 * integer. Other numbers may have at most 15 digits, because a double keeps only these. The value
 * of an integer column must not be in quotes, because a consumer would read it as a text.
 */
function coerce(type: string, value: unknown): unknown {
  if (Array.isArray(value) && type.endsWith('[]'))
    return value.map((item) => coerce(type.slice(0, -2), item));
  if (value instanceof LongNumber) return coerceLong(type, value);
  if (typeof value === 'string' && WHOLE.has(type))
    throw new WrongType('expected a number, got a string');
  if (type !== 'numeric' || typeof value !== 'number') return value;
  if (significantDigits(String(value)) > EXACT_DIGITS) throw new Undecodable(ROUNDED);
  return String(value);
}

function coerceLong(type: string, { text, isInteger }: LongNumber): unknown {
  if (FLOATS.has(type)) return Number(text);
  if (isInteger && (type === 'numeric' || WHOLE.has(type))) return text;
  // The writer may have used a double, so the last digits may be wrong.
  if (type === 'numeric') throw new Undecodable(ROUNDED);
  throw new WrongType(`expected a value of type ${type}, got a number`);
}

const ROUNDED =
  'a number with more than 15 digits or with a large exponent, which a double may have rounded';

/**
 * Reads Kafka Connect's decimal: the unscaled digits as base64, or a number, which the converter
 * writes without rounding.
 */
function connectDecimal(value: unknown, scale: number): string {
  if (value instanceof LongNumber) return value.text;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw new WrongType('expected base64');
  return decimalText(base64Bytes(value), scale);
}

/** Converts a decimal for the column's type. Only columns of numbers or money accept a decimal. */
function canonFromDecimal(type: string, decimal: string): Canon {
  if (type === 'money') return canonFromJson(type, decimal);
  if (FLOATS.has(type)) return canonFromJson(type, new LongNumber(decimal));
  if (type === 'numeric' || WHOLE.has(type)) return canonicalDecimal(decimal);
  throw new WrongType(`expected a value of type ${type}, got a decimal`);
}
