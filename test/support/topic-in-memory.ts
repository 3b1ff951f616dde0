// Fakes a Kafka cluster with one topic. The topic's records are in memory, in the form in which a
// broker sends them.
import { crc32c } from '../../src/clients/kafka/crc32c.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { TransactionFilter, visibleBatches } from '../../src/clients/kafka/record-batch.js';
import type { SchemaRegistry } from '../../src/clients/http/schema-registry.js';
import { long } from './avro-bytes.js';

export interface Message {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** Encodes the messages as one record batch, as a broker sends it. */
export function batchOf(messages: readonly Message[], baseOffset: number): Buffer {
  const sized = (bytes: Buffer | null): Buffer[] =>
    bytes === null ? [long(-1)] : [long(bytes.length), bytes];
  const records = messages.map(({ key, value }, at) => {
    const body = [Buffer.alloc(1), long(0), long(at), ...sized(key), ...sized(value), long(0)];
    const whole = Buffer.concat(body);
    return Buffer.concat([long(whole.length), whole]);
  });
  const head = Buffer.alloc(61);
  const batch = Buffer.concat([head, ...records]);
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch[16] = 2; // the version of the format
  batch.writeInt32BE(messages.length - 1, 23);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(messages.length, 57);
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17);
  return batch;
}

/**
 * Returns a fake cluster with one topic in Avro, whose partitions have these records. Each answer
 * of a broker has at most `mostRecords` records.
 */
export function clusterOf(
  partitions: readonly (readonly Message[])[],
  schema: SchemaRegistry['schema'],
  mostRecords = 1 << 20,
): KafkaPort {
  const ends = partitions.map((messages, partition) => {
    const { length } = messages;
    return { partition, low: 0, high: length, committed: length, epoch: 0 };
  });
  return {
    spec: { format: 'avro' },
    registry: { schema },
    topicId: () => Promise.resolve('t'),
    lows: () => Promise.resolve(new Map()),
    offsets: () => Promise.resolve(ends),
    async readBatches(...[, partition, from, to, take]: Parameters<KafkaPort['readBatches']>) {
      const messages = partitions[partition]!;
      for (let at = 0; at < messages.length; at += mostRecords) {
        const answer = batchOf(messages.slice(at, at + mostRecords), at);
        const { batches } = visibleBatches(answer, from, to, new TransactionFilter());
        await take(answer, batches);
      }
    },
  } as unknown as KafkaPort;
}
