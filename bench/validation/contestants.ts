// Lists the contestants of the validation benchmark, which compare a table with its topic. They are
// Sluice's windows, code that a team would write in an afternoon, and a plain SQL join. The list
// also has the limits that no contestant can beat. One entry only loads the topic into a table,
// because the SQL join and the tools that index.ts runs need this table.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import Cursor from 'pg-cursor';
import { passByFlink } from '../../src/activities/windows/tables/table-by-flink.js';
import {
  passByHash,
  type PassInput,
  type TablePass,
} from '../../src/activities/windows/tables/table-by-hash.js';
import { passBySpill } from '../../src/activities/windows/tables/table-on-disk.js';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import { copyRows } from '../../src/clients/postgres/copy-stream.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import type { KafkaSpec } from '../../src/domain/migration/spec.js';
import { COLUMNS, SHAPE, TOPIC, sqlType } from './data.js';

/**
 * The number of differing keys that a contestant found, or `atLeast` if it stopped before the end.
 * Null if it does not compare.
 */
export type Answer = number | { readonly atLeast: number } | null;
export type Contestant = (client: pg.Client, kafka: KafkaPort) => Promise<Answer>;

export const openKafka = (): KafkaPort =>
  new KafkaPort(
    {
      brokers: [process.env['KAFKA_BROKERS']!],
      replication: 1,
      partitions: 1,
    } as unknown as KafkaSpec,
    () => '',
  );

export const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  'limit: COPY BINARY to nothing': (client) =>
    copyRows(client, 'SELECT * FROM wide', { rowsPerSecond: 0 }, skipRow).then(() => null),
  'limit: topic, every record walked': (client, kafka) => walk(client, kafka),
  'sluice, a full window': (client, kafka) => fullWindow(client, kafka, TOPIC),
  'sluice, a full window in 8 parts on disk': oursOnDisk,
  'sluice, engine: flink': oursByFlink,
  'naive: JSON.parse into a Map, SELECT': naive,
  'the topic loaded into a table': loadTopic,
  'SQL FULL OUTER JOIN of the two tables': sqlJoin,
};

/** Returns the position of the end of a COPY BINARY row with 12 fields. */
function skipRow(b: Uint8Array, at: number): number {
  for (let field = 0; field < COLUMNS.length; field += 1) {
    const size = (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
    at += 4 + Math.max(size, 0);
  }
  return at;
}

export async function walk(_client: pg.Client, kafka: KafkaPort, topic = TOPIC): Promise<null> {
  let bytes = 0;
  for (const { partition, low, committed } of await kafka.offsets(topic)) {
    await kafka.readRange(
      topic,
      partition,
      low,
      committed,
      (_offset, _bytes, _keyStart, _keyEnd, start, end) => void (bytes += end - start),
    );
  }
  return null;
}

/** Compares all rows of the table with the topic, as a full window does. */
export function fullWindow(client: pg.Client, kafka: KafkaPort, topic: string): Promise<Answer> {
  return oneWindow(client, kafka, topic, (input, counted) =>
    passByHash(input, foldTable(input, new HashFold(SHAPE, counted), input.ends, input.snapshot)),
  );
}

function oursOnDisk(client: pg.Client, kafka: KafkaPort): Promise<Answer> {
  return oneWindow(client, kafka, TOPIC, (input) =>
    passBySpill(input, 8, mkdtempSync(join(tmpdir(), 'sluice-bench-spill-'))),
  );
}

async function oneWindow(
  client: pg.Client,
  kafka: KafkaPort,
  topic: string,
  pass: (input: PassInput, counted: number) => Promise<TablePass>,
): Promise<Answer> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const snapshot = parseSnapshot(
    (await client.query<{ s: string }>('SELECT pg_current_snapshot()::text AS s')).rows[0]!.s,
  );
  const counted = Number(
    (await client.query<{ n: string }>('SELECT count(*) AS n FROM wide')).rows[0]!.n,
  );
  const ends = await kafka.offsets(topic);
  const input = {
    kafka,
    topic,
    ends,
    shape: SHAPE,
    snapshot,
    reader: client,
    from: 'public.wide',
    isPartitioned: false,
    rowsPerSecond: 0,
    heartbeat: () => undefined,
  };
  const { counts, canary, rowsRead, isStopped } = await pass(input, counted);
  await client.query('COMMIT');
  if (canary.found !== canary.planted || (rowsRead !== counted && !isStopped))
    throw new Error('this run proves nothing: its canary or its row count is wrong');
  const differing = counts.missing + counts.extraneous + counts.mismatched + counts.unknown;
  return isStopped ? { atLeast: differing } : differing;
}

