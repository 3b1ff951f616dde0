// Runs a small pipeline. It reads the topic of the table `orders`. For each value of the column
// `bucket`, it writes the number of orders, with the schema that the sink needs.
// Usage: node counts-pipeline.mjs INPUT OUTPUT GROUP
import { kafkaClient } from './kafka-client.mjs';

const [input, output, groupId] = process.argv.slice(2);
const kafka = kafkaClient();
const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 1000 });
const producer = kafka.producer();
const buckets = new Map();
const counts = new Map();

function set(id, bucket, touched) {
  const before = buckets.get(id);
  if (before !== undefined) counts.set(before, counts.get(before) - 1);
  if (bucket !== undefined) counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  if (bucket === undefined) buckets.delete(id);
  else buckets.set(id, bucket);
  for (const one of [before, bucket]) if (one !== undefined) touched.add(one);
}

const struct = (payload) =>
  JSON.stringify({
    schema: {
      type: 'struct',
      optional: false,
      fields: Object.keys(payload).map((field) => ({ field, type: 'int64', optional: false })),
    },
    payload,
  });

function recordOf(bucket) {
  const n = counts.get(bucket);
  return { key: struct({ bucket }), value: n === 0 ? null : struct({ bucket, n }) };
}

await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: input, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatch: async (payload) => {
    const { batch } = payload;
    const touched = new Set();
    for (const { key, value } of batch.messages) {
      const { id } = JSON.parse(key.toString());
      const { op, after } = value === null ? { op: 'd' } : JSON.parse(value.toString());
      set(id, op === 'd' ? undefined : after.bucket, touched);
    }
    await producer.send({ topic: output, messages: [...touched].map(recordOf) });
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    await consumer.commitOffsets([{ topic: input, partition: batch.partition, offset }]);
    await payload.heartbeat();
  },
});
