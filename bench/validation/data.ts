// Creates the table of the validation benchmark and its topic, which have the same rows. The table
// has 12 columns with reproducible values, including values on which some other tools fail.
import kafkajs from 'kafkajs';
import pg from 'pg';
import Cursor from 'pg-cursor';
import type { Shape } from '../../src/compare/row-comparison.js';

export const DATABASE = 'sluice_bench';
export const TOPIC = 'sluice_bench.public.wide';

/**
 * The name and type of each column, and SQL that makes its value from the row number `g`. The
 * fourth entry is SQL for the JSON form, if Debezium's form differs from that of `to_json`.
 */
export const COLUMNS: readonly (readonly [
  name: string,
  type: string,
  made: string,
  json?: string,
])[] = [
  ['id', 'int8', 'g'],
  ['customer_id', 'int4', '(g * 7919) % 100000'],
  [
    'status',
    'text',
    `CASE g % 1000 WHEN 10 THEN 'a|b' ELSE (ARRAY['placed','shipped','paid','cancelled'])[1 + g % 4] END`,
  ],
  ['city', 'text', `CASE g % 1000 WHEN 10 THEN 'c' ELSE 'city ' || (g % 1000) END`],
  [
    'note',
    'text',
    `CASE g % 1000 WHEN 7 THEN '' WHEN 8 THEN 'NULL' WHEN 9 THEN '<null>' ELSE CASE WHEN g % 3 = 0 THEN NULL ELSE 'note "' || md5(g::text) END END`,
  ],
  ['code', 'bpchar', `'c' || (g % 97)`],
  ['price', 'numeric', '(g % 100000) / 100.0', `'"' || price::text || '"'`],
  [
    'rate',
    'float8',
    `CASE g % 1000 WHEN 5 THEN 0 WHEN 6 THEN 'NaN' ELSE g / 7.0 + 0.5 END`,
    `CASE WHEN rate = 0 THEN '0.0' ELSE to_json(rate)::text END`,
  ],
  ['ok', 'bool', 'g % 2 = 0'],
  [
    'ordered_at',
    'timestamptz',
    `timestamptz '2026-01-01Z' + g * interval '1.000007 s'`,
    `'"' || to_char(ordered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'`,
  ],
  ['ref', 'uuid', 'md5(g::text)::uuid'],
  [
    'doc',
    'jsonb',
    `jsonb_build_object('n', g % 50, 'tags', ARRAY['x', 'y' || g % 9])`,
    `to_json(doc::text)::text`,
  ],
];
const SQL_TYPES: Readonly<Record<string, string>> = { bpchar: 'char(6)' };
export const sqlType = (type: string): string => SQL_TYPES[type] ?? type;

export const SHAPE: Shape = {
  key: ['id'],
  columns: COLUMNS.map(([name, type]) => ({ name, type })),
};

export async function connect(database = DATABASE): Promise<pg.Client> {
  const client = new pg.Client({
    database,
    types: { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig,
  });
  await client.connect();
  await client.query(`SET TimeZone = 'UTC'`);
  return client;
}

export async function makeTable(rows: number): Promise<pg.Client> {
  await cleanUp();
  return createTable(rows);
}

/**
 * Creates the database with the table `wide`, and a copy `base` from which rows can be restored.
 */
export async function createTable(rows: number): Promise<pg.Client> {
  const admin = await connect('postgres');
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  await admin.end();
  const client = await connect();
  await client.query(
    `CREATE TABLE wide (${COLUMNS.map(([name, type]) => `${name} ${sqlType(type)}`).join(', ')}, PRIMARY KEY (id));
     INSERT INTO wide SELECT ${COLUMNS.map(([, type, made]) => `(${made})::${sqlType(type)}`).join(', ')} FROM generate_series(1::bigint, ${rows}) g;
     CREATE UNLOGGED TABLE base (LIKE wide INCLUDING INDEXES); INSERT INTO base SELECT * FROM wide`,
  );
  await client.query('VACUUM ANALYZE wide');
  return client;
}

const SOURCE = `"source":{"version":"3.7.0.Final","connector":"postgresql","name":"bench","ts_ms":1795361647983,"snapshot":"true","db":"bench","sequence":"[null,\\"143494080\\"]","ts_us":1795361647983806,"ts_ns":1795361647983806000,"schema":"public","table":"wide","txId":3,"lsn":143494080,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null`;
const TIMES = `"ts_ms":1795361648223,"ts_us":1795361648223149,"ts_ns":1795361648223149511`;

/** Returns a record's value as Debezium writes it for a row of the initial load. */
export const envelopeOf = (image: string): string =>
  `{"before":null,"after":${image},${SOURCE},"op":"r",${TIMES}}`;

/** Returns an SQL expression that turns a row of the table into a record's value of Debezium. */
export function envelope(op: 'r' | 'u'): string {
  const fields = COLUMNS.map(
    ([name, , , json]) => `'"${name}":' || coalesce(${json ?? `to_json(${name})::text`}, 'null')`,
  ).join(` || ',' || `);
  return `'{"before":null,"after":{' || ${fields} || '},${SOURCE.replaceAll("'", "''")},"op":"${op}",${TIMES}}'`;
}

/** Writes a record for every row, as Debezium's initial load does. */
export async function fillTopic(client: pg.Client): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers: [process.env['KAFKA_BROKERS']!],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] });
  await admin.disconnect();
  const cursor = client.query(
    new Cursor<string[]>(`SELECT id, ${envelope('r')} FROM wide`, [], { rowMode: 'array' }),
  );
  const producer = kafka.producer();
  await producer.connect();
  for (let batch = await cursor.read(1000); batch.length > 0; batch = await cursor.read(1000)) {
    await producer.send({
      topic: TOPIC,
      acks: 1,
      messages: batch.map(([id, value]) => ({ key: `{"id":${id}}`, value: value! })),
    });
  }
  await cursor.close();
  await producer.disconnect();
}

/** Appends records to the topic, in the order of the list. */
export async function append(records: readonly { id: number; value: string }[]): Promise<void> {
  const producer = new kafkajs.Kafka({
    brokers: [process.env['KAFKA_BROKERS']!],
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer();
  await producer.connect();
  await producer.send({
    topic: TOPIC,
    acks: -1,
    messages: records.map(({ id, value }) => ({ key: `{"id":${id}}`, value })),
  });
  await producer.disconnect();
}

export async function cleanUp(): Promise<void> {
  const admin = await connect('postgres');
  await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await admin.end();
  const kafka = new kafkajs.Kafka({
    brokers: [process.env['KAFKA_BROKERS']!],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin();
  await kafka.connect();
  const ours = (await kafka.listTopics()).filter((topic) => topic.startsWith(TOPIC));
  if (ours.length > 0) await kafka.deleteTopics({ topics: ours });
  await kafka.disconnect();
}
