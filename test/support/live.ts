// Provides what a test file with real servers needs: its own worker, its own databases, and a
// writer. At the end, the worker is stopped, and the databases are removed. Other functions create
// topics, write records, and remove connectors.
import { spawn } from 'node:child_process';
import type kafkajs from 'kafkajs';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { ConnectRest } from '../../src/clients/http/connect-rest.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { kafkaClient } from './access.js';
import { askConnect } from './ask-connect.js';
import { sleepUntil } from './builders.js';
import { TestWorker, freshDatabase } from './sluice.js';

type Database = Awaited<ReturnType<typeof freshDatabase>>;

export interface Live {
  readonly worker: TestWorker;
  readonly aDatabase: (setup: string) => Promise<Database>;
}

export function live(): Live {
  const worker = new TestWorker();
  const made: Database[] = [];
  beforeAll(() => worker.start());
  // a test that failed may have left the worker dead, and the next tests would wait for it
  afterEach(({ task }) => (task.result?.state === 'fail' ? worker.restart() : undefined));
  afterAll(async () => {
    await worker.kill('SIGTERM');
    for (const database of made) await database.drop();
  });
  return {
    worker,
    aDatabase: async (setup) => {
      const database = await freshDatabase(setup);
      made.push(database);
      return database;
    },
  };
}

/** Returns SQL that creates a table `accounts` with `rows` rows, exact decimals and NULLs. */
export const accounts = (
  rows = 5000,
): string => `CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, note text);
INSERT INTO accounts SELECT g, g * 1.10, CASE WHEN g % 3 = 0 THEN NULL ELSE 'n' || g END FROM generate_series(1, ${rows}) g;`;

/**
 * Writes to `accounts` at about `rate` transactions a second. Returns a function that stops the
 * writer and returns the number of its transactions. The writer updates 60 rows often (the hot
 * rows). At the default rate, each of them changes more than once a second. A higher rate would
 * keep a processor core busy with the WAL, the connector and the broker.
 */
export function busy(
  { name }: Pick<Database, 'name'>,
  rate = 100,
  port = process.env['PGPORT'],
): () => Promise<number> {
  const writer = spawn(process.execPath, ['test/support/writer.mjs', name, String(rate)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PGPORT: port },
  });
  const said = new Promise<string>((resolve) => {
    let text = '';
    writer.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    writer.once('close', () => resolve(text));
  });
  return async () => {
    writer.kill('SIGTERM');
    const count = Number((await said).trim() || 'NaN');
    if (Number.isNaN(count)) throw new Error('the writer died before it was stopped');
    return count;
  };
}

export const aTopic = (
  port: KafkaPort,
  name: string,
  partitions = 1,
  config: Record<string, string> = {},
): Promise<void> => port.createTopic(name, partitions, port.spec.replication, config);

/** Writes a record for each text, without a key. */
export const produceText = (topic: string, texts: readonly string[]): Promise<void> =>
  produce(
    topic,
    texts.map((value) => ({ value })),
  );

/** Writes a record to the partition of its key. */
export const produceRecord = (topic: string, key: string, value: Buffer): Promise<void> =>
  produce(topic, [{ key, value }]);

/** Writes the same record to each partition. */
export const produceToEach = (
  topic: string,
  partitions: number,
  key: string,
  value: string,
): Promise<void> =>
  produce(
    topic,
    Array.from({ length: partitions }, (_, partition) => ({ key, value, partition })),
  );

async function produce(topic: string, messages: kafkajs.Message[]): Promise<void> {
  const producer = kafkaClient().producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** Removes a connector and its offsets, because the offsets would outlive the connector. */
export async function dropConnector(rest: ConnectRest, connector: string): Promise<void> {
  await rest.stop(connector);
  await sleepUntil(
    'no task is left',
    async () => (await rest.status(connector))?.tasks.length === 0,
  );
  await rest.deleteOffsets(connector);
  await rest.delete(connector);
}

/** Returns the names of the slots and publications of this database. */
export const objects = async (client: pg.Client): Promise<object[]> =>
  (
    await client.query<object>(
      `SELECT slot_name AS n FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication`,
    )
  ).rows;

/**
 * Removes two objects that a migrated run handed over: first its connector, and then its slot. The
 * slot would keep the database from being dropped.
 */
export async function dismantle(client: pg.Client, name: string): Promise<void> {
  await askConnect('DELETE', name);
  const slot = `sluice_${name.replaceAll('-', '_')}`;
  const idle = async () =>
    (
      await client.query('SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND NOT active', [
        slot,
      ])
    ).rows.length === 1;
  await sleepUntil('the slot is idle', idle);
  await client.query('SELECT pg_drop_replication_slot($1)', [slot]);
}
