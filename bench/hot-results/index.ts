// `npm run bench -- hot-results --rows 2000000 [--rounds 6]` compares a result that has `--rows`
// keys. Meanwhile, 500 transactions a second change the same few rows again and again. With
// 2,000,000 rows, the batch's query takes a minute or more. The benchmark prints how long each
// window paused the connector. Then it plants a wrong, a lost and an extra row in the output, and
// prints what the next window found. It needs the local stack, and removes its objects.
import { spawn, type ChildProcess } from 'node:child_process';
import kafkajs from 'kafkajs';
import type { WindowRow } from '../../src/domain/evidence/window.js';
import { sleepUntil } from '../../test/support/builders.js';
import { accounts, busy } from '../../test/support/live.js';
import {
  TestWorker,
  connectorOf,
  freshDatabase,
  get,
  sluice,
  startMigration,
  waitFor,
} from '../../test/support/sluice.js';
import { percentile } from '../drill.js';

const TRANSACTIONS_PER_SECOND = 500;
/**
 * SQL that creates the batch's table, and a function that makes the batch's query slow. The
 * function must not read a table. If it did, Sluice could not align the query, that is, rewrite it
 * to read every table as of one moment.
 */
const SLOW = `CREATE FUNCTION slowly(amount numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
  BEGIN FOR n IN 1..600 LOOP END LOOP; RETURN amount; END $$;
  CREATE TABLE totals (bucket bigint PRIMARY KEY, n bigint, total numeric);`;
const QUERY =
  'SELECT id AS bucket, count(*) AS n, sum(slowly(balance)) AS total FROM accounts GROUP BY id';
const PLANTED = { mismatched: 1, missing: 1, extraneous: 1 };

export async function hotResultsBench(rows: number, rounds: number): Promise<void> {
  const name = `hot-${Date.now().toString(36)}`;
  const database = await freshDatabase(accounts(rows) + SLOW);
  await database.client.query('VACUUM (FREEZE, ANALYZE) accounts');
  const worker = new TestWorker();
  await worker.start();
  let pipeline: ChildProcess | undefined;
  let stopWriters = (): Promise<number> => Promise.resolve(0);
  try {
    start(name, database.name);
  } catch (error) {
    await worker.kill('SIGTERM');
    await database.drop();
    throw error;
  }
  try {
    await waitFor(name, 'phase=catch-up', '30m');
    pipeline = startPipeline(name);
    await waitFor(name, 'approval', '60m');
    stopWriters = busy(database, TRANSACTIONS_PER_SECOND);
    const started = Date.now();
    const pauses: number[] = [];
    for (let round = 0; round < rounds; round += 1) pauses.push(...pauseOf(await next(name)));
    await plant(`${name}-totals`, rows);
    const found = await next(name);
    const isExact = Object.entries(PLANTED).every(
      ([count, n]) => found[count as keyof WindowRow] === n,
    );
    const rate = (await stopWriters()) / ((Date.now() - started) / 1000);
    stopWriters = () => Promise.resolve(0);
    console.log(
      `${rate.toFixed(0)} transactions a second; the connector was paused for p50 ${percentile(pauses, 0.5)} s, p99 ${percentile(pauses, 0.99)} s in ${pauses.length} windows; the next window ${isExact ? 'found exactly' : 'did NOT find exactly'} the planted rows`,
    );
  } finally {
    await stopWriters();
    sluice('cancel', name, '--yes');
    await waitFor(name, 'outcome=aborted', '10m');
    pipeline?.kill('SIGKILL');
    await worker.kill('SIGTERM');
    await database.drop();
  }
}

function start(name: string, database: string): void {
  startMigration(name, database, ['public.accounts'], {
    connector: connectorOf({ snapshot: 'copy' }),
    batch: { result: { table: 'public.totals', key: ['bucket'] }, query: { sql: QUERY } },
    pipeline: {
      type: 'external',
      groups: [name],
      output: { topic: `${name}-totals`, key: ['bucket'] },
    },
    validation: { every: '30m', passesInARow: 1 },
    catchUp: { timeout: '60m' },
  });
}

function startPipeline(name: string): ChildProcess {
  const file = 'test/support/totals-pipeline.mjs';
  const args = [file, `${name}.public.accounts`, `${name}-totals`, name, '30000', '1'];
  return spawn(process.execPath, ['--max-old-space-size=4096', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** Runs a window now, and prints and returns what this window found in the result. */
async function next(name: string): Promise<WindowRow> {
  const ran = sluice('window', name, '--by', 'bench', '-o', 'json');
  const number = (JSON.parse(ran.stdout || '{}') as { window?: { number: number } }).window?.number;
  let row: WindowRow | undefined;
  await sleepUntil('the window is recorded', async () => {
    const { windows } = await get(name);
    row = windows.findLast((w) => w.subject === 'result' && w.number === (number ?? w.number));
    return row !== undefined;
  });
  const { verdict, durationMs, compared, mismatched, missing, extraneous, reason } = row!;
  console.log(
    `  ${verdict} in ${(durationMs / 1000).toFixed(1)} s, ${compared} keys, ${mismatched} mismatched, ${missing} missing, ${extraneous} extraneous: ${reason} ${ran.stderr}`,
  );
  return row!;
}

const pauseOf = ({ reason }: WindowRow): number[] =>
  [...reason.matchAll(/paused for ([\d.]+) s/g)].map(([, s]) => Number(s));

async function plant(topic: string, rows: number): Promise<void> {
  const [wrong, lost] = [rows - 10, rows - 20];
  const record = (bucket: number, total: string | null): kafkajs.Message => ({
    key: JSON.stringify({ bucket }),
    value: total === null ? null : JSON.stringify({ bucket, n: 1, total }),
  });
  const producer = new kafkajs.Kafka({
    brokers: [process.env['KAFKA_BROKERS']!],
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer();
  await producer.connect();
  const messages = [record(wrong, '0.01'), record(lost, null), record(rows + 1, '1.00')];
  await producer.send({ topic, messages });
  await producer.disconnect();
}
