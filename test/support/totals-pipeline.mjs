// Runs a small pipeline. It reads the topic of the table `accounts`. For each bucket of SIZE ids
// (500 by default), it writes the number of rows and the sum of their balances.
// Usage: node totals-pipeline.mjs INPUT OUTPUT GROUP [SESSION_MS [SIZE]]
import { kafkaClient } from './kafka-client.mjs';

const [input, output, groupId, sessionMs = '6000', size = '500'] = process.argv.slice(2);
const kafka = kafkaClient();
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: Number(sessionMs),
  heartbeatInterval: 1000,
});
const producer = kafka.producer();
const rows = new Map();
const totals = new Map();

const cents = (text) => BigInt(text.replace('.', ''));
const decimal = (value) => {
  const digits = String(value).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

function set(id, balance, touched) {
  const bucket = Math.floor(id / Number(size));
  const total = totals.get(bucket) ?? { n: 0, sum: 0n };
  const before = rows.get(id);
  if (before !== undefined) {
    total.n -= 1;
    total.sum -= before;
  }
  if (balance === null) rows.delete(id);
  else {
    rows.set(id, balance);
    total.n += 1;
    total.sum += balance;
  }
  totals.set(bucket, total);
  touched.add(bucket);
}

function recordOf(bucket) {
  const { n, sum } = totals.get(bucket);
  const value = n === 0 ? null : JSON.stringify({ bucket, n, total: decimal(sum) });
  return { key: JSON.stringify({ bucket }), value };
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
      set(id, op === 'd' ? null : cents(after.balance), touched);
    }
    await producer.send({ topic: output, messages: [...touched].map(recordOf) });
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    await consumer.commitOffsets([{ topic: input, partition: batch.partition, offset }]);
    await payload.heartbeat();
  },
});