/** Compares all rows, as `fullWindow` does, but lets Flink join both sides. */
async function oursByFlink(client: pg.Client, kafka: KafkaPort): Promise<number> {
  const windowTopic = `${TOPIC}.window`;
  if (!(await kafka.listTopics()).includes(windowTopic))
    await kafka.createTopic(windowTopic, 1, 1, {});
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const snapshot = parseSnapshot(
    (await client.query<{ s: string }>('SELECT pg_current_snapshot()::text AS s')).rows[0]!.s,
  );
  const ignored = process.env['BENCH_IGNORE'];
  const compared = { ...SHAPE, columns: SHAPE.columns.filter((c) => c.name !== ignored) };
  const table = {
    database: 'bench',
    schema: 'public',
    table: 'wide',
    columns: SHAPE.columns,
    key: SHAPE.key,
    server: 'bench',
  };
  const cluster = {
    brokers: [process.env['KAFKA_BROKERS']!],
    replication: 1,
    partitions: 1,
    tls: false,
  };
  const { counts, canary } = await passByFlink({
    kafka,
    topic: TOPIC,
    ends: await kafka.offsets(TOPIC),
    shape: compared,
    snapshot,
    reader: client,
    from: 'public.wide',
    isPartitioned: false,
    rowsPerSecond: 0,
    gateway: process.env['FLINK_GATEWAY_URL']!,
    spec: { kafka: cluster, validation: { engine: 'flink' } },
    windowTopic,
    table,
    heartbeat: () => undefined,
  });
  await client.query('COMMIT');
  if (canary.found !== canary.planted)
    throw new Error('this run proves nothing: it did not find every canary');
  return counts.missing + counts.extraneous + counts.mismatched + counts.unknown;
}

async function naive(client: pg.Client, kafka: KafkaPort): Promise<number> {
  const rows = new Map<string, string>();
  await readTopic(kafka, TOPIC, ({ value }) => {
    const { after } = JSON.parse(value!.toString()) as { after: Record<string, unknown> };
    rows.set(String(after['id']), COLUMNS.map(([name]) => String(after[name])).join('|'));
  });
  let different = 0;
  const columns = COLUMNS.map(([name, type, , json]) =>
    type === 'jsonb'
      ? `${name}::text`
      : json && type !== 'float8'
        ? `trim('"' FROM ${json}) AS ${name}`
        : name === 'ok'
          ? `ok::text AS ok`
          : name,
  ).join(', ');
  const cursor = client.query(
    new Cursor<(string | null)[]>(`SELECT ${columns} FROM wide`, [], { rowMode: 'array' }),
  );
  for (let batch = await cursor.read(5000); batch.length > 0; batch = await cursor.read(5000)) {
    for (const row of batch) {
      if (rows.get(row[0]!) !== row.map(String).join('|')) different += 1;
      rows.delete(row[0]!);
    }
  }
  await cursor.close();
  return different + rows.size;
}

/**
 * Loads the topic into a table, in batches of 20,000 records, as a fast sink would do. From each
 * batch, it writes the last value of each key.
 */
async function loadTopic(client: pg.Client, kafka: KafkaPort): Promise<null> {
  await client.query(
    'DROP TABLE IF EXISTS wide_topic; CREATE UNLOGGED TABLE wide_topic (LIKE wide INCLUDING INDEXES)',
  );
  const names = COLUMNS.map(([name]) => name);
  const upsert = `INSERT INTO wide_topic SELECT ${COLUMNS.map(([name, type]) => `${name}::${sqlType(type)}`).join(', ')}
    FROM unnest(${names.map((_, at) => `$${at + 1}::text[]`).join(', ')}) AS t(${names.join(', ')})
    ON CONFLICT (id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  for (const { partition, low, committed } of await kafka.offsets(TOPIC)) {
    for (let from = low; from < committed; from += 20_000) {
      const latest = new Map<unknown, Record<string, unknown>>();
      await kafka.readRange(
        TOPIC,
        partition,
        from,
        Math.min(from + 20_000, committed),
        (_offset, bytes, _keyStart, _keyEnd, start, end) => {
          const { after } = JSON.parse(bytes.toString('utf8', start, end)) as {
            after: Record<string, unknown>;
          };
          latest.set(after['id'], after);
        },
      );
      const rows = [...latest.values()];
      await client.query(
        upsert,
        names.map((name) =>
          rows.map((row) =>
            row[name] === null ? null : String(row[name] as string | number | boolean),
          ),
        ),
      );
    }
  }
  await client.query('ANALYZE wide_topic');
  return null;
}

async function sqlJoin(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    'SELECT count(*) AS n FROM wide a FULL JOIN wide_topic b USING (id) WHERE (a.*) IS DISTINCT FROM (b.*)',
  );
  return Number(rows[0]!.n);
}
