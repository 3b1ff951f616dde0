// Tests migrations whose pipeline writes its stage and its result in Avro, JSON Schema or Protobuf.
// The schemas are in a real schema registry. One migration has a sink, which reads the result with
// the registry's converter.
import { spawn, type ChildProcess } from 'node:child_process';
import kafkajs from 'kafkajs';
import { afterEach, describe, expect, it } from 'vitest';
import { readTopic, type KafkaRecord } from '../../src/clients/kafka/records.js';
import { sleepUntil } from '../support/builders.js';
import { live } from '../support/live.js';
import { kafkaPort } from '../support/access.js';
import { get, reach, sluice, specFile, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

/** The rows have NULLs, negative amounts, and whole numbers that a double cannot represent. */
const SETUP = `
CREATE TABLE sales (id int PRIMARY KEY, day date NOT NULL, amount numeric(12,2) NOT NULL,
  at timestamptz NOT NULL, big bigint NOT NULL, note text);
INSERT INTO sales SELECT g, date '2026-01-01' + g % 40, g * 1.01 - 500, timestamptz '2026-01-01Z' + g * interval '1.001s',
  9007199254740993 + g, CASE WHEN g % 40 > 5 THEN 'é' || g END FROM generate_series(1, 1210) g;
CREATE TABLE days (day date PRIMARY KEY, n bigint, revenue numeric, last_at timestamptz, biggest bigint, note text, mood text);`;
const QUERY = `SELECT day, count(*) AS n, sum(amount) AS revenue, max(at) AS last_at, max(big) AS biggest,
  max(note COLLATE "C") AS note, CASE WHEN count(*) > 30 THEN 'busy' ELSE 'calm' END AS mood FROM sales GROUP BY day`;

type Format = 'avro' | 'json-schema' | 'protobuf';

interface Formats {
  readonly name: string;
  readonly stage: Format;
  readonly output: Format;
}

/** Changes the last value of a record, so that its number or label is wrong. */
const TAMPERED: Readonly<Record<Format, (value: Buffer) => void>> = {
  avro: (value) => (value[value.length - 1]! ^= 2),
  'json-schema': (value) => (value[value.length - 3]! ^= 1),
  protobuf: (value) => (value[value.length - 1]! ^= 1),
};

const topicsOf = (name: string): { input: string; stage: string; output: string } => ({
  input: `${name}.public.sales`,
  stage: `${name}-rows`,
  output: `${name}-days`,
});

function specOf({ name, stage, output }: Formats, registry: string): Record<string, unknown> {
  const topics = topicsOf(name);
  const query = { sql: 'SELECT id, day, amount AS cents FROM sales' };
  return {
    kafka: {
      brokers: [process.env['KAFKA_BROKERS']],
      registry: { url: registry, converter: 'apicurio' },
    },
    batch: {
      result: { table: 'public.days', key: ['day'] },
      query: { sql: QUERY },
      stages: [{ name: 'rows', query, key: ['id'], topic: topics.stage, format: stage }],
    },
    pipeline: {
      type: 'external',
      groups: [name],
      output: { topic: topics.output, key: ['day'], format: output },
    },
  };
}

let pipeline: ChildProcess | undefined;
afterEach(() => pipeline?.kill('SIGKILL'));

async function start(formats: Formats, more: object = {}): Promise<void> {
  const { name } = formats;
  const registry = process.env['REGISTRY_URL']!;
  database = await aDatabase(SETUP);
  const spec = { ...specOf(formats, registry), ...more };
  const file = specFile(name, database.name, ['public.sales'], spec);
  const started = sluice('start', '-f', file);
  expect(started, started.stderr).toMatchObject({ code: 0 });
  const { input, stage, output } = topicsOf(name);
  const kafka = kafkaPort();
  await sleepUntil('the topic is there', async () => (await kafka.listTopics()).includes(input));
  await kafka.disconnect();
  const where = [registry, input];
  const topics = [stage, formats.stage, output, formats.output];
  pipeline = spawn(
    process.execPath,
    ['test/support/days-pipeline.mjs', ...where, ...topics, name],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  await waitFor(name, 'approval');
}
let database: Awaited<ReturnType<typeof aDatabase>>;

/** Returns a copy of the newest record of a topic that is not a tombstone. */
async function newest(topic: string): Promise<KafkaRecord> {
  const kafka = kafkaPort();
  let last: KafkaRecord | undefined;
  await readTopic(kafka, topic, (record) => {
    if (record.value !== null)
      last = { ...record, key: Buffer.from(record.key!), value: Buffer.from(record.value) };
  });
  await kafka.disconnect();
  return last!;
}

async function write(topic: string, { key, value }: Pick<KafkaRecord, 'key' | 'value'>) {
  const producer = new kafkajs.Kafka({ brokers: [process.env['KAFKA_BROKERS']!] }).producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ key, value }] });
  await producer.disconnect();
}

