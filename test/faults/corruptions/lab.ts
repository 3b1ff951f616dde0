// Sets up a partitioned table named `ledger` on a separate Postgres, its topic, and a migration
// with real windows. Tests corrupt this table, its topic and the topic's records.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import pg from 'pg';
import { stackHome, type StackHome } from '../../../stack/paths.js';
import { stop } from '../../../stack/processes.js';
import { PG_PASSWORD, PG_USER, ask, startPostgres } from '../../../stack/services/postgres.js';
import { KafkaPort } from '../../../src/clients/kafka/kafka.js';
import { readTopic } from '../../../src/clients/kafka/records.js';
import { Ledger } from '../../../src/clients/ledger/ledger.js';
import type { Blocked } from '../../../src/domain/failure.js';
import type { WindowRow } from '../../../src/domain/evidence/window.js';
import { sleepUntil } from '../../support/builders.js';
import { accounts, busy } from '../../support/live.js';
import { sluice, specFile, testPostgres, waitFor, type TestWorker } from '../../support/sluice.js';
import { counter, moveCounter } from '../../support/transaction-counter.js';
import { FIRST, LAST, SETUP } from './ledger-table.js';

const createPartitioner = kafkajs.Partitioners.DefaultPartitioner;
const PARTITIONS = 2;
const PATIENCE_MS = 600_000;
/** Matches the reason of a window whose barrier was not reached in time, or got no answer. */
const NOT_REACHED = / at the time limit$| does not answer /;

/** A record of the table's topic, and its partition. */
export interface Found {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
}

export interface Lab {
  readonly name: string;
  readonly client: pg.Client;
  readonly port: KafkaPort;
  /** Returns the publication's name. A new generation has a new publication and new topics. */
  readonly publication: () => Promise<string>;
  readonly topic: () => Promise<string>;
  /**
   * Reads the status from the ledger. A `sluice get` for each poll would load the machine more than
   * the windows do.
   */
  readonly status: () => Promise<LabStatus>;
  /** Changes the table in one transaction so that the stream never sees the change. */
  readonly hidden: (sql: string) => Promise<unknown>;
  /** Writes records to the topic. The key determines the partition, unless the record names one. */
  readonly send: (...records: Sent[]) => Promise<void>;
  /** Returns the newest record of a row. Tombstones do not count. */
  readonly lastRecord: (id: number) => Promise<Found>;
  /**
   * Returns the id of a transaction that the source has just committed, in 32 bits as Debezium
   * writes it.
   */
  readonly transaction: () => Promise<number>;
  /**
   * Returns the outcome of a window that began after this call and reached its barrier. A window
   * that did not reach its barrier has compared nothing.
   */
  readonly nextWindow: (what: string) => Promise<WindowOfBoth>;
  /** Runs `act` while there is no worker. */
  readonly unseen: (act: () => Promise<void>) => Promise<void>;
  /** Deletes the topic, and waits until the next generation has a window. */
  readonly nextGeneration: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface WindowOfBoth {
  readonly number: number;
  readonly ledger: WindowRow;
  /** The outcome for the table `accounts`, which has a busy writer and is never corrupted. */
  readonly accounts: WindowRow;
}

export interface LabStatus {
  readonly generation: number;
  readonly blocked: Blocked | null;
  readonly windows: readonly WindowRow[];
}

export interface Sent {
  readonly key: string | null;
  readonly value: string | null;
  readonly partition?: number;
}

/**
 * Starts the Postgres that the migrations of these tests read. `openLab` moves the transaction
 * counter of this server forward before it starts a migration.
 */
export async function openServer(): Promise<{ home: StackHome; close: () => Promise<void> }> {
  const main = stackHome();
  const dir = join(main.dir, 'corrupted');
  const ports = { ...main.ports, postgres: main.ports.postgres + 20 };
  const home = { ...main, dir, logs: join(dir, 'logs'), pids: join(dir, 'pids'), ports };
  const close = async (): Promise<void> => {
    await stop(home, 'postgres');
    rmSync(home.dir, { recursive: true, force: true });
  };
  await close(); // removes what an interrupted run left
  await startPostgres(home, () => undefined);
  return { home, close };
}

/**
 * Creates table, topic and migration. `from` is the lowest transaction id that the source assigns.
 * The server must not have a slot yet.
 */
export async function openLab(
  home: StackHome,
  worker: TestWorker,
  name: string,
  from: bigint,
): Promise<Lab> {
  if ((await counter(home)) < from) await moveCounter(home, from);
  const database = name.replaceAll('-', '_');
  await ask(home, 'postgres', `CREATE DATABASE ${database}`);
  const access = { host: '127.0.0.1', port: home.ports.postgres, database };
  const client = new pg.Client({ ...access, user: PG_USER, password: PG_PASSWORD });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`${SETUP} ${accounts()}`);
  const rest = busy({ name: database }, 50, String(home.ports.postgres));
  const brokers = [process.env['KAFKA_BROKERS']!];
  const port = new KafkaPort(
    { brokers, replication: 1, partitions: PARTITIONS, tls: false },
    () => '',
  );
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  await start(name, { ...testPostgres(database), port: home.ports.postgres });

  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!, { readOnly: true });
  const status = (): Promise<LabStatus> => statusOf(ledger, name);
  const ofGeneration = async (between: string): Promise<string> => {
    const { generation } = await status();
    return generation === 1 ? '' : `${between}g${generation}`;
  };
  const publication = async (): Promise<string> => `sluice_${database}${await ofGeneration('_')}`;
  const topic = async (): Promise<string> => `${name}${await ofGeneration('.')}.public.ledger`;
  return {
    name,
    client,
    port,
    publication,
    topic,
    status,
    hidden: async (sql) => {
      const alter = `ALTER PUBLICATION ${await publication()}`;
      return client.query(`BEGIN; ${alter} DROP TABLE ledger; ${sql};
        ${alter} ADD TABLE ledger; COMMIT`);
    },
    send: async (...messages) => {
      // a producer fails if a topic that it has used was deleted, so each call opens a new one
      const producer = kafka.producer({ createPartitioner });
      await producer.connect();
      try {
        await producer.send({ topic: await topic(), messages: [...messages] });
      } finally {
        await producer.disconnect();
      }
    },
    lastRecord: async (id) => lastRecord(port, await topic(), id),
    transaction: async () => {
      const { rows } = await client.query<{ id: string }>('SELECT pg_current_xact_id() AS id');
      return Number(BigInt.asUintN(32, BigInt(rows[0]!.id)));
    },
    nextWindow: async (what) => {
      const before = (await status()).windows.at(-1)?.number ?? 0;
      // the window after `before` may have begun already
      return windowAfter(status, before + 1, what);
    },
    unseen: async (act) => {
      await worker.kill('SIGTERM');
      await act();
      await worker.start();
    },
    nextGeneration: async () => {
      const { generation } = await status();
      await port.deleteTopic(await topic());
      const isLost = async () => (await status()).blocked?.code === 'topic-lost';
      await sleepUntil('topic-lost', isLost, PATIENCE_MS);
      sluice('retry', name);
      const begun = async () => (await status()).generation === generation + 1;
      await sleepUntil('the next generation', begun, PATIENCE_MS);
      // The numbers of windows can have gaps: a lost generation may not use its last number.
      const before = (await status()).windows.length;
      const isMeasured = async () => (await status()).windows.length > before;
      await sleepUntil('a window of the next generation', isMeasured, PATIENCE_MS);
    },
    close: async () => {
      await rest();
      sluice('cancel', name, '--yes');
      await waitFor(name, 'outcome=aborted');
      await Promise.all([client.end(), port.disconnect(), ledger.close()]);
      await ask(home, 'postgres', `DROP DATABASE ${database} WITH (FORCE)`);
    },
  };
}

