// `npm run bench -- validation`: a table of 12 columns against its topic, by this repository's engine, beside what else one might use, and beside the limits.
// Needs the local stack (`npm run stack -- up`). Everything it makes is named sluice_bench… and removed.
import { setTimeout as rest } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { KafkaPort } from '../src/clients/kafka.js';
import { copyRows } from '../src/clients/copy.js';
import { passByHash } from '../src/activities/windows/by-hash.js';
import { foldTable } from '../src/activities/windows/folds.js';
import type { Shape } from '../src/compare/comparison.js';
import { HashFold } from '../src/compare/hash-fold.js';
import { parseSnapshot, type SnapshotVisibility } from '../src/domain/position.js';
import type { KafkaSpec } from '../src/domain/spec.js';

const DATABASE = 'sluice_bench';
const TOPIC = 'sluice_bench.public.wide';
const COLUMNS: readonly (readonly [name: string, type: string, made: string, json?: string])[] = [
  ['id', 'int8', 'g'],
  ['customer_id', 'int4', '(g * 7919) % 100000'],
  ['status', 'text', `(ARRAY['placed','shipped','paid','cancelled'])[1 + g % 4]`],
  ['note', 'text', `CASE WHEN g % 3 = 0 THEN NULL ELSE 'note "' || md5(g::text) END`],
  ['price', 'numeric', '(g % 100000) / 100.0', `'"' || price::text || '"'`],
  ['tax', 'numeric', '((g * 31) % 9999) / 1000.0', `'"' || tax::text || '"'`],
  ['rate', 'float8', 'g / 7.0'],
  ['ok', 'bool', 'g % 2 = 0'],
  [
    'ordered_at',
    'timestamptz',
    `timestamptz '2026-01-01Z' + g * interval '1.000007 s'`,
    `'"' || to_char(ordered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'`,
  ],
  ['day', 'date', `date '2026-01-01' + (g % 365)::int`],
  ['ref', 'uuid', 'md5(g::text)::uuid'],
  ['city', 'varchar', `'city ' || (g % 1000)`],
];
const SHAPE: Shape = { key: ['id'], columns: COLUMNS.map(([name, type]) => ({ name, type })) };

interface Line {
  readonly what: string;
  readonly seconds: number;
  readonly found: number | null;
}

