// Tests the sequence numbers of record batches, by which a broker recognizes a repeated batch.
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../src/clients/kafka/batch-builder.js';
import { BulkWriter, nextSequence } from '../../src/clients/kafka/producer.js';

const SEQUENCE_AT = 53;
const LAST = 2_147_483_647;

describe('the sequence number of a batch', () => {
  it.each([
    [0, 3, 3],
    [LAST - 2, 2, LAST],
    [LAST, 1, 0],
    [LAST - 1, 5, 3],
  ])(
    'after %i and %i records is %i, so it continues with 0 after the largest one',
    (from, records, to) => expect(nextSequence(from, records)).toBe(to),
  );
  it('fits into the batch, also after the largest one', () => {
    const batch = new BatchBuilder(100);
    batch.add('k', 'v');
    const bytes = batch.finish({ producerId: 1n, epoch: 0 }, nextSequence(LAST, 1), 0);
    expect(bytes.readInt32BE(SEQUENCE_AT)).toBe(0);
  });
  it('counts the records of each partition', async () => {
    const sent: [number, number][] = [];
    const writer = new BulkWriter({
      partitions: () => Promise.resolve(2),
      identify: () => Promise.resolve({ producerId: 1n, epoch: 0 }),
      partitionOf: (key) => Number(key.toString()) % 2,
      produce: (_topic, partition, batch) => {
        sent.push([partition, batch.readInt32BE(SEQUENCE_AT)]);
        return Promise.resolve();
      },
    });
    for (const keys of [['0', '2', '1'], ['4', '3'], ['5']]) {
      for (const key of keys) await writer.write('t', { key, value: 'v' });
      await writer.flush();
    }
    expect(sent).toEqual([
      [0, 0],
      [1, 0],
      [0, 2],
      [1, 1],
      [1, 2],
    ]);
  });
});
