// Tests that a result in Protobuf has the values of the batch, even if a record has its fields in
// reverse order. The values are random. The test encodes the values by itself. The file also tests
// records of random bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromText } from '../../../src/compare/column-types.js';
import { ProtobufRecords } from '../../../src/compare/protobuf/protobuf-records.js';
import type { OutputRecord } from '../../../src/compare/output-reader.js';
import { field, fixed, message, number, sized, zigzag } from '../../support/protobuf-bytes.js';
import { readRecord, shapeOf } from '../../support/result-record.js';

const RUNS = 200;
const KEY = 'syntax = "proto3"; message Key { int64 id = 1; }';

interface Value {
  readonly type: string;
  readonly declared: string;
  /** The value as Postgres prints it. */
  readonly text: string;
  readonly encode: (id: number) => Buffer;
}

const of = <T>(
  type: string,
  declared: string,
  values: fc.Arbitrary<T>,
  encode: (id: number, value: T) => Buffer,
  text: (value: T) => string = String,
): fc.Arbitrary<Value> =>
  values.map((value) => ({
    type,
    declared,
    text: text(value),
    encode: (id) => encode(id, value),
  }));

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int = fc.integer();
const stamp = (ms: number, nanos: string): string =>
  new Date(ms).toISOString().replace('T', ' ').replace(/\..*$/, `.${nanos}`);

const value = fc.oneof(
  of('int8', 'int64', long, number),
  of('int8', 'sint64', long, (id, v) => field(id, 0, zigzag(v))),
  of('int8', 'sfixed64', long, (id, v) => fixed(id, 8, (b) => b.writeBigInt64LE(v))),
  of('int4', 'int32', int, number),
  of('int4', 'sint32', int, (id, v) => field(id, 0, zigzag(v))),
  of('int4', 'sfixed32', int, (id, v) => fixed(id, 4, (b) => b.writeInt32LE(v))),
  of('int8', 'uint32', fc.nat(2 ** 32 - 1), number),
  of('float8', 'double', fc.double(), (id, v) => fixed(id, 8, (b) => b.writeDoubleLE(v))),
  of('float4', 'float', fc.float(), (id, v) => fixed(id, 4, (b) => b.writeFloatLE(v))),
  of(
    'bool',
    'bool',
    fc.boolean(),
    (id, v) => number(id, v ? 1 : 0),
    (v) => (v ? 't' : 'f'),
  ),
  of('text', 'string', fc.string({ unit: 'grapheme' }), sized, (v) => v),
  of(
    'bytea',
    'bytes',
    fc.uint8Array({ maxLength: 20 }),
    (id, v) => sized(id, Buffer.from(v)),
    (v) => `\\x${Buffer.from(v).toString('hex')}`,
  ),
  of(
    'timestamptz',
    'google.protobuf.Timestamp',
    fc.tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.nat(999_999)),
    (id, [seconds, micros]) =>
      sized(id, Buffer.concat([number(1, seconds), number(2, micros * 1000)])),
    ([seconds, micros]) => `${stamp(seconds * 1000, String(micros).padStart(6, '0'))}+00`,
  ),
  of(
    'numeric',
    'google.type.Decimal',
    fc.tuple(long, fc.nat(999)),
    (id, [whole, part]) => sized(id, sized(1, `${whole}.${part}`)),
    ([whole, part]) => `${whole}.${part}`,
  ),
);
const values = fc.array(value, { minLength: 1, maxLength: 8 });

function read(all: readonly Value[], record: Buffer): OutputRecord {
  const fields = all.map(({ declared }, at) => `${declared} c${at} = ${at + 1};`).join(' ');
  const schema = `syntax = "proto3"; message Row { ${fields} }`;
  const columns = Object.fromEntries(all.map(({ type }, at) => [`c${at}`, type]));
  const key = message(1, [], number(1, 7));
  return readRecord(shapeOf(columns), new ProtobufRecords(), { 1: KEY, 2: schema }, key, record);
}

describe('a result in Protobuf', () => {
  it('has the values of the batch, even if its fields are in reverse order', () => {
    fc.assert(
      fc.property(values, fc.boolean(), (all, isReversed) => {
        const fields = all.map(({ encode }, at) => encode(at + 1));
        const record = message(2, [], ...(isReversed ? fields.toReversed() : fields));
        const expected = all.map(({ type, text }) => canonFromText(type, text));
        expect(read(all, record)).toEqual({ key: ['7'], row: { values: ['7', ...expected] } });
      }),
      { numRuns: RUNS },
    );
  });

  it('is read, or is refused with a SyntaxError, for random bytes of a record', () => {
    fc.assert(
      fc.property(values, fc.uint8Array({ maxLength: 60 }), (all, noise) => {
        try {
          expect(read(all, message(2, [], Buffer.from(noise))).key).toEqual(['7']);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
