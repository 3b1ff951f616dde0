// Creates the table, the query and the output of the results benchmark. The query aggregates a
// table that has two rows for each key. The output has the query's rows in the form that a pipeline
// writes, with three faults.
import kafkajs from 'kafkajs';
import pg from 'pg';
import Cursor from 'pg-cursor';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { describeQuery } from '../../src/clients/postgres/catalog.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { connect } from '../validation/data.js';

export const DATABASE = 'sluice_bench_results';
export const TOPIC = 'sluice_bench_results.out';
const KEY = 'account';
export const QUERY = `SELECT account, 'customer ' || account AS name, count(*) AS n, sum(amount) AS total,
  avg(amount)::float8 AS mean, min(at) AS first, max(at)::date AS last, bool_or(amount > 900) AS large
  FROM entries GROUP BY account`;
const RECORD = `json_build_object('account', account, 'name', name, 'n', n, 'total', total::text,
  'mean', mean, 'first', to_char(first AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'last', last::text, 'large', large)::text`;
/** One wrong value, one lost row and one extra row. */
export const PLANTED = { mismatched: 1, missing: 1, extraneous: 1 };

const broker = (): kafkajs.Kafka =>
  new kafkajs.Kafka({
    brokers: [process.env['KAFKA_BROKERS']!],
    logLevel: kafkajs.logLevel.NOTHING,
  });

export async function shapeOf(client: pg.Client): Promise<Shape> {
  const columns = await describeQuery(client, QUERY);
  return { key: [KEY], columns: columns.map(({ name, type }) => ({ name, type })) };
}

export async function makeResult(keys: number): Promise<void> {
  await cleanUp();
  const admin = await connect('postgres');
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  await admin.end();
  const client = await connect(DATABASE);
  await client.query(
    `CREATE TABLE entries AS SELECT 1 + g % ${keys} AS account, (g % 100000) / 100.0 AS amount,
       timestamptz '2026-01-01Z' + g * interval '0.5 s' AS at FROM generate_series(1, ${keys * 2}) g`,
  );
  await client.query('VACUUM ANALYZE entries');
  await fillOutput(client, keys);
  await client.end();
}

async function fillOutput(client: pg.Client, keys: number): Promise<void> {
  const kafka = broker();
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const send = (messages: kafkajs.Message[]): Promise<unknown> =>
    producer.send({ topic: TOPIC, acks: 1, messages });
  const rows = `SELECT account, ${RECORD} FROM (${QUERY}) AS result WHERE account <> 2`;
  const cursor = client.query(new Cursor<string[]>(rows, [], { rowMode: 'array' }));
  for (let batch = await cursor.read(2000); batch.length > 0; batch = await cursor.read(2000))
    await send(batch.map(([account, value]) => ({ key: `{"account":${account}}`, value: value! })));
  await cursor.close();
  const wrong = await client.query<{ value: string }>(
    `SELECT ${RECORD} AS value FROM (${QUERY}) AS result WHERE account = 1`,
  );
  const text = wrong.rows[0]!.value;
  await send([
    { key: '{"account":1}', value: text.replace('"customer 1"', '"customer one"') },
    { key: `{"account":${keys + 1}}`, value: text },
  ]);
  await producer.disconnect();
}

/** Opens a connection with the settings of a window's reader, and begins a snapshot. */
export async function openReader(): Promise<SourceClient> {
  const client: SourceClient = await connect(DATABASE);
  await client.query(`SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'`);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  return client;
}

export async function cleanUp(): Promise<void> {
  const client = await connect('postgres');
  await client.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await client.end();
  const admin = broker().admin();
  await admin.connect();
  if ((await admin.listTopics()).includes(TOPIC)) await admin.deleteTopics({ topics: [TOPIC] });
  await admin.disconnect();
}
