// Runs a migration of `accounts` with a small pipeline, while a writer writes all the time. Tests
// of exact results use it. The rows that change most often have a TOAST value. No update touches
// this value, so the records of these rows have a placeholder for it.
import { spawn, type ChildProcess } from 'node:child_process';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import type { ConnectRest } from '../../src/clients/http/connect-rest.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { pausesOf } from '../../src/clients/ledger/connector-pauses.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import type { WindowRow } from '../../src/domain/evidence/window.js';
import { connectRest, kafkaClient, kafkaPort } from './access.js';
import { sleepUntil } from './builders.js';
import { accounts, busy, live, type Live } from './live.js';
import { sluice, specFile, waitFor } from './sluice.js';

export const BUCKETS = 61;
const QUERY = 'SELECT bucket, count(*) AS n, sum(balance) AS total FROM cents GROUP BY bucket';
/**
 * The view leaves out rows whose note is the placeholder. Only records contain the placeholder, so
 * a query that used such a record as a row would give a wrong result.
 */
const SETUP = `${accounts(30_000)}
  ALTER TABLE accounts ALTER COLUMN note SET STORAGE EXTERNAL;
  UPDATE accounts SET note = (SELECT string_agg(md5(id::text || n), '') FROM generate_series(1, 100) n) WHERE id <= 60;
  CREATE FUNCTION allowed(id bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
  CREATE VIEW cents AS SELECT id / 500 AS bucket, balance FROM accounts
    WHERE note IS DISTINCT FROM '__debezium_unavailable_value' AND allowed(id);
  CREATE TABLE totals (bucket bigint PRIMARY KEY, n bigint, total numeric);`;

/**
 * The session timeout of the pipeline's consumer, in milliseconds. A suspended pipeline stays a
 * member of its group for this long.
 */
const SESSION_MS = '30000';

interface Sent {
  readonly key: object;
  readonly value: object | null;
}

export interface StillPipeline {
  readonly worker: Live['worker'];
  readonly rest: ConnectRest;
  readonly ledger: Ledger;
  /** The topic of the table. */
  readonly input: string;
  readonly output: string;
  /** A connection to the source. */
  readonly client: () => pg.Client;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly resultRows: () => Promise<WindowRow[]>;
  /** Waits for a window that began after this call. Returns its verdict about the result. */
  readonly nextWindow: () => Promise<WindowRow>;
  readonly send: (topic: string, records: readonly Sent[]) => Promise<void>;
  /** Sends the record repeatedly until `stop` is called. */
  readonly flood: (topic: string, record: Sent) => Promise<{ stop: () => Promise<void> }>;
  /** Returns the last value that the output topic has for a bucket. */
  readonly lastOf: (bucket: number) => Promise<object>;
  readonly isConnector: (state: string) => Promise<boolean>;
  /** Waits until the connector is paused. */
  readonly paused: () => Promise<void>;
  readonly ref: () => Promise<MigrationRef>;
  readonly openPauses: () => Promise<number>;
}

/** Starts the migration before the tests of a file, and cancels it afterwards. */
export function stillPipeline(name: string): StillPipeline {
  const { aDatabase, worker } = live();
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL'] ?? 'postgres://none/none');
  const rest = connectRest();
  const kafka = kafkaClient();
  const [input, output] = [`${name}.public.accounts`, `${name}-totals`];
  let port: KafkaPort;
  let client: pg.Client;
  let pipeline: ChildProcess | undefined;
  let writerEnds: (() => Promise<number>) | undefined;

  beforeAll(async () => {
    const database = await aDatabase(SETUP);
    ({ client } = database);
    port = kafkaPort();
    writerEnds = busy(database, 100);
    const file = specFile(name, database.name, ['public.accounts'], {
      batch: { result: { table: 'public.totals', key: ['bucket'] }, query: { sql: QUERY } },
      pipeline: { type: 'external', groups: [name], output: { topic: output, key: ['bucket'] } },
      validation: { every: '1s', passesInARow: 1000 },
    });
    const { code, stderr } = sluice('start', '-f', file);
    if (code !== 0) throw new Error(stderr);
    await sleepUntil('the topic is there', async () => (await port.listTopics()).includes(input));
    pipeline = spawn(
      process.execPath,
      ['test/support/totals-pipeline.mjs', input, output, name, SESSION_MS],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    await waitFor(name, 'phase=validate');
  }, 600_000);
  afterAll(async () => {
    await writerEnds?.();
    sluice('cancel', name, '--yes');
    await waitFor(name, 'outcome=aborted');
    pipeline?.kill('SIGKILL');
    await Promise.all([port.disconnect(), ledger.close()]);
  });

  const resultRows = async (): Promise<WindowRow[]> =>
    (await ledger.windows(name, 1)).filter(({ subject }) => subject === 'result');
  const isConnector = async (state: string): Promise<boolean> =>
    (await rest.status(name))?.connector.state === state;
  const ref = async (): Promise<MigrationRef> => {
    const [run] = await ledger.migrations(name);
    return {
      name,
      iteration: run!.iteration,
      generation: run!.generation,
      workflowId: `migration-${name}`,
      runKey: run!.run_key,
      planHash: run!.plan_hash,
      spec: run!.spec,
    };
  };
  const message = ({ key, value }: Sent): { key: string; value: string | null } => ({
    key: JSON.stringify(key),
    value: value && JSON.stringify(value),
  });
  return {
    worker,
    rest,
    ledger,
    input,
    output,
    client: () => client,
    signal: (signal) => void pipeline!.kill(signal),
    resultRows,
    async nextWindow() {
      const last = (await resultRows()).at(-1)?.number ?? 0;
      let found: WindowRow | undefined;
      await sleepUntil('a window', async () => {
        found = (await resultRows()).find(({ number }) => number > last + 1);
        return found !== undefined;
      });
      return found!;
    },
    async send(topic, records) {
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic, messages: records.map(message) });
      await producer.disconnect();
    },
    async flood(topic, record) {
      const producer = kafka.producer();
      await producer.connect();
      let isOver = false;
      const sending = (async () => {
        while (!isOver) await producer.send({ topic, messages: [message(record)] });
      })();
      return {
        stop: async () => {
          isOver = true;
          await sending;
          await producer.disconnect();
        },
      };
    },
    async lastOf(bucket) {
      let last: object | null = null;
      await readTopic(port, output, ({ key, value }) => {
        if (value && key?.toString() === JSON.stringify({ bucket }))
          last = JSON.parse(value.toString()) as object;
      });
      return last!;
    },
    isConnector,
    async paused() {
      // a pause lasts for less than the interval of `sleepUntil`
      const deadline = Date.now() + 120_000;
      while (!(await isConnector('PAUSED')))
        if (Date.now() > deadline) throw new Error('no window paused the connector');
    },
    ref,
    openPauses: async () =>
      (await pausesOf(ledger, await ref(), name)).filter(({ closedBy }) => closedBy === null)
        .length,
  };
}
