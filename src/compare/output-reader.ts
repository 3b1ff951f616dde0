// Reads the records of the pipeline's output, in plain JSON or in Kafka Connect's JSON with schema.
import { decimalText } from './decimal-text.js';
import { timeOfDayText } from './epoch-text.js';
import { canonFromJson, type Canon } from './column-types.js';
import { canonicalDecimal } from './canonical-decimal.js';
import { Undecodable } from './undecodable.js';
import type { Shape } from './row-comparison.js';
import { canonValues, type CanonValues } from './fold.js';
import { EXACT_DIGITS, LongNumber, parseJsonDigits, significantDigits } from './json.js';

interface FieldSchema {
  readonly field?: string;
  readonly type?: string;
  readonly name?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly fields?: readonly FieldSchema[];
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

  /** Reads one record. Throws an Error if its key or value cannot be read. */
  read(key: Buffer, value: Buffer | null): OutputRecord {
    const keyFields = unwrap(parseJsonDigits(key.toString('utf8')));
    const name = this.#shape.key.map((column) => this.#canon(keyFields, column));
    const parsed = value === null ? null : parseJsonDigits(value.toString('utf8'));
    const image =
      this.#image === null || parsed === null
        ? parsed
        : (parsed as Record<string, unknown>)[this.#image];
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
    has: (name) => Object.hasOwn(payload, name),
    get: (name) => payload[name],
    schema: (name) => schema?.fields?.find((f) => f.field === name),
  };
}

/** Converts the logical types of Kafka Connect to the text of the plain form. */
function canonFromConnect(type: string, value: unknown, schema: FieldSchema | undefined): Canon {
  if (value === null || value === undefined || !schema?.name)
    return canonFromJson(type, coerce(type, value));
  switch (schema.name) {
    case 'org.apache.kafka.connect.data.Decimal':
      return connectDecimal(value, Number(schema.parameters?.['scale'] ?? 0));
    case 'org.apache.kafka.connect.data.Date':
      return canonFromJson(type, new Date(Number(value) * 86_400_000).toISOString().slice(0, 10));
    case 'org.apache.kafka.connect.data.Timestamp':
      return canonFromJson(type, new Date(Number(value)).toISOString());
    case 'org.apache.kafka.connect.data.Time':
      return canonFromJson(type, timeOfDayText(Number(value), 1000));
    default:
      return canonFromJson(type, coerce(type, value));
  }
}

/**
 * Accepts a JSON number for a `numeric` column if it has at most 15 digits, because a double holds
 * these exactly.
 */
function coerce(type: string, value: unknown): unknown {
  if (value instanceof LongNumber) {
    // The writer may have used a double, so the last digits may be wrong.
    if (type === 'numeric') throw new Undecodable(ROUNDED);
    return Number(value.text);
  }
  if (type !== 'numeric' || typeof value !== 'number') return value;
  if (significantDigits(String(value)) > EXACT_DIGITS) throw new Undecodable(ROUNDED);
  return String(value);
}

const ROUNDED = 'a number of more than 15 digits, which a double may have rounded';

/**
 * Reads Kafka Connect's decimal: the unscaled digits as base64, or a number, which the converter
 * writes without rounding.
 */
function connectDecimal(value: unknown, scale: number): string {
  if (value instanceof LongNumber) return canonicalDecimal(value.text);
  if (typeof value === 'number') return canonicalDecimal(String(value));
  if (typeof value !== 'string') throw new Undecodable('expected base64');
  // parseJsonDigits returns a long whole number as a string too
  if (LONG_DIGITS.test(value)) throw new Undecodable('either base64 or a number of many digits');
  return canonicalDecimal(decimalText(Buffer.from(value, 'base64'), scale));
}

const LONG_DIGITS = /^-?\d{16,}$/;
