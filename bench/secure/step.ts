// Runs one step of the benchmark `secure` in a separate process: `make ROWS`, or
// `window|walk LEG FORMAT`. LEG is `plain text` or `SASL_SSL`, and FORMAT is `json` or `avro`. The
// steps `window` and `walk` print their figures as one line of JSON.
import Cursor from 'pg-cursor';
import kafkajs from 'kafkajs';
import { kafkaClient } from '../../src/clients/kafka/client.js';
import { connect, createTable, envelope } from '../validation/data.js';
import { fullWindow, walk } from '../validation/contestants.js';
import { ENVELOPE_SCHEMA, KEY_SCHEMA, keyOf, valueOf } from './avro-rows.js';
import { FORMATS, openLeg, topicOf, type Format, type Leg } from './legs.js';

const [step, ...rest] = process.argv.slice(2);
if (step === 'make') await make(Number(rest[0]));
else await measure(step === 'walk' ? walk : fullWindow, rest[0] as Leg, rest[1] as Format);
process.exit(0);

async function measure(run: typeof fullWindow, leg: Leg, format: Format): Promise<void> {
  const client = await connect();
  const kafka = openLeg(leg, format);
  const before = process.cpuUsage();
  const started = performance.now();
  const found = await run(client, kafka, topicOf(format));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(JSON.stringify({ found, seconds, cpu: (user + system) / 1e6, rssMb }));
}

/** Creates the table, and two topics with its rows: one in JSON, and one in Avro. */
async function make(rows: number): Promise<void> {
  const client = await createTable(rows);
  const kafka = openLeg('plain text', 'json');
  for (const format of FORMATS)
    await kafka.createTopic(topicOf(format), 1, 1, { 'min.insync.replicas': '1' });
  const keySchema = await register('key', KEY_SCHEMA);
  const schema = await register('value', ENVELOPE_SCHEMA);
  const producer = kafkaClient(kafka.spec, () => '').producer();
  await producer.connect();
  const cursor = client.query(
    new Cursor<string[]>(`SELECT id, ${envelope('r')} FROM wide ORDER BY id`, [], {
      rowMode: 'array',
    }),
  );
  const send = (format: Format, messages: kafkajs.Message[]): Promise<unknown> =>
    producer.send({ topic: topicOf(format), acks: 1, messages });
  for (let batch = await cursor.read(1000); batch.length > 0; batch = await cursor.read(1000)) {
    const json = batch.map(([id, value]) => ({ key: `{"id":${id}}`, value: value! }));
    const avro = batch.map(([id, value]) => ({
      key: keyOf(Number(id), keySchema),
      value: valueOf(value!, schema),
    }));
    await send('json', json);
    await send('avro', avro);
  }
  await producer.disconnect();
  await client.query('VACUUM ANALYZE wide');
}

async function register(what: string, schema: object): Promise<number> {
  const answer = await fetch(`${process.env['REGISTRY_URL']}/subjects/bench-${what}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  if (!answer.ok) throw new Error(`the registry answers ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: number }).id;
}