async function start(name: string, postgres: object): Promise<void> {
  const tables = ['public.ledger', 'public.accounts'];
  const file = specFile(name, name, tables, {
    source: { postgres, tables },
    kafka: { brokers: [process.env['KAFKA_BROKERS']], partitions: PARTITIONS },
    validation: { every: '1s', passesInARow: 1000 },
  });
  const { code, stderr } = sluice('start', '-f', file);
  if (code !== 0) throw new Error(stderr);
  await waitFor(name, 'phase=validate');
}

async function statusOf(ledger: Ledger, name: string): Promise<LabStatus> {
  const { iteration, status } = (await ledger.migrations(name))[0]!;
  const { generation, blocked } = status!;
  return { generation, blocked, windows: await ledger.windows(name, iteration) };
}

async function windowAfter(
  status: () => Promise<LabStatus>,
  number: number,
  what: string,
): Promise<WindowOfBoth> {
  let rows: readonly WindowRow[] = [];
  const isThere = async (): Promise<boolean> => {
    const { windows, blocked } = await status();
    const first = windows.find((w) => w.number > number && !NOT_REACHED.test(w.reason))?.number;
    rows = windows.filter((window) => window.number === first);
    if (rows.length === 0 && blocked)
      throw new Error(`${what}: ${blocked.code}: ${blocked.detail}`);
    return rows.length > 0;
  };
  await sleepUntil(`${what}: a window after ${number}`, isThere, PATIENCE_MS);
  const of = (subject: string): WindowRow => rows.find((row) => row.subject === subject)!;
  return { number: rows[0]!.number, ledger: of('public.ledger'), accounts: of('public.accounts') };
}

async function lastRecord(port: KafkaPort, topic: string, id: number): Promise<Found> {
  const wanted = keyOf(id);
  let found: Found | undefined;
  await readTopic(port, topic, ({ partition, key, value }) => {
    if (value && key?.toString() === wanted)
      found = { partition, key: wanted, value: value.toString() };
  });
  if (!found || id < FIRST || id > LAST) throw new Error(`${topic} has no record of ${id}`);
  return found;
}

/** Returns a record's key as Debezium writes it. */
export const keyOf = (id: number): string => `{"id":${id}}`;
