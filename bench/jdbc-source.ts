// `npm run bench -- jdbc-source [--rows 1000000]` measures how fast Sluice's JDBC source reads a
// three-way join into a topic. For comparison, it measures a COPY of the same query whose rows are
// discarded. No reader can be faster than that. It also measures Debezium's initial snapshot and
// Sluice's copy, both on a table with the join's result. It needs the local stack.
import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { createCopyActivities } from '../src/activities/capture/load/copy-tables.js';
import { Systems } from '../src/activities/runtime/deps.js';
import { int32At } from '../src/domain/values/bytes.js';
import { ConnectRest } from '../src/clients/http/connect-rest.js';
import { copyRows } from '../src/clients/postgres/copy-stream.js';
import { KafkaPort } from '../src/clients/kafka/kafka.js';
import { Ledger } from '../src/clients/ledger/ledger.js';
import { resolveSecret } from '../src/wiring/config.js';
import { resolve } from '../src/domain/plan/resolve.js';
import { debeziumPostgresConfig } from '../src/connectors/debezium-postgres.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../src/connectors/jdbc-source.js';
import { capturesOf } from '../src/domain/capture/index.js';
import { namesOf } from '../src/domain/migration/names.js';
import { pollingOf } from '../src/domain/capture/polling.js';
import type { MigrationSpec } from '../src/domain/migration/spec.js';
import { parseSpecObject } from '../src/manifest/parse.js';

const DATABASE = 'sluice_bench_jdbc';
const QUERY = `SELECT o.id, o.total, o.placed, o.note, c.name AS customer, s.city, c.active
FROM orders o JOIN customers c ON c.id = o.customer_id JOIN stores s ON s.id = o.store_id`;
const COLUMNS = [
  ['id', 'int8'],
  ['total', 'numeric'],
  ['placed', 'timestamptz'],
  ['note', 'text'],
  ['customer', 'text'],
  ['city', 'text'],
  ['active', 'bool'],
].map(([name, type]) => ({ name: name!, type: type! }));

const seed = (rows: number, run: string): string => `
CREATE TABLE stores (id int PRIMARY KEY, city text); INSERT INTO stores SELECT g, 'city ' || g FROM generate_series(0, 99) g;
CREATE TABLE customers (id int PRIMARY KEY, name text, active boolean); INSERT INTO customers SELECT g, 'customer ' || g, g % 7 > 0 FROM generate_series(0, 49999) g;
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, store_id int, total numeric(12,2), placed timestamptz, note text);
INSERT INTO orders SELECT g, g % 50000, g % 100, g * 0.01, timestamptz '2026-01-01' + g * interval '1 second', CASE WHEN g % 3 > 0 THEN 'note of order ' || g END FROM generate_series(1, ${rows}) g;
CREATE TABLE joined AS ${QUERY}; ALTER TABLE joined ADD PRIMARY KEY (id); ANALYZE;
CREATE PUBLICATION sluice_bench_debezium_${run} FOR TABLE joined;`;

export async function jdbcSourceBench(rows: number): Promise<void> {
  // The name differs in each run, so that no run continues from the positions of an interrupted
  // run.
  const run = Date.now().toString(36);
  const admin = new pg.Client({ database: 'postgres' });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  const client = new pg.Client({ database: DATABASE });
  await client.connect();
  try {
    await client.query(seed(rows, run));
    const copied = await timed(() =>
      copyRows(client, `${QUERY} ORDER BY o.id`, { rowsPerSecond: 0 }, skipRow),
    );
    say('COPY of the query, rows discarded', rows, copied);
    say(
      'our JDBC source, three-way join, one task',
      rows,
      await load(
        specOf(`bench-jdbc-${run}`, {
          mode: 'incrementing',
          incrementingColumn: 'id',
          delay: '1s',
          query: QUERY,
        }),
        rows,
      ),
    );
    say(
      "Debezium's initial snapshot of the joined rows as a table",
      rows,
      await load(specOf(`bench-debezium-${run}`, null), rows),
    );
    say(
      'our copy of that table, two sessions',
      rows,
      await copyLoad(specOf(`bench-copy-${run}`, null), rows),
    );
  } finally {
    await client.end();
    await admin.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${DATABASE}' AND NOT active`,
    );
    await admin.query(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
    await admin.end();
  }
}

/**
 * Returns the milliseconds from the connector's start until the last row is committed in the topic.
 * Removes the connector and the topic.
 */
