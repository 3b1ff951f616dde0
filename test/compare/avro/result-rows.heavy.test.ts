// Tests that a result in Avro has the same values as the same rows of the batch. The values are
// random. The test encodes them without the code under test.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AvroRecords } from '../../../src/compare/avro/avro-records.js';
import { canonFromText } from '../../../src/compare/column-types.js';
import { OutputReader, type OutputRecord } from '../../../src/compare/output-reader.js';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { framed, long } from '../../support/avro-bytes.js';
import { avroColumn, type AvroColumn } from '../../support/avro-columns.js';
import { KEY, keyOf, textsOf } from '../../support/avro-rewritten.js';

const nameOf = (at: number): string => `c${at}`;
const RUNS = 200;

/** Random columns. Some types have names. Avro allows each name only once in a schema. */
const columns = fc.uniqueArray(avroColumn, {
  minLength: 1,
  maxLength: 6,
  selector: ({ schema }) => JSON.stringify(schema),
  comparator: (a, b) => a === b && a.includes('"name"'),
});
const usable = columns.filter(
  (all) => new Set(all.flatMap(namesIn)).size === all.flatMap(namesIn).length,
);

function namesIn({ schema }: AvroColumn): string[] {
  return [...JSON.stringify(schema).matchAll(/"name":"(\w+)"/g)].map(([, name]) => name!);
}

const schemaOf = (all: readonly AvroColumn[]): string =>
  JSON.stringify({
    type: 'record',
    name: 'Row',
    fields: all.map(({ schema }, at) => ({ name: nameOf(at), type: schema })),
  });

const shapeOf = (all: readonly AvroColumn[]): Shape => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    ...all.map(({ type }, at) => ({ name: nameOf(at), type })),
  ],
});

/** Reads one record through the decoder and the reader of results. Throws if it is refused. */
function read(all: readonly AvroColumn[], value: Buffer): OutputRecord {
  const records = new AvroRecords('rows');
  records.learn(1, JSON.stringify(KEY));
  records.learn(2, schemaOf(all));
  records.begin({ partition: 0, partitions: 0 });
  const both = Buffer.concat([keyOf(7), value]);
  records.add(0, both, 0, keyOf(7).length, keyOf(7).length, both.length);
  const [written] = textsOf(records);
  return new OutputReader(shapeOf(all)).read(
    Buffer.from(written!.key!),
    Buffer.from(written!.value!),
  );
}

const valueOf = (all: readonly AvroColumn[]): Buffer =>
  framed(2, ...all.map(({ encoded }) => encoded));

describe('a result in Avro', () => {
  it('has the values of the batch, for random types and logical types of its columns', () => {
    fc.assert(
      fc.property(usable, (all) => {
        const expected = all.map(({ type, text }) => canonFromText(type, text));
        expect(read(all, valueOf(all))).toEqual({
          key: ['7'],
          row: { values: ['7', ...expected] },
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('is refused, and never read as a different row, if a record is cut off or has extra bytes', () => {
    fc.assert(
      fc.property(usable, fc.nat(), (all, at) => {
        const value = valueOf(all);
        expect(() => read(all, value.subarray(0, at % value.length))).toThrow();
        expect(() => read(all, Buffer.concat([value, long(at)]))).toThrow();
      }),
      { numRuns: RUNS },
    );
  });

  it('is refused or read, and causes no other error, if a record has random bytes', () => {
    fc.assert(
      fc.property(usable, fc.uint8Array({ maxLength: 60 }), (all, noise) => {
        try {
          expect(read(all, framed(2, Buffer.from(noise))).key).toEqual(['7']);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
