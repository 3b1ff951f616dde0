// Compares results at a still point, on real parts. The hottest key is compared in every window,
// and planted faults are found in the same window. The connector runs again wherever a worker dies.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { pausesOf } from '../../src/clients/ledger/connector-pauses.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import type { WindowRow } from '../../src/domain/evidence/window.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, live } from '../support/live.js';
import { sluice, specFile, waitFor } from '../support/sluice.js';

const NAME = 'still';
const OUTPUT = 'still-totals';
const BUCKETS = 61;
const CHILD = fileURLToPath(new URL('../faults/crash-child.mjs', import.meta.url));
const QUERY = 'SELECT bucket, count(*) AS n, sum(balance) AS total FROM cents GROUP BY bucket';

const { aDatabase } = live();
const brokers = process.env['KAFKA_BROKERS'] ?? '';
const ledger = new Ledger(process.env['SLUICE_LEDGER_URL'] ?? 'postgres://none/none');
const rest = new ConnectRest(process.env['CONNECT_URL'] ?? '');
const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
let port: KafkaPort;
let pipeline: ChildProcess | undefined;
let writerEnds: (() => Promise<number>) | undefined;

beforeAll(async () => {
  const database = await aDatabase(
    `${accounts(30_000)} CREATE VIEW cents AS SELECT id / 500 AS bucket, balance FROM accounts;
     CREATE TABLE totals (bucket bigint PRIMARY KEY, n bigint, total numeric);`,
  );
  port = new KafkaPort({ brokers: [brokers], replication: 1, partitions: 1, tls: false }, () => '');
  writerEnds = busy(database, 100);
  const file = specFile(NAME, database.name, ['public.accounts'], {
    batch: { result: { table: 'public.totals', key: ['bucket'] }, query: { sql: QUERY } },
    pipeline: { type: 'external', groups: [NAME], output: { topic: OUTPUT, key: ['bucket'] } },
    validation: {
      every: '1s',
      passesInARow: 1000,
      results: 'exact',
      stillPoint: { maxPause: '5s' },
    },
  });
  const { code, stderr } = sluice('start', '-f', file);
  if (code !== 0) throw new Error(stderr);
  const topic = `${NAME}.public.accounts`;
  await sleepUntil('the topic is there', async () => (await port.listTopics()).includes(topic));
  pipeline = spawn(
    process.execPath,
    ['test/support/totals-pipeline.mjs', brokers, topic, OUTPUT, NAME],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  await waitFor(NAME, 'phase=validate', '5m');
}, 600_000);
afterAll(async () => {
  await writerEnds?.();
  sluice('cancel', NAME, '--yes');
  await waitFor(NAME, 'outcome=aborted', '5m');
  pipeline?.kill('SIGKILL');
  await Promise.all([port.disconnect(), ledger.close()]);
});

const resultRows = async (): Promise<WindowRow[]> =>
  (await ledger.windows(NAME, 1)).filter(({ subject }) => subject === 'result');

/** The result of the first window that began after this call. */
async function nextWindow(): Promise<WindowRow> {
  const last = (await resultRows()).at(-1)?.number ?? 0;
  let found: WindowRow | undefined;
  await sleepUntil('a window', async () => {
    found = (await resultRows()).find(({ number }) => number > last + 1);
    return found !== undefined;
  });
  return found!;
}

async function send(records: readonly { bucket: number; value: object | null }[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = records.map(({ bucket, value }) => ({
    key: JSON.stringify({ bucket }),
    value: value && JSON.stringify(value),
  }));
  await producer.send({ topic: OUTPUT, messages });
  await producer.disconnect();
}

const isConnector = async (state: string): Promise<boolean> =>
  (await rest.status(NAME))!.connector.state === state;

const pendingActivities = (): string =>
  spawnSync(
    'temporal',
    [
      '--address',
      process.env['TEMPORAL_ADDRESS']!,
      'workflow',
      'describe',
      '-w',
      `migration-${NAME}`,
    ],
    { encoding: 'utf8' },
  ).stdout;

/** The last record of a bucket of the output. */
async function lastOf(bucket: number): Promise<object> {
  let last: object | null = null;
  await readTopic(port, OUTPUT, ({ key, value }) => {
    if (value && key?.toString() === JSON.stringify({ bucket }))
      last = JSON.parse(value.toString()) as object;
  });
  return last!;
}

describe('a result that is compared at a still point', () => {
  it('passes every window and compares every key while a hot writer runs, also through a view', async () => {
    await sleepUntil('windows', async () => (await resultRows()).length >= 5);
    const rows = await resultRows();
    for (const row of rows)
      expect(row).toMatchObject({ mode: 'exact', verdict: 'passed', compared: BUCKETS });
    expect(rows.at(-1)!.reason).toMatch(/the connector was paused for \d+\.\d s, \d+ rows aligned/);
  });

  it('finds a wrong value, a lost row and an extra row in one window, and nothing else', async () => {
    const [wrong, lost] = [await lastOf(30), await lastOf(40)];
    await send([
      { bucket: 30, value: { ...wrong, total: '0.01' } },
      { bucket: 40, value: null },
      { bucket: 999, value: { bucket: 999, n: 1, total: '1.00' } },
    ]);
    const found = await nextWindow();
    expect(found).toMatchObject({ mode: 'exact', verdict: 'failed' });
    expect(found).toMatchObject({ mismatched: 1, missing: 1, extraneous: 1, unknown: 0 });
    expect(found.matched).toBe(BUCKETS - 2);
    await send([
      { bucket: 30, value: wrong },
      { bucket: 40, value: lost },
      { bucket: 999, value: null },
    ]);
    expect(await nextWindow()).toMatchObject({ mode: 'exact', verdict: 'passed' });
  });

  it('has its connector running again, wherever the worker of a window is killed', async () => {
    sluice('pause', NAME);
    await sleepUntil('no window is running', () => !pendingActivities().includes('runWindow'));
    const [run] = await ledger.migrations(NAME);
    const ref: MigrationRef = {
      name: NAME,
      iteration: run!.iteration,
      generation: run!.generation,
      workflowId: `migration-${NAME}`,
      runKey: run!.run_key,
      planHash: run!.plan_hash,
      spec: run!.spec,
    };
    const args = [{ ref, number: 100_000, roundsMs: 45_000, isFull: false, since: null }];
    const paused: number[] = [];
    // The effects of a still point are: record, pause, marker, resume, close.
    for (let at = 1; at <= 5; at += 1) {
      const from = 'INSERT INTO sluice.still_point';
      const input = { activity: 'runWindow', args, at, when: 'before', from };
      const died = spawnSync(process.execPath, [CHILD, JSON.stringify(input)], {
        encoding: 'utf8',
      });
      expect(died.signal, died.stderr).toBe('SIGKILL');
      if (await isConnector('PAUSED')) paused.push(at);
      await sleepUntil(`running again after ${at}`, () => isConnector('RUNNING'), 60_000);
    }
    expect(paused).toEqual([3, 4]);
    sluice('resume', NAME);
    expect(await nextWindow()).toMatchObject({ mode: 'exact', verdict: 'passed' });
    const open = (await pausesOf(ledger, ref, NAME)).filter(({ closedBy }) => closedBy === null);
    expect(open).toEqual([]);
  }, 900_000);
});
