// Writes a file for test/compare/avro/recorded.test.ts. It has the records that a real Debezium
// writes for the same rows with the Avro converter and with the JSON converter. Run
// `npx tsx test/registry/record.ts FILE` on a stack that was started with a registry.
import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { plannedTopics } from '../../src/domain/capture/index.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { specOf } from '../support/sluice.js';
import { MORE_TYPES, EDGE_VALUES as VALUES } from '../support/type-values.js';

const TABLES = ['public.everything', 'public.evolving'];
const types = Object.keys(VALUES);
const rows = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;

const SETUP = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
${MORE_TYPES}
CREATE TABLE everything (id int PRIMARY KEY, ${types.map((type, at) => `c${at} ${type}`).join(', ')});
CREATE TABLE evolving (id int8, region text, note text DEFAULT 'none', PRIMARY KEY (id, region));`;

const CHANGES = [
  ...Array.from({ length: rows }, (_, at) => {
    const values = types.map((type) => VALUES[type]![at] ?? 'NULL');
    return `INSERT INTO everything VALUES (${at}, ${values.join(', ')})`;
  }),
  `INSERT INTO evolving VALUES (9007199254740993, 'eu', NULL)`,
  `ALTER TABLE evolving ADD COLUMN amount numeric(20,4) NOT NULL DEFAULT 1.5, ADD COLUMN mood mood DEFAULT 'sad'`,
  `INSERT INTO evolving VALUES (2, 'eu', 'x', 12345678901234.5, NULL)`,
  `UPDATE evolving SET note = repeat('é', 50) WHERE id = 9007199254740993`,
  `ALTER TABLE evolving DROP COLUMN note`,
  `UPDATE evolving SET mood = 'it''s ok'`,
  `DELETE FROM evolving WHERE id = 2`,
];

const name = `record-${process.pid}`;
const kafka = new KafkaPort(
  { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 1, tls: false },
  () => '',
);

async function run(database: string, format: 'avro' | 'json'): Promise<void> {
  const parsed = parseSpecObject(
    specOf(`${name}-${format}`, database, TABLES, {
      kafka: {
        brokers: [process.env['KAFKA_BROKERS']],
        ...(format === 'avro'
          ? { format, registry: { url: process.env['REGISTRY_URL'], converter: 'apicurio' } }
          : {}),
      },
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const plan = resolve({ spec: parsed.spec, generation: 1 });
  const client = new pg.Client({ database });
  await client.connect();
  await client.query(
    `CREATE PUBLICATION "${plan.names.publication}" FOR TABLE ${TABLES.join(', ')}`,
  );
  await client.end();
  for (const topic of plannedTopics(parsed.spec, 1)) await kafka.createTopic(topic, 1, 1, {});
  const rest = new ConnectRest(process.env['CONNECT_URL']!);
  await rest.putConfig(plan.names.connector, {
    ...debeziumPostgresConfig(plan),
    name: plan.names.connector,
    'slot.drop.on.stop': 'true',
  });
}

interface Found {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

async function recordsOf(topic: string, wanted: number): Promise<Found[]> {
  for (;;) {
    const found: Found[] = [];
    if ((await kafka.listTopics()).includes(topic))
      await readTopic(kafka, topic, ({ key, value }) => {
        found.push({ key: Buffer.from(key!), value: value && Buffer.from(value) });
      });
    if (found.length >= wanted) return found;
    await new Promise((done) => setTimeout(done, 500));
  }
}

async function main(): Promise<void> {
  const database = name.replace('-', '_');
  const admin = new pg.Client({ database: 'postgres' });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
  const client = new pg.Client({ database });
  await client.connect();
  await client.query(SETUP);
  await run(database, 'avro');
  await run(database, 'json');
  const slots = `SELECT FROM pg_replication_slots WHERE database = '${database}' AND active AND confirmed_flush_lsn IS NOT NULL`;
  while ((await client.query(slots)).rowCount! < 2)
    await new Promise((done) => setTimeout(done, 500));
  await new Promise((done) => setTimeout(done, 5000));
  for (const sql of CHANGES) await client.query(sql);
  const schemas = new Map<number, string>();
  const tables: unknown[] = [];
  for (const [table, wanted] of [
    ['everything', rows],
    ['evolving', 7],
  ] as const) {
    const avro = await recordsOf(`${name}-avro.public.${table}`, wanted);
    const json = await recordsOf(`${name}-json.public.${table}`, wanted);
    for (const bytes of avro.flatMap(({ key, value }) => (value ? [key, value] : [key])))
      if (!schemas.has(bytes.readUInt32BE(1))) {
        const id = bytes.readUInt32BE(1);
        const answer = await fetch(`${process.env['REGISTRY_URL']}/schemas/ids/${id}`);
        schemas.set(id, ((await answer.json()) as { schema: string }).schema);
      }
    const catalog = await readTable(client, `public.${table}`);
    const columns = catalog!.columns.map(({ name, type }) => [name, type]);
    tables.push({
      table,
      columns,
      records: avro.map(({ key, value }, at) => ({
        key: key.toString('base64'),
        value: value?.toString('base64') ?? null,
        json: [json[at]!.key.toString(), json[at]!.value?.toString() ?? null],
      })),
    });
  }
  const out = { schemas: Object.fromEntries(schemas), tables };
  writeFileSync(process.argv[2]!, JSON.stringify(out, null, 1));
  await client.end();
  await admin.end();
  await kafka.disconnect();
}

await main();
