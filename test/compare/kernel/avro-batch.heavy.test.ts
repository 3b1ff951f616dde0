// Compares the kernel's encoding of records in Avro with that of the reference. Both must give
// exactly the same changes for random schemas and values, and for damaged records.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AvroRecords } from '../../../src/compare/avro/avro-records.js';
import { CHANGE_WORDS, type Changes, type Place } from '../../../src/compare/enc/change.js';
import { RecordBatch } from '../../../src/compare/kernel/record-batch.js';
import { RegistryEncoding } from '../../../src/compare/kernel/record-encoding.js';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { avroColumn, type AvroColumn } from '../../support/avro-columns.js';
import { branch, bytes, double, float, framed, long, string } from '../../support/avro-bytes.js';

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
type Schemas = Readonly<Record<number, object>>;
const [KEY, EVENT] = [1, 2];

/**
 * Encodes the messages. Returns the words of the changes, and how many records the reference
 * encoded.
 */
function encoded(
  shape: Shape,
  schemas: Schemas,
  messages: readonly Message[],
  { place = { partition: 0, partitions: 1 }, byKernel = true },
): { words: number[]; referred: number } {
  const encoding = new RegistryEncoding(shape, new AvroRecords());
  for (const [id, schema] of Object.entries(schemas)) {
    const learner = byKernel ? encoding : encoding.decoder;
    learner.learn(Number(id), JSON.stringify(schema));
  }
  const batch = new RecordBatch(shape, encoding);
  const parts = messages.flatMap(({ key, value }) => [key, value]);
  const response = Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0)));
  const read = (): Changes => {
    encoding.decoder.keySchema = KEY;
    batch.referred = 0;
    batch.begin(place, response);
    let at = 0;
    messages.forEach(({ key, value }, offset) => {
      const [keyAt, valueAt] = [at, at + (key?.length ?? 0)];
      at = valueAt + (value?.length ?? 0);
      batch.add(offset, batch.response, key ? keyAt : -1, valueAt, value ? valueAt : -1, at);
    });
    return batch.finish();
  };
  let changes = read();
  while (encoding.decoder.wanted.size > 0) {
    for (const id of encoding.decoder.wanted) encoding.learn(id, null); // no such schema
    changes = read();
  }
  const words = [...changes.words.subarray(0, changes.count * CHANGE_WORDS)];
  return { words, referred: batch.referred };
}

const record = (name: string, ...fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name,
  fields: fields.map(([field, type]) => ({ name: field, type })),
});
const SOURCE = record(
  'Source',
  ['version', 'string'],
  ['ts_ms', 'long'],
  ['sequence', ['null', 'string']],
  ['txId', ['null', 'long']],
  ['isLast', ['null', 'boolean']],
);
const eventOf = (...fields: readonly (readonly [string, unknown])[]): object =>
  record(
    'Envelope',
    ['before', ['null', record('Value', ...fields)]],
    ['after', ['null', 'Value']],
    ['source', SOURCE],
    ['transaction', ['null', record('block', ['id', 'string'], ['order', 'long'])]],
    ['op', 'string'],
    ['ts_ns', ['null', 'long']],
  );
const sourceOf = (txId: number | bigint): Buffer =>
  Buffer.concat([string('3.7'), long(5), branch(0), branch(1, long(txId)), branch(0)]);
const rest = (op: string): Buffer[] => [
  branch(1, Buffer.concat([string('1:2'), long(3)])),
  string(op),
  branch(1, long(2n ** 60n)),
];
const valueOf = (op: string, row: Buffer, txId: number | bigint, before = false): Buffer =>
  framed(
    EVENT,
    op === 'd' || before ? branch(1, row) : branch(0),
    op === 'd' ? branch(0) : branch(1, row),
    sourceOf(txId),
    ...rest(op),
  );

const KEY_SCHEMA = record('Key', ['id', 'long']);
const ops = fc.constantFrom('r', 'c', 'u', 'd', 'm', '');
const damage = fc.option(fc.tuple(fc.nat(), fc.nat(255), fc.boolean()), { freq: 3 });

/** Changes a byte, or cuts the bytes off. */
function damaged(whole: Buffer, [at, byte, isCut]: [number, number, boolean]): Buffer {
  if (isCut) return whole.subarray(0, at % whole.length);
  const copy = Buffer.from(whole);
  copy[at % whole.length] = byte;
  return copy;
}

const shapeOf = (columns: readonly AvroColumn[]): Shape => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    ...columns.map(({ type }, at) => ({ name: `c${at}`, type })),
  ],
});

