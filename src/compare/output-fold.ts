// Folds the pipeline's output topic to the last value of each key. Reads plain JSON and Kafka
// Connect's JSON with schema.
import { canonFromJson, type Canon } from './column-types.js';
import { canonicalDecimal } from './canonical-decimal.js';
import { Undecodable } from './undecodable.js';
import { joinRow, type Shape, type StreamRow } from './comparison.js';
import { Fold, streamRow } from './fold.js';
import { EXACT_DIGITS, LongNumber, parseJsonDigits, significantDigits } from './json.js';
import { REFUSED } from './refused.js';

interface FieldSchema {
  readonly field?: string;
  readonly type?: string;
  readonly name?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly fields?: readonly FieldSchema[];
}

export class OutputFold extends Fold {
  readonly #shape: Shape;
  readonly #image: string | null;

  /**
   * Creates an empty fold. `image` is the member of the value that contains the row (Debezium's
   * `after`). Null means that the value itself is the row.
   */
  constructor(shape: Shape, image: string | null = null) {
    super();
    this.#shape = shape;
    this.#image = image;
  }

  /**
   * Takes one record. Returns its key, or null if the record is refused. It refuses a key that
   * occurs in several partitions, because its records have no order.
   */
  add(key: Buffer | null, value: Buffer | null, offset = -1): string | null {
    const { partition } = this.place;
    const refuse = (why: number): null => {
      const text = { key: key?.toString('utf8') ?? null, value: value?.toString('utf8') ?? null };
      this.refuse({ partition, offset, why, ...text });
      return null;
    };
    if (key === null) return refuse(REFUSED.noKey);
    try {
      const keyFields = unwrap(parseJsonDigits(key.toString('utf8')));
      const name = joinRow(this.#shape.key.map((column) => this.#canon(keyFields, column)));
      const parsed = value === null ? null : parseJsonDigits(value.toString('utf8'));
      const image =
        this.#image === null || parsed === null
          ? parsed
          : (parsed as Record<string, unknown>)[this.#image];
      const known = this.rows.get(name);
      if (known && known.partition !== partition) return refuse(REFUSED.scattered);
      if (image === null) this.rows.delete(name);
      else this.rows.set(name, { ...this.#row(image, keyFields), partition });
      return name;
    } catch {
      return refuse(REFUSED.unreadable);
    }
  }

  #row(image: unknown, keyFields: Fields): StreamRow {
    try {
      const fields = unwrap(image);
      const where = (name: string): Fields =>
        !fields.has(name) && this.#shape.key.includes(name) ? keyFields : fields;
      return streamRow(
        this.#shape,
        ({ name }) => this.#canon(where(name), name),
        (name) => where(name).get(name),
      );
    } catch {
      return { row: null, mark: 0 };
    }
  }

  #canon(fields: Fields, name: string): Canon {
    const type = this.#shape.columns.find((column) => column.name === name)!.type;
    return canonFromConnect(type, fields.get(name), fields.schema(name));
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
      return canonicalDecimal(unscaled(value, Number(schema.parameters?.['scale'] ?? 0)));
    case 'org.apache.kafka.connect.data.Date':
      return canonFromJson(type, new Date(Number(value) * 86_400_000).toISOString().slice(0, 10));
    case 'org.apache.kafka.connect.data.Timestamp':
      return canonFromJson(type, new Date(Number(value)).toISOString());
    default:
      return canonFromJson(type, coerce(type, value));
  }
}

/** Accepts a JSON number for a `numeric` column if a double represents it exactly. */
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
const MOST_DECIMAL = 20_000; // limits the bytes of the digits, and the digits after the point

function unscaled(base64: unknown, scale: number): string {
  if (typeof base64 !== 'string') throw new Undecodable('expected base64');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0) throw new Undecodable('empty decimal');
  if (bytes.length > MOST_DECIMAL || !(Math.abs(scale) <= MOST_DECIMAL))
    throw new Undecodable('a decimal out of range');
  let digits = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  const sign = digits < 0n ? '-' : '';
  if (digits < 0n) digits = -digits;
  const text = digits.toString().padStart(scale + 1, '0');
  return scale <= 0
    ? `${sign}${text}${'0'.repeat(-scale)}`
    : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}
