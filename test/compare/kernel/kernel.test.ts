// Tests which records the kernel encodes itself, and which it leaves to the reference. The file
// also tests the kernel's checksum, and the digest of its sources.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/clients/kafka/crc32c.js';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { CHANGE_WORDS, ChangeEncoder, Changes } from '../../../src/compare/enc/change.js';
import { RecordBatch } from '../../../src/compare/kernel/record-batch.js';
import { digestOfSources } from '../../../scripts/kernel.mjs';
import { SOURCES } from '../../../src/compare/kernel/wasm.js';
import { encodeBoth, hashBoth } from '../../support/kernel-pairs.js';
import { shapeOf } from '../../support/result-record.js';
import { binaryRow, envelope, jsonImage, type Value } from '../../support/rows.js';

const VALUES: Readonly<Record<string, Value>> = {
  id: '9223372036854775807',
  i4: -5,
  t: 'a "quoted" text \\ with ünusual letters 😀 and a line\nbreak',
  n: '-12345.678900',
  f: 12345.678901234567,
  b: true,
  at: '2026-11-22T10:00:00.123456Z',
  d: '2024-02-29',
  u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  j: '{"a": [1, 2, {"b": "c"}]}',
  y: '00ff7f',
  nothing: null,
};
const KINDS = ['int8', 'int4', 'text', 'numeric', 'float8', 'bool', 'timestamptz', 'date', 'uuid'];
const COLUMN_TYPES = [...KINDS, 'jsonb', 'bytea', 'text'];
const NAMES = Object.keys(VALUES);
const ROW = Object.values(VALUES);
const SHAPE: Shape = {
  key: ['id'],
  columns: NAMES.map((name, at) => ({ name, type: COLUMN_TYPES[at]! })),
};
const PLACE = { partition: 0, partitions: 0 };
const RECORD = {
  key: '{"id":9223372036854775807}',
  value: envelope('u', jsonImage(NAMES, COLUMN_TYPES, ROW), 5_000_000_000),
};

describe('the kernel', () => {
  it('encodes usual records and rows without the reference', () => {
    const records = encodeBoth(SHAPE, [RECORD, RECORD]);
    const rows = hashBoth(SHAPE, [binaryRow(COLUMN_TYPES, ROW)]);
    expect([records.referred, rows.referred]).toEqual([0, 0]);
    expect(records.kernel).toEqual(records.reference);
    expect(rows.kernel).toEqual(rows.reference);
  });

  it('gives a record and its row in the table the same hash', () => {
    const [change] = encodeBoth(SHAPE, [RECORD]).kernel;
    const [row] = hashBoth(SHAPE, [binaryRow(COLUMN_TYPES, ROW)]).kernel;
    expect(change!.split(',').slice(1, 7)).toEqual(row!.split(',').slice(0, 6));
  });

  it.each([
    ['a tombstone', { ...RECORD, value: null }],
    ['a record without a key', { ...RECORD, key: null }],
    ['a key with a space after its brace', { ...RECORD, key: '{ "id":9223372036854775807}' }],
    ['a value that is not JSON', { ...RECORD, value: 'no json' }],
    ['a record that is very long', { ...RECORD, value: `{"a":"${'x'.repeat(300_000)}"}` }],
  ])('leaves %s to the reference', (_case, record) => {
    const { kernel, reference, referred } = encodeBoth(SHAPE, [RECORD, record, RECORD]);
    expect(kernel).toEqual(reference);
    expect(referred).toBe(1);
  });

  it.each(['18446744073709551616', '1.8446744073709551616', '-36893488147419103232.000'])(
    'leaves the double %s, whose digits are a multiple of 2^64, to the reference',
    (digits) => {
      const value = envelope('c', `{"id":1,"v":${digits}}`, 1);
      const { kernel, reference, referred } = encodeBoth(shapeOf({ v: 'float8' }), [
        { key: '{"id":1}', value },
      ]);
      expect(kernel).toEqual(reference);
      expect(referred).toBe(1);
    },
  );

  it('leaves all records of a table to the reference if it does not know a type of the table', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [...SHAPE.columns, { name: 'list', type: 'int4[]' }],
    };
    const image = jsonImage(NAMES, COLUMN_TYPES, ROW).replace(/}$/, ',"list":[1,2]}');
    const records = [{ ...RECORD, value: envelope('c', image, 1) }];
    const { kernel, reference, referred } = encodeBoth(shape, records);
    expect(kernel).toEqual(reference);
    expect(referred).toBe(1);
  });

  it("keeps the order of its own and the reference's records, even when its memory grows", () => {
    const [batch, expected] = [new RecordBatch(SHAPE), new Changes()];
    const encoder = new ChangeEncoder(SHAPE);
    const one = Buffer.concat([Buffer.from(RECORD.key), RECORD.value]);
    const at = [0, RECORD.key.length, RECORD.key.length, one.length] as const;
    batch.begin(PLACE, one);
    for (let offset = 0; offset < 30; offset += 1) {
      const long = Buffer.concat([one, Buffer.alloc(offset * 100_000)]);
      batch.add(offset, offset % 3 === 0 ? batch.response : long, ...at);
      encoder.encode(PLACE, offset, one, ...at, expected);
    }
    const found = batch.finish();
    const length = expected.count * CHANGE_WORDS;
    expect(found.words.slice(0, length)).toEqual(expected.words.slice(0, length));
  });

  it('computes the checksum of a Kafka batch', () => {
    const bytes = randomBytes(5000);
    const batch = new RecordBatch(SHAPE);
    batch.begin(PLACE, bytes);
    for (const [from, to] of [
      [0, 0],
      [0, 1],
      [3, 18],
      [1, 17],
      [7, 4993],
      [0, 5000],
    ] as const)
      expect(batch.checksum!(batch.response, from, to)).toBe(crc32c(bytes, from, to));
  });

  it('was compiled from the sources in its folder', () => {
    expect(SOURCES).toBe(digestOfSources());
  });
});