describe('the kernel on records in Avro', () => {
  it('gives the same changes as the reference for random columns, operations and damages', () => {
    const row = fc.array(avroColumn, { minLength: 1, maxLength: 6 });
    const change = fc.tuple(fc.bigInt({ min: -5n, max: 2n ** 60n }), ops, fc.boolean(), damage);
    fc.assert(
      fc.property(row, fc.array(change, { maxLength: 12 }), fc.nat(2), (columns, list, parts) => {
        const shape = shapeOf(columns);
        const fields = columns.map(({ schema }, at) => [`c${at}`, schema] as const);
        const schemas = { [KEY]: KEY_SCHEMA, [EVENT]: eventOf(['id', 'long'], ...fields) };
        const messages = list.map(([txId, op, before, harm], id): Message => {
          const image = Buffer.concat([long(id), ...columns.map(({ encoded: one }) => one)]);
          const key = framed(KEY, long(id % 11 === 10 ? 999 : id));
          const value = valueOf(op, image, txId, before);
          if (harm === null) return { key, value };
          return harm[1] % 7 === 0
            ? { key: damaged(key, harm), value }
            : { key, value: damaged(value, harm) };
        });
        const place: Place = { partition: 0, partitions: parts };
        const by = (byKernel: boolean): number[] =>
          encoded(shape, schemas, messages, { place, byKernel }).words;
        expect(by(true)).toEqual(by(false));
      }),
      { numRuns: 500 },
    );
  });

  it('encodes rows of common types by itself, and leaves only unusual records to the reference', () => {
    const shape: Shape = {
      key: ['id', 'region'],
      columns: [
        { name: 'id', type: 'int8' },
        { name: 'region', type: 'text' },
        { name: 'n', type: 'int4' },
        { name: 'price', type: 'numeric' },
        { name: 'rate', type: 'float8' },
        { name: 'small', type: 'float4' },
        { name: 'ok', type: 'bool' },
        { name: 'at', type: 'timestamptz' },
        { name: 'ref', type: 'uuid' },
        { name: 'doc', type: 'jsonb' },
        { name: 'code', type: 'bpchar' },
      ],
    };
    const optional = (type: string): unknown => ['null', type];
    const fields: [string, unknown][] = [
      ['id', 'long'],
      ['region', 'string'],
      ['extra', ['null', 'bytes']],
      ['n', ['int', 'null']],
      ['price', optional('string')],
      ['rate', optional('double')],
      ['small', optional('float')],
      ['ok', optional('boolean')],
      ['at', ['null', { type: 'string', 'connect.name': 'io.debezium.time.ZonedTimestamp' }]],
      ['ref', optional('string')],
      ['doc', optional('string')],
      ['code', 'string'],
    ];
    const schemas = {
      [KEY]: record('Key', ['region', 'string'], ['id', 'long']),
      [EVENT]: eventOf(...fields),
    };
    const row = (id: number, isNull: boolean): Buffer =>
      Buffer.concat([
        long(id),
        string('eu "west"'),
        branch(1, bytes(Buffer.from([1, 2]))),
        isNull ? branch(1) : branch(0, long(-70_000)),
        ...[
          string('12.50'),
          double(-0.1),
          float(1.5),
          Buffer.from([1]),
          string('2026-01-02T03:04:05.000006Z'),
          string('0195e3f4-0000-7000-8000-000000000001'),
          string('{"a": "ü\\n"}'),
        ].map((value) => (isNull ? branch(0) : branch(1, value))),
        string('c1    '),
      ]);
    const messages = ['r', 'c', 'u', 'd'].flatMap((op, at) =>
      [true, false].map((isNull) => {
        const id = at * 2 + (isNull ? 1 : 0);
        const key = framed(KEY, string('eu "west"'), long(id));
        return { key, value: valueOf(op, row(id, isNull), 700, op === 'u') };
      }),
    );
    const kernel = encoded(shape, schemas, messages, {});
    const reference = encoded(shape, schemas, messages, { byKernel: false });
    expect(kernel.words).toEqual(reference.words);
    expect([kernel.referred, reference.referred]).toEqual([0, messages.length]);
    const unusual = [
      { key: messages[0]!.key, value: null },
      { key: null, value: messages[0]!.value },
      { key: messages[0]!.key, value: framed(9, long(1)) },
    ];
    const left = encoded(shape, schemas, [...messages, ...unusual], {});
    expect(left.referred).toBe(unusual.length);
  });
});
