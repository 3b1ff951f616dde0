// Tests that Sluice can read the record batches that it writes, and that their headers and
// checksums are right.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../src/clients/kafka/batch-builder.js';
import { SharedBytes, crc32c } from '../../src/clients/kafka/crc32c.js';
import {
  TransactionFilter,
  rangeOf,
  visibleBatches,
  walkBatch,
} from '../../src/clients/kafka/record-batch.js';

const read = (batch: Buffer): [string | null, string | null][] => {
  const found: [string | null, string | null][] = [];
  for (const visible of visibleBatches(batch, 0, 1_000_000, new TransactionFilter()).batches)
    walkBatch(batch, visible, 0, 1_000_000, (_offset, bytes, keyStart, keyEnd, start, end) =>
      found.push([
        rangeOf(bytes, keyStart, keyEnd)?.toString() ?? null,
        rangeOf(bytes, start, end)?.toString() ?? null,
      ]),
    );
  return found;
};

describe('crc32c', () => {
  it('is the Castagnoli checksum at any alignment', () => {
    expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe3069283);
    expect(crc32c(Buffer.from('x123456789y'), 1, 10)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
  });
});

describe('a record batch', () => {
  it('has the same bytes with `add` as with `addBytes`, which appends one shared end to each value', () => {
    const records = fc.array(fc.tuple(fc.string(), fc.string({ maxLength: 300 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(records, fc.string({ maxLength: 500 }), (added, end) => {
        const [texts, ranges] = [new BatchBuilder(100), new BatchBuilder(100)];
        const shared = new SharedBytes(Buffer.from(end));
        for (const [key, value] of added) {
          texts.add(key, value + end);
          const bytes = Buffer.from(`.${value}${key}.`);
          const valueTo = 1 + Buffer.byteLength(value);
          const keyTo = bytes.length - 1;
          ranges.addBytes({ bytes, valueFrom: 1, valueTo, keyFrom: valueTo, keyTo }, shared);
        }
        const finish = (builder: BatchBuilder): Buffer =>
          builder.finish({ producerId: 7n, epoch: 1 }, 41, 1_700_000_000_000);
        expect(finish(ranges).equals(finish(texts))).toBe(true);
      }),
    );
  });

  it('returns each key and value at any capacity, including tombstones and multi-byte characters', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.string({ minLength: 120, maxLength: 140 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.option(text)), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 61, max: 4000 }),
        (records, capacity) => {
          const builder = new BatchBuilder(capacity);
          for (const [key, value] of records) builder.add(key, value);
          const batch = builder.finish({ producerId: 7n, epoch: 1 }, 41, 1_700_000_000_000);
          expect(read(batch)).toEqual(records);
          expect(batch.readUInt32BE(17)).toBe(crc32c(batch, 21, batch.length));
          expect([
            batch.readBigInt64BE(43),
            batch.readInt16BE(51),
            batch.readInt32BE(53),
            batch.readInt32BE(57),
          ]).toEqual([7n, 1, 41, records.length]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