export async function validationBench(rows: number, rounds: number): Promise<void> {
  const client = await makeTable(rows);
  const spec = { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 1 } as unknown as KafkaSpec;
  const port = new KafkaPort(spec, () => '');
  try {
    await fillTopic(client, rows);
    const planted = await damage(client, rows);
    console.log(`${rows} rows, 12 columns, ${planted} rows of the table changed behind the topic's back; ${rounds} rounds, median`);
    const only = process.env['BENCH_ONLY'];
    const contestants: Record<string, () => Promise<number | null>> = {
      'limit: COPY BINARY to nothing': () => copyRows(client, 'SELECT * FROM wide', { rowsPerSecond: 0 }, skipRow).then(() => null),
      'limit: topic, every record walked': () => walk(port),
      'sluice, first full window': () => ours(client, port, rows),
      'naive: JSON.parse into a Map, SELECT': () => naive(client, port),
      'SQL FULL OUTER JOIN, topic loaded by COPY': () => sqlJoin(client, port),
    };
    const lines: Line[] = [];
    for (const [what, run] of Object.entries(contestants)) {
      if (only && !what.includes(only)) continue;
      const times: number[] = [];
      let found: number | null = null;
      for (let round = 0; round < rounds; round += 1) {
        globalThis.gc?.();
        const started = performance.now();
        found = await run();
        times.push((performance.now() - started) / 1000);
      }
      const seconds = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
      lines.push({ what, seconds, found });
      console.log(
        `${what.padEnd(46)} ${seconds.toFixed(2)} s  ${String(Math.round(rows / seconds)).padStart(9)} rows/s  ${found === null ? '' : `${found} of ${planted} found`}`,
      );
    }
    if (only) return;
    const slowest = Math.max(lines[0]!.seconds, lines[1]!.seconds);
    console.log(
      `ratio to the slowest limit: ${(slowest / lines[2]!.seconds).toFixed(2)} (target 0.8); peak memory of this process ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    );
  } finally {
    await port.disconnect();
    await client.end();
    await cleanUp();
  }
}

/** Where a COPY BINARY row of 12 fields ends. */
function skipRow(b: Uint8Array, at: number): number {
  for (let field = 0; field < COLUMNS.length; field += 1) {
    const size = (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
    at += 4 + Math.max(size, 0);
  }
  return at;
}

async function connect(database: string): Promise<pg.Client> {
  const client = new pg.Client({ database, types: { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig });
  await client.connect();
  await client.query(`SET TimeZone = 'UTC'`);
  return client;
}

async function makeTable(rows: number): Promise<pg.Client> {
  await cleanUp();
  const admin = await connect('postgres');
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  await admin.end();
  const client = await connect(DATABASE);
  await client.query(
    `CREATE TABLE wide (${COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')}, PRIMARY KEY (id));
     INSERT INTO wide SELECT ${COLUMNS.map(([, type, made]) => `(${made})::${type}`).join(', ')} FROM generate_series(1::bigint, ${rows}) g`,
  );
  await client.query('VACUUM ANALYZE wide');
  return client;
}

/** Debezium-shaped records of every row, as its initial load writes them. */
async function fillTopic(client: pg.Client, rows: number): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [process.env['KAFKA_BROKERS']!], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] });
  const fields = COLUMNS.map(([name, , , json]) => `'"${name}":' || coalesce(${json ?? `to_json(${name})::text`}, 'null')`).join(` || ',' || `);
  const select = `SELECT id, '{"before":null,"after":{' || ${fields} || '},"source":{"version":"3.7.0.Final","connector":"postgresql","name":"bench","ts_ms":1795361647983,"snapshot":"true","db":"bench","sequence":"[null,\\"143494080\\"]","ts_us":1795361647983806,"ts_ns":1795361647983806000,"schema":"public","table":"wide","txId":855,"lsn":143494080,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,"op":"r","ts_ms":1795361648223,"ts_us":1795361648223149,"ts_ns":1795361648223149511}' FROM wide`;
  const cursor = client.query(new Cursor<string[]>(select, [], { rowMode: 'array' }));
  const producer = kafka.producer();
  await producer.connect();
  const started = performance.now();
  for (let batch = await cursor.read(1000); batch.length > 0; batch = await cursor.read(1000)) {
    await producer.send({ topic: TOPIC, acks: 1, messages: batch.map(([id, value]) => ({ key: `{"id":${id}}`, value: value! })) });
  }
  console.log(`topic filled in ${((performance.now() - started) / 1000).toFixed(0)} s (${rows} records)`);
  await cursor.close();
  await producer.disconnect();
  await admin.disconnect();
}

/** 1,100 scattered changes: 1,000 updates, 50 deletes, 50 rows more. */
async function damage(client: pg.Client, rows: number): Promise<number> {
  await client.query(`UPDATE wide SET price = price + 0.01 WHERE id % ${Math.floor(rows / 1000)} = 3 AND id <= ${Math.floor(rows / 1000) * 1000}`);
  await client.query(`DELETE FROM wide WHERE id IN (SELECT id FROM wide WHERE id % ${Math.floor(rows / 50)} = 7 ORDER BY id LIMIT 50)`);
  await client.query(
    `INSERT INTO wide SELECT id + 100000000, customer_id, status, note, price, tax, rate, ok, ordered_at, day, ref, city FROM wide ORDER BY id LIMIT 50`,
  );
  await rest(100);
  return 1100;
}

const snapshotOf = async (client: pg.Client): Promise<SnapshotVisibility> =>
  parseSnapshot((await client.query<{ s: string }>('SELECT pg_current_snapshot()::text AS s')).rows[0]!.s);

async function ours(client: pg.Client, kafka: KafkaPort, rows: number): Promise<number> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const snapshot = await snapshotOf(client);
  const ends = await kafka.offsets(TOPIC);
  const input = { kafka, topic: TOPIC, ends, shape: SHAPE, snapshot, reader: client, from: 'public.wide', rowsPerSecond: 0, heartbeat: () => undefined };
  const fold = await foldTable(kafka, TOPIC, new HashFold(SHAPE, rows), ends, snapshot, () => undefined);
  const { counts, canary } = await passByHash(input, fold);
  await client.query('COMMIT');
  if (canary.found !== canary.planted) throw new Error('canary');
  return counts.missing + counts.extraneous + counts.mismatched;
}

async function walk(kafka: KafkaPort): Promise<null> {
  let bytes = 0;
  for (const { partition, low, committed } of await kafka.offsets(TOPIC)) {
    await kafka.readRange(TOPIC, partition, low, committed, (_offset, _bytes, _keyStart, _keyEnd, start, end) => void (bytes += end - start));
  }
  return null;
}

async function naive(client: pg.Client, kafka: KafkaPort): Promise<number> {
  const rows = new Map<string, string>();
  for (const { partition, low, committed } of await kafka.offsets(TOPIC)) {
    await kafka.readRange(TOPIC, partition, low, committed, (_offset, bytes, _keyStart, _keyEnd, start, end) => {
      const after = (JSON.parse(bytes.toString('utf8', start, end)) as { after: Record<string, unknown> }).after;
      rows.set(String(after['id']), COLUMNS.map(([name]) => String(after[name])).join('|'));
    });
  }
  let different = 0;
  const columns = COLUMNS.map(([name, , , json]) => (json ? `trim('"' FROM ${json}) AS ${name}` : name === 'ok' ? `ok::text AS ok` : name)).join(', ');
  const cursor = client.query(new Cursor<(string | null)[]>(`SELECT ${columns} FROM wide`, [], { rowMode: 'array' }));
  for (let batch = await cursor.read(5000); batch.length > 0; batch = await cursor.read(5000)) {
    for (const row of batch) {
      if (rows.get(row[0]!) !== row.map(String).join('|')) different += 1;
      rows.delete(row[0]!);
    }
  }
  await cursor.close();
  return different + rows.size;
}

/** The topic's rows loaded into a table beside, then compared by the server. */
async function sqlJoin(client: pg.Client, kafka: KafkaPort): Promise<number> {
  await client.query(`DROP TABLE IF EXISTS wide_topic; CREATE UNLOGGED TABLE wide_topic_json (v jsonb)`);
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    const values = batch;
    batch = [];
    if (values.length > 0) await client.query('INSERT INTO wide_topic_json SELECT unnest($1::jsonb[])', [values]);
  };
  for (const { partition, low, committed } of await kafka.offsets(TOPIC)) {
    for (let from = low; from < committed; from += 20_000) {
      await kafka.readRange(
        TOPIC,
        partition,
        from,
        Math.min(from + 20_000, committed),
        (_offset, bytes, _keyStart, _keyEnd, start, end) => void batch.push(bytes.toString('utf8', start, end)),
      );
      await flush();
    }
  }
  const parsed = COLUMNS.map(([name, type]) => `(v->'after'->>'${name}')::${type} AS ${name}`).join(', ');
  const { rows } = await client
    .query<{ n: string }>(
      `CREATE UNLOGGED TABLE wide_topic AS SELECT ${parsed} FROM wide_topic_json; ANALYZE wide_topic;
     SELECT count(*) AS n FROM wide a FULL JOIN wide_topic b USING (id) WHERE (a.*) IS DISTINCT FROM (b.*)`,
    )
    .then((results) => (Array.isArray(results) ? (results as { rows: { n: string }[] }[])[2]! : results));
  await client.query('DROP TABLE wide_topic_json; DROP TABLE wide_topic');
  return Number(rows[0]!.n);
}

async function cleanUp(): Promise<void> {
  const admin = await connect('postgres');
  await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await admin.end();
  const kafka = new kafkajs.Kafka({ brokers: [process.env['KAFKA_BROKERS']!], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await kafka.connect();
  if ((await kafka.listTopics()).includes(TOPIC)) await kafka.deleteTopics({ topics: [TOPIC] });
  await kafka.disconnect();
}
