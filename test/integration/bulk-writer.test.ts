// Tests the bulk writer (`openWriter`), with which Sluice writes many records. The broker is real,
// so it checks the checksum and the sequence number of every record batch.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import kafkajs from 'kafkajs';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';

const PARTITIONS = 3;
let port: KafkaPort;
beforeAll(() => {
  port = new KafkaPort(
    {
      brokers: [process.env['KAFKA_BROKERS']!],
      replication: 1,
      partitions: PARTITIONS,
      tls: false,
    },
    () => '',
  );
});
afterAll(() => port.disconnect());

async function contents(
  topic: string,
): Promise<Map<string, { partition: number; values: (string | null)[] }>> {
  const found = new Map<string, { partition: number; values: (string | null)[] }>();
  await readTopic(port, topic, ({ partition, key, value }) => {
    const entry = found.get(key!.toString()) ?? { partition, values: [] };
    entry.values.push(value?.toString() ?? null);
    found.set(key!.toString(), entry);
  });
  return found;
}

describe('the bulk writer', () => {
  it('writes each record once, in order for each key, to the partition that kafkajs also chooses', async () => {
    const topic = `bulk-${process.pid}`;
    await port.createTopic(topic, PARTITIONS, 1, {});
    const writer = port.openWriter();
    const padding = 'ü'.repeat(100);
    for (let n = 0; n < 60_000; n += 1)
      await writer.write(topic, {
        key: `k${n % 20_000}`,
        value: n % 7 === 0 ? null : `${n} ${padding}`,
      });
    await writer.flush();
    const found = await contents(topic);
    expect(found.size).toBe(20_000);
    const choose = kafkajs.Partitioners.DefaultPartitioner();
    const metadata = Array.from(
      { length: PARTITIONS },
      (_, partitionId) => ({ partitionId, leader: 1 }) as never,
    );
    for (const [key, { partition, values }] of found) {
      const n = Number(key.slice(1));
      expect(values).toEqual(
        [n, n + 20_000, n + 40_000].map((at) => (at % 7 === 0 ? null : `${at} ${padding}`)),
      );
      expect(partition).toBe(
        choose({
          topic,
          partitionMetadata: metadata,
          message: { key: Buffer.from(key), value: null },
        }),
      );
    }
    await port.deleteTopic(topic);
  });

  it('keeps the order of each key if several callers write at once', async () => {
    const topic = `bulk-many-${process.pid}`;
    await port.createTopic(topic, PARTITIONS, 1, {});
    const writer = port.openWriter();
    const padding = 'x'.repeat(400);
    const write = async (who: number): Promise<void> => {
      for (let n = 0; n < 20_000; n += 1)
        await writer.write(topic, { key: `${who}-${n % 10}`, value: `${n} ${padding}` });
    };
    await Promise.all([0, 1, 2, 3].map(write));
    await writer.flush();
    const found = await contents(topic);
    expect(found.size).toBe(40);
    for (const [key, { values }] of found) {
      const first = Number(key.split('-')[1]);
      expect(values.map((value) => Number(value!.split(' ')[0]))).toEqual(
        Array.from({ length: 2000 }, (_, at) => first + at * 10),
      );
    }
    await port.deleteTopic(topic);
  });

  it('throws an error if the topic does not exist', async () => {
    const writer = port.openWriter();
    await expect(
      Promise.resolve(writer.write(`missing-${process.pid}`, { key: 'k', value: 'v' })),
    ).rejects.toThrow(/missing-|does not/);
  });
});
