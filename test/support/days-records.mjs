// Encodes the records of days-pipeline.mjs in each format of a schema registry, and registers their
// schemas. A column is [name, kind, value]. The code follows the specifications of the formats.

/** Registers a schema, and returns its id. */
async function register(registry, subject, schema, schemaType) {
  const answer = await fetch(`${registry}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema, schemaType }),
  });
  if (!answer.ok) throw new Error(`${subject}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).id;
}

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
const long = (value) => varint((BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
const isoDay = (day) => new Date(day * 86_400_000).toISOString().slice(0, 10);
const decimalText = (cents) => {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
const eight = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const MOODS = ['calm', 'busy'];

const sizedAvro = (bytes) => Buffer.concat([long(bytes.length), bytes]);
const AVRO = {
  date: [{ type: 'int', logicalType: 'date' }, long],
  money: [
    { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 2 },
    (cents) => sizedAvro(eight(cents)),
  ],
  time: [{ type: 'long', logicalType: 'timestamp-millis' }, long],
  whole: ['long', long],
  mood: [{ type: 'enum', name: 'Mood', symbols: MOODS }, long],
  note: [
    ['null', 'string'],
    (text) => (text === null ? long(0) : Buffer.concat([long(1), sizedAvro(Buffer.from(text))])),
  ],
};
const avro = {
  schemaType: 'AVRO',
  schema: (columns) =>
    JSON.stringify({
      type: 'record',
      name: 'Row',
      namespace: 'shop',
      fields: columns.map(([name, kind]) => ({ name, type: AVRO[kind][0] })),
    }),
  encode: (columns) => Buffer.concat(columns.map(([, kind, value]) => AVRO[kind][1](value))),
};

const JSON_VALUES = {
  date: ['string', (day) => JSON.stringify(isoDay(day))],
  money: ['string', (cents) => JSON.stringify(decimalText(cents))],
  time: ['string', (ms) => JSON.stringify(new Date(ms).toISOString())],
  whole: ['integer', String],
  mood: ['string', (mood) => JSON.stringify(MOODS[mood])],
  note: [['string', 'null'], (text) => JSON.stringify(text)],
};
const jsonSchema = {
  schemaType: 'JSON',
  schema: (columns) =>
    JSON.stringify({
      type: 'object',
      properties: Object.fromEntries(
        columns.map(([name, kind]) => [name, { type: JSON_VALUES[kind][0] }]),
      ),
    }),
  encode: (columns) =>
    Buffer.from(
      `{${columns.map(([name, kind, value]) => `"${name}":${JSON_VALUES[kind][1](value)}`).join(',')}}`,
    ),
};

const field = (id, wire, bytes) => Buffer.concat([varint(id * 8 + wire), bytes]);
const number = (id, value) => field(id, 0, varint(value));
const sized = (id, bytes) => field(id, 2, Buffer.concat([varint(bytes.length), bytes]));
const dateParts = (day) =>
  isoDay(day)
    .split('-')
    .map((part, at) => number(at + 1, Number(part)));
const PROTOBUF = {
  date: ['google.type.Date', (id, day) => sized(id, Buffer.concat(dateParts(day)))],
  money: [
    'google.type.Decimal',
    (id, cents) => sized(id, sized(1, Buffer.from(decimalText(cents)))),
  ],
  time: [
    'google.protobuf.Timestamp',
    (id, ms) => {
      const seconds = Math.floor(ms / 1000);
      const nanos = number(2, (ms - seconds * 1000) * 1_000_000);
      return sized(id, Buffer.concat([number(1, seconds), nanos]));
    },
  ],
  whole: ['int64', number],
  mood: ['Mood', number],
  note: [
    'optional string',
    (id, text) => (text === null ? Buffer.alloc(0) : sized(id, Buffer.from(text))),
  ],
};
const protobuf = {
  schemaType: 'PROTOBUF',
  schema: (columns) => `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "google/type/decimal.proto";
message Unused { string text = 1; }
message Row {
  enum Mood { ${MOODS.map((mood, at) => `${mood} = ${at};`).join(' ')} }
  ${columns.map(([name, kind], at) => `${PROTOBUF[kind][0]} ${name} = ${at + 1};`).join('\n  ')}
}
`,
  encode: (columns) =>
    Buffer.concat([
      Buffer.concat([long(1), long(1)]), // the path to `Row`, the second message of the schema
      ...columns.map(([, kind, value], at) => PROTOBUF[kind][1](at + 1, value)),
    ]),
};

const FORMATS = { avro, 'json-schema': jsonSchema, protobuf };

/** Returns a function that encodes columns, and registers each schema that it meets. */
export function encoder(registry, format) {
  const { schemaType, schema, encode } = FORMATS[format];
  const ids = new Map();
  let before = Promise.resolve();
  // Schemas are registered one after the other, because the registry refuses to register the first
  // version of two schemas at the same time.
  const idOf = (subject, text) => {
    const known = `${subject} ${text}`;
    if (!ids.has(known)) {
      before = before.then(() => register(registry, subject, text, schemaType));
      ids.set(known, before);
    }
    return ids.get(known);
  };
  return async (subject, columns) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(await idOf(subject, schema(columns)), 1);
    return Buffer.concat([head, encode(columns)]);
  };
}
