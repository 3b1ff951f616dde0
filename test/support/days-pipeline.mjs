// Runs a small pipeline. It reads the topic of the table `sales` in JSON. It writes a stage with a
// row for each sale, and a result with a row for each day. Days are counted from 1970. Result rows
// of odd days have a different schema, in which the columns have the reverse order.
// Usage: node days-pipeline.mjs REGISTRY INPUT STAGE STAGE_FORMAT OUTPUT OUTPUT_FORMAT GROUP
import { kafkaClient } from './kafka-client.mjs';
import { encoder } from './days-records.mjs';

const [registry, input, stage, stageFormat, output, outputFormat, groupId] = process.argv.slice(2);
const kafka = kafkaClient();
const consumer = kafka.consumer({ groupId, sessionTimeout: 30_000, heartbeatInterval: 1000 });
const producer = kafka.producer();
const encodeStage = encoder(registry, stageFormat);
const encodeResult = encoder(registry, outputFormat);

const sales = new Map();
const cents = (amount) => BigInt(amount.replace('.', ''));
const dayOf = (date) => Date.parse(date.slice(0, 10)) / 86_400_000;
const max = (values) => values.reduce((a, b) => (b > a ? b : a));

async function stageRecord(id) {
  const sale = sales.get(id);
  const key = await encodeStage(`${stage}-key`, [['id', 'whole', id]]);
  if (!sale) return { key, value: null };
  const row = [
    ['day', 'date', sale.day],
    ['cents', 'money', sale.cents],
  ];
  return { key, value: await encodeStage(`${stage}-value`, row) };
}

async function resultRecord(day) {
  const all = [...sales.values()].filter((sale) => sale.day === day);
  const key = await encodeResult(`${output}-key`, [['day', 'date', day]]);
  if (all.length === 0) return { key, value: null };
  const notes = all.map(({ note }) => note).filter((note) => note !== null);
  const row = [
    ['n', 'whole', all.length],
    ['revenue', 'money', all.reduce((sum, sale) => sum + sale.cents, 0n)],
    ['last_at', 'time', max(all.map(({ at }) => at))],
    ['biggest', 'whole', max(all.map(({ big }) => big))],
    ['note', 'note', notes.length === 0 ? null : max(notes)],
    ['mood', 'mood', all.length > 30 ? 1 : 0],
  ];
  return {
    key,
    value: await encodeResult(`${output}-value`, day % 2 === 0 ? row : row.toReversed()),
  };
}

// Sluice creates the output topic, and the pipeline creates the topic of its stage.
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: stage, numPartitions: 1 }] });
await admin.disconnect();
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: input, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatch: async (payload) => {
    const { batch } = payload;
    const [ids, days] = [new Set(), new Set()];
    for (const { key, value } of batch.messages) {
      const { id } = JSON.parse(key.toString());
      const event = value && JSON.parse(value.toString().replace(/"big":(\d+)/g, '"big":"$1"'));
      const before = sales.get(id);
      if (before) days.add(before.day);
      ids.add(id);
      if (!event || event.op === 'd') {
        sales.delete(id);
        continue;
      }
      const { day, amount, at, big, note } = event.after;
      sales.set(id, {
        day: dayOf(day),
        cents: cents(amount),
        at: Date.parse(at),
        big: BigInt(big),
        note,
      });
      days.add(dayOf(day));
    }
    const send = async (topic, records) => {
      const messages = await Promise.all(records);
      if (messages.length > 0) await producer.send({ topic, messages });
    };
    await send(stage, [...ids].map(stageRecord));
    await send(output, [...days].map(resultRecord));
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    await consumer.commitOffsets([{ topic: input, partition: batch.partition, offset }]);
    await payload.heartbeat();
  },
});
