// Tests which batches of a partition are read if transactions were aborted.
import { describe, expect, it } from 'vitest';
import { readBatches } from '../../src/clients/kafka/batch-reader.js';
import type { Brokers } from '../../src/clients/kafka/brokers.js';
import type { FetchedPartition } from '../../src/clients/kafka/fetch-response.js';

const PRODUCER = 7n;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x30;

/** Encodes the header of a batch that has one offset. */
function batch(offset: number, attributes: number): Buffer {
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(offset), 0);
  header.writeInt32BE(header.length - 12, 8);
  header.writeInt8(2, 16); // the version of the format
  header.writeInt16BE(attributes, 21);
  header.writeBigInt64BE(PRODUCER, 43);
  return header;
}

/** Returns the offsets that are read. `answers` has the brokers' answer for each fetch offset. */
async function offsetsRead(
  to: number,
  answers: Record<number, { batches: Buffer[]; abortedFrom?: number }>,
): Promise<number[]> {
  const fetch = (_topic: string, _partition: number, offset: number): Promise<FetchedPartition> => {
    const { batches, abortedFrom } = answers[offset]!;
    return Promise.resolve({
      errorCode: 0,
      lowOffset: 0,
      records: Buffer.concat(batches),
      aborted:
        abortedFrom === undefined ? [] : [{ producerId: PRODUCER, firstOffset: abortedFrom }],
    });
  };
  const found: number[] = [];
  const range = { topic: 't', partition: 0, from: 0, to };
  await readBatches({ fetch } as unknown as Brokers, range, (_records, batches) => {
    found.push(...batches.map(({ baseOffset }) => baseOffset));
  });
  return found;
}

describe('a partition with an aborted transaction', () => {
  it('is read without the records of that transaction, even if several answers contain them', async () => {
    const read = await offsetsRead(6, {
      0: {
        batches: [batch(0, TRANSACTIONAL), batch(1, CONTROL), batch(2, TRANSACTIONAL)],
        abortedFrom: 2,
      },
      3: {
        batches: [batch(3, TRANSACTIONAL), batch(4, CONTROL), batch(5, TRANSACTIONAL)],
        abortedFrom: 2,
      },
    });
    expect(read).toEqual([0, 5]);
  });

  it('includes later transactions of the same producer, even if compaction removed the abort marker', async () => {
    const read = await offsetsRead(7, {
      0: { batches: [batch(0, TRANSACTIONAL)], abortedFrom: 0 },
      1: { batches: [batch(5, TRANSACTIONAL), batch(6, CONTROL)] },
    });
    expect(read).toEqual([5]);
  });
});
