// Writes change events of the benchmark's table in Avro, as Debezium does with Apicurio's
// converter.
import { branch, double, framed, long, string } from '../../test/support/avro-bytes.js';
import { COLUMNS } from '../validation/data.js';

const nullable = (type: unknown): unknown => ['null', type];
const named = (type: string, name: string): object => ({
  type,
  'connect.version': 1,
  'connect.name': name,
});

/** The schema of each type that Debezium does not write as a plain string. */
const SCHEMAS: Readonly<Record<string, unknown>> = {
  int4: 'int',
  int8: 'long',
  float8: 'double',
  bool: 'boolean',
  timestamptz: named('string', 'io.debezium.time.ZonedTimestamp'),
  uuid: named('string', 'io.debezium.data.Uuid'),
  jsonb: named('string', 'io.debezium.data.Json'),
};
const NAMESPACE = 'bench.public.wide';
const record = (name: string, fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name,
  fields: fields.map(([field, type]) => ({ name: field, type })),
});

export const KEY_SCHEMA = { ...record('Key', [['id', 'long']]), namespace: NAMESPACE };

const SOURCE: readonly (readonly [name: string, type: unknown])[] = [
  ['version', 'string'],
  ['connector', 'string'],
  ['name', 'string'],
  ['ts_ms', 'long'],
  ['snapshot', [named('string', 'io.debezium.data.Enum'), 'null']],
  ['db', 'string'],
  ['sequence', nullable('string')],
  ['ts_us', nullable('long')],
  ['ts_ns', nullable('long')],
  ['schema', 'string'],
  ['table', 'string'],
  ['txId', nullable('long')],
  ['lsn', nullable('long')],
  ['xmin', nullable('long')],
  ['origin', nullable('string')],
  ['origin_lsn', nullable('long')],
];

const VALUE = record(
  'Value',
  COLUMNS.map(([name, type]) => {
    const schema = SCHEMAS[type] ?? 'string';
    return [name, name === 'id' ? schema : nullable(schema)];
  }),
);

export const ENVELOPE_SCHEMA = {
  ...record('Envelope', [
    ['before', nullable(VALUE)],
    ['after', nullable('Value')],
    ['source', { ...record('Source', SOURCE), namespace: 'io.debezium.connector.postgresql' }],
    ['transaction', nullable(record('block', [['id', 'string']]))],
    ['op', 'string'],
    ['ts_ms', nullable('long')],
    ['ts_us', nullable('long')],
    ['ts_ns', nullable('long')],
  ]),
  namespace: NAMESPACE,
};

type Value = string | number | boolean | null;

interface Event {
  readonly after: Readonly<Record<string, Value>>;
  readonly source: Readonly<Record<string, Value>>;
  readonly op: string;
  readonly ts_ms: number;
  readonly ts_us: number;
  readonly ts_ns: number;
}

function encoded(schema: unknown, value: Value): Buffer {
  if (Array.isArray(schema)) {
    const at = schema.findIndex((type) => (type === 'null') === (value === null));
    return branch(at, value === null ? Buffer.alloc(0) : encoded(schema[at], value));
  }
  if (schema === 'long' || schema === 'int') return long(BigInt(value as number));
  if (schema === 'double') return double(Number(value));
  if (schema === 'boolean') return Buffer.from([value ? 1 : 0]);
  return string(String(value));
}

export const keyOf = (id: number, keySchema: number): Buffer => framed(keySchema, long(id));

/** Encodes a change event as a record's value in Avro. `json` is the same value in JSON. */
export function valueOf(json: string, schema: number): Buffer {
  const { after, source, op, ts_ms, ts_us, ts_ns } = JSON.parse(json) as Event;
  const row = COLUMNS.map(([name, type]) => {
    const own = SCHEMAS[type] ?? 'string';
    return encoded(name === 'id' ? own : ['null', own], after[name]!);
  });
  return framed(
    schema,
    branch(0), // before
    branch(1, Buffer.concat(row)),
    ...SOURCE.map(([name, type]) => encoded(type, source[name]!)),
    branch(0), // transaction
    string(op),
    ...[ts_ms, ts_us, ts_ns].map((time) => branch(1, long(BigInt(time)))),
  );
}