async function load(spec: MigrationSpec, rows: number): Promise<number> {
  const rest = new ConnectRest(spec.spec.connector.url);
  const kafka = new KafkaPort(spec.spec.kafka, () => '');
  const [capture] = capturesOf(spec, 1);
  const polling = spec.spec.connector.type === 'jdbc-source' ? pollingOf(spec) : null;
  const config = polling
    ? jdbcSourceConfig(spec, polling, capture!, { columns: COLUMNS, key: ['id'] }, JDBC_PLUGINS[0]!)
    : debeziumPostgresConfig(resolve({ spec, generation: 1 }));
  const topics = [
    capture!.topic,
    ...(polling ? [] : [namesOf(spec, 1).notificationTopic, namesOf(spec, 1).heartbeatTopic]),
  ];
  for (const topic of topics) await kafka.createTopic(topic, 1, 1, {});
  await rest.createStopped(capture!.connector, config);
  const started = Date.now();
  await rest.resume(capture!.connector);
  let [count, next] = [0, 0];
  while (count < rows) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { committed } = (await kafka.offsets(capture!.topic))[0]!;
    // Counting competes with the load, so it starts only near the end.
    if (committed < rows) continue;
    await kafka.readRange(capture!.topic, 0, next, committed, () => void (count += 1));
    next = committed;
  }
  const took = Date.now() - started;
  await rest.stop(capture!.connector);
  while ((await rest.status(capture!.connector))?.tasks.length)
    await new Promise((resolve) => setTimeout(resolve, 200));
  // a later connector of that name would continue from these offsets
  await rest.deleteOffsets(capture!.connector);
  await rest.delete(capture!.connector);
  for (const topic of topics) await kafka.deleteTopic(topic);
  await new Promise((resolve) => setTimeout(resolve, 3000)); // gives the slot's WAL sender time to end
  return took;
}

/**
 * Returns the milliseconds that `snapshot: copy` takes, from the creation of its slot until Kafka
 * has acknowledged the last row.
 */
async function copyLoad(spec: MigrationSpec, rows: number): Promise<number> {
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const systems = new Systems(resolveSecret);
  const copying = createCopyActivities({
    secret: resolveSecret,
    ledger,
    systems,
    approvers: new Map(),
  });
  const { name } = spec.metadata;
  const ref = {
    name,
    iteration: 1,
    generation: 1,
    workflowId: name,
    runKey: name,
    planHash: '',
    spec,
  };
  const [capture] = capturesOf(spec, 1);
  await systems.kafka(spec).createTopic(capture!.topic, 1, 1, {});
  const took = await timed(() =>
    new MockActivityEnvironment().run(() => copying.copyTables(ref, { 'public.joined': rows })),
  );
  await systems.kafka(spec).deleteTopic(capture!.topic);
  await ledger.query('DELETE FROM sluice.object WHERE name = $1', [name]);
  await ledger.query('DELETE FROM sluice.copied WHERE run_key = $1', [name]);
  await Promise.all([systems.close(), ledger.close()]);
  return took;
}

function specOf(name: string, polling: object | null): MigrationSpec {
  const {
    PGHOST: host,
    PGPORT: port,
    PGUSER: user,
    CONNECT_URL: url,
    KAFKA_BROKERS: brokers,
  } = process.env;
  const connector = polling
    ? { type: 'jdbc-source', url, deletes: 'none', ...polling }
    : { type: 'debezium-postgres', url };
  const tables = polling
    ? ['public.orders', 'public.customers', 'public.stores']
    : ['public.joined'];
  const source = {
    postgres: {
      host,
      port: Number(port),
      database: DATABASE,
      user,
      passwordFrom: { env: 'PGPASSWORD' },
    },
    tables,
  };
  const parsed = parseSpecObject({
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Migration',
    metadata: { name },
    spec: { source, connector, kafka: { brokers: [brokers] } },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.spec;
}

/** Walks over the fields of a row. */
function skipRow(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let field = 0; field < COLUMNS.length; field += 1)
    end += 4 + Math.max(0, int32At(bytes, end));
  return end;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = Date.now();
  await run();
  return Date.now() - started;
}

const say = (what: string, rows: number, ms: number): void =>
  console.log(
    `${what}: ${(ms / 1000).toFixed(1)} s, ${Math.round(rows / (ms / 1000)).toLocaleString('en')} rows/s`,
  );
