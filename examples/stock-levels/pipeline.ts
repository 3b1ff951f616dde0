// Computes the nightly batch as a stream: the stock level of each product, in plain JSON. The
// pipeline is one process that reads one partition. Its state is in memory, and is restored from
// the topic at each start. The changes of the table are JSON, or Avro if REGISTRY_URL is set.
import { readFileSync } from 'node:fs';
import kafkajs, { type EachBatchPayload, type KafkaConfig, type Message } from 'kafkajs';
import { readerOf } from './changes.js';

const env = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
};
const input = `${env('TOPIC_PREFIX')}.public.movements`;
const output = env('OUTPUT_TOPIC');
const groupId = env('APPLICATION_ID');
const read = readerOf(process.env['REGISTRY_URL']);

interface Movement {
  readonly product_id: number;
  readonly quantity: number;
}
/** The newest version of each row by its key, and the totals of each product. */
const rows = new Map<string, Movement>();
const levels = new Map<number, { quantity: number; movements: number }>();

/** Takes one change of the table, and returns the products whose level it changed. */
function apply(key: string, row: Movement | null): number[] {
  const before = rows.get(key);
  if (before) add(before, -1);
  if (row) add(row, 1);
  if (row) rows.set(key, row);
  else rows.delete(key);
  return [before, row].flatMap((side) => (side ? [side.product_id] : []));
}

function add({ product_id, quantity }: Movement, sign: 1 | -1): void {
  const level = levels.get(product_id) ?? { quantity: 0, movements: 0 };
  levels.set(product_id, {
    quantity: level.quantity + sign * quantity,
    movements: level.movements + sign,
  });
}

/**
 * Returns the output record of a product. A product without movements has no row in the batch's
 * result, so a tombstone deletes it.
 */
function record(product_id: number): Message {
  const level = levels.get(product_id)!;
  const key = JSON.stringify({ product_id });
  return { key, value: level.movements === 0 ? null : JSON.stringify(level) };
}

/**
 * Returns the settings for a secured cluster, if KAFKA_CA names its CA. The pipeline then logs in
 * with KAFKA_USERNAME and KAFKA_PASSWORD.
 */
const security = (): Pick<KafkaConfig, 'ssl' | 'sasl'> =>
  process.env['KAFKA_CA']
    ? {
        ssl: { ca: readFileSync(env('KAFKA_CA')) },
        sasl: {
          mechanism: 'scram-sha-512',
          username: env('KAFKA_USERNAME'),
          password: env('KAFKA_PASSWORD'),
        },
      }
    : {};
const kafka = new kafkajs.Kafka({
  clientId: groupId,
  brokers: env('KAFKA_BROKERS').split(','),
  logLevel: kafkajs.logLevel.ERROR,
  ...security(),
});
const admin = kafka.admin();
const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
const consumer = kafka.consumer({ groupId, readUncommitted: false });
await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
while (!(await admin.listTopics()).includes(input))
  // Sluice creates the topic when the migration starts
  await new Promise((resolve) => setTimeout(resolve, 1000));

/**
 * The committed offset. Records before this offset only restore the state, because an earlier
 * process has written their results.
 */
const [committed] = await admin.fetchOffsets({ groupId, topics: [input] });
let answered = BigInt(committed?.partitions[0]?.offset ?? -1);

async function eachBatch(payload: EachBatchPayload): Promise<void> {
  const { batch } = payload;
  const changed = new Set<number>();
  for (const { key, value, offset } of batch.messages) {
    const event = value ? ((await read(value)) as { after: Movement | null }) : null;
    const products = apply(key!.toString('latin1'), event?.after ?? null);
    if (BigInt(offset) >= answered) products.forEach((product) => changed.add(product));
  }
  // Write the output before the offset. After a crash between the two, the same levels are written
  // again. Sluice knows from this offset that the pipeline has caught up.
  if (changed.size > 0) await producer.send({ topic: output, messages: [...changed].map(record) });
  const next = BigInt(batch.lastOffset()) + 1n;
  if (next > answered) {
    await consumer.commitOffsets([{ topic: input, partition: 0, offset: String(next) }]);
    answered = next;
  }
  await payload.heartbeat();
}

/** The state is in memory, so a member that joins the group reads the topic from its beginning. */
consumer.on(consumer.events.GROUP_JOIN, () => {
  rows.clear();
  levels.clear();
  consumer.seek({ topic: input, partition: 0, offset: '0' });
});
process.once('SIGTERM', () => void consumer.disconnect().then(() => process.exit(0)));
await consumer.subscribe({ topics: [input] });
await consumer.run({ autoCommit: false, eachBatch });
