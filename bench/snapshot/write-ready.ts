// Measures how fast a broker stores record batches that were built before the measurement. No copy
// can be faster, because only the broker and the connection have work to do.
import { BatchBuilder } from '../../src/clients/kafka/batch-builder.js';
import { Brokers } from '../../src/clients/kafka/brokers.js';
import { kafkaClient } from '../../src/clients/kafka/client.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { SnapshotWriter } from '../../src/compare/write-debezium-json.js';
import { COLUMNS, DATABASE, timed } from '../joined-rows.js';

const BATCH_BYTES = 900 * 1024;
/**
 * Without a producer id, the broker does not look for duplicates, so one batch can be sent many
 * times.
 */
const NOBODY = { producerId: -1n, epoch: -1 };

/** Returns how long (ms) the broker takes to store as many records as the table has rows. */
export async function writeReady(kafka: KafkaPort, rows: number): Promise<number> {
  const topic = `bench-ready-${Date.now().toString(36)}`;
  await kafka.createTopic(topic, 1, 1, {});
  const brokers = new Brokers(
    kafkaClient(kafka.spec, () => ''),
    {
      listTopics: () => kafka.listTopics(),
      refuseHidden: () => Promise.resolve(),
      explain: (error) => error,
    },
  );
  const table = { database: DATABASE, schema: 'public', table: 'joined', columns: COLUMNS };
  const writer = new SnapshotWriter({ ...table, key: ['id'], server: topic }, Date.now());
  const builder = new BatchBuilder(BATCH_BYTES + 64 * 1024);
  while (builder.size < BATCH_BYTES) {
    const id = 500_000 + builder.records;
    const row = [`${id}`, `${id / 100}`, '2026-01-06 18:53:20+00', `note of order ${id}`];
    const { key, value } = writer.record([...row, `customer ${id % 50_000}`, 'city 42', 't']);
    builder.add(key, value);
  }
  const batch = builder.finish(NOBODY, -1, Date.now());
  const took = await timed(async () => {
    let left = rows;
    const send = async (): Promise<void> => {
      while (left > 0) {
        left -= builder.records;
        await brokers.produce(topic, 0, batch);
      }
    };
    await Promise.all([send(), send()]); // two requests are under way at any time
  });
  await brokers.disconnect();
  await kafka.deleteTopic(topic);
  return took;
}