/**
 * Runs the statements, and waits for a window that began after them and passed. The pipeline has
 * then written all of their rows.
 */
async function change(name: string, ...statements: readonly string[]): Promise<void> {
  for (const sql of statements) await database.client.query(sql);
  const before = (await get(name)).windows.at(-1)!.number;
  await reach(name, 'a later window that passed', (s) =>
    s.windows.some((w) => w.number > before + 1 && w.verdict === 'passed'),
  );
}

/** Writes a wrong row, waits for the window that finds it, and then repairs the row. */
async function tamper(name: string, topic: string, format: Format): Promise<void> {
  const right = await newest(topic);
  const value = Buffer.from(right.value!);
  TAMPERED[format](value);
  const before = (await get(name)).windows.at(-1)!.number;
  await write(topic, { ...right, value });
  const isFound = (w: { verdict: string; number: number }): boolean =>
    w.number > before && w.verdict === 'failed';
  const status = await reach(name, 'a failed window', (s) => s.windows.some(isFound));
  const { number } = status.windows.find(isFound)!;
  const said = sluice('diff', name, '--window', String(number), '-o', 'json').stdout;
  expect(said).toContain('"mismatched"');
  await write(topic, right);
  await waitFor(name, 'approval');
}

describe('a pipeline that writes in a format of the registry', () => {
  it('is refused by doctor, before anything is created, if the registry does not answer', async () => {
    const { name } = await aDatabase(SETUP);
    const formats: Formats = { name: 'no-registry', stage: 'avro', output: 'protobuf' };
    const spec = specOf(formats, 'http://127.0.0.1:1/apis/ccompat/v7');
    const ran = sluice('doctor', '-f', specFile(formats.name, name, ['public.sales'], spec));
    expect(ran.code).not.toBe(0);
    expect(ran.stdout + ran.stderr).toMatch(/registry\.reachable[^]*127\.0\.0\.1:1/);
  });

  it('ends as migrated with a result in Avro, which a sink reads, and a stage in JSON Schema', async () => {
    const formats: Formats = { name: 'avro-days', stage: 'json-schema', output: 'avro' };
    const { name } = formats;
    await start(formats, { sink: { type: 'jdbc-sink', table: 'public.days_stream' } });
    const { client } = database;
    await change(
      name,
      'UPDATE sales SET amount = amount + 0.01, note = NULL WHERE id % 7 = 0',
      `DELETE FROM sales WHERE day = '2026-01-03'`,
    );
    await tamper(name, topicsOf(name).stage, formats.stage);
    await tamper(name, topicsOf(name).output, formats.output);
    const approved = sluice('approve', name, '--approver', 'ann', '--reason', 'proven', '--yes');
    expect(approved, approved.stderr).toMatchObject({ code: 0 });
    await waitFor(name, 'outcome=migrated');
    const { outcome, leftovers } = await get(name);
    expect({ outcome, leftovers }).toEqual({ outcome: 'migrated', leftovers: [] });
    const { rows } = await client.query<{ n: string }>(
      `SELECT count(*) AS n FROM (${QUERY}) q
       JOIN days_stream s USING (day, n, revenue, last_at, biggest, mood) WHERE s.note IS NOT DISTINCT FROM q.note`,
    );
    expect(rows).toEqual([{ n: '39' }]);
  });

  it('passes its windows with a result in Protobuf and a stage in Avro, and wrong rows fail them', async () => {
    const formats: Formats = { name: 'proto-days', stage: 'avro', output: 'protobuf' };
    const { name } = formats;
    await start(formats);
    await change(
      name,
      'UPDATE sales SET amount = -amount, note = NULL WHERE id % 7 = 0',
      `DELETE FROM sales WHERE day = '2026-01-03'`,
    );
    await tamper(name, topicsOf(name).output, formats.output);
    await tamper(name, topicsOf(name).stage, formats.stage);
    expect(sluice('cancel', name, '--yes').code).toBe(0);
    await waitFor(name, 'outcome=aborted');
  });
});
