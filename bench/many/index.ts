// `npm run bench -- many [--minutes 20] [--migrations 300]` runs `--migrations` migrations on one
// worker, with a real Temporal server and a real ledger. Eight of the migrations use only real
// systems. The others have fakes of the source, Kafka and Connect. All migrations have a guard,
// wait for an approval and run windows. Then the benchmark rolls all of them back, and prints which
// slots, publications and connectors are left. There should be none. It needs the local stack.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { TASK_QUEUE } from '../../src/domain/migration/task-queues.js';
import { freeAddress } from '../../src/wiring/worker-endpoint.js';
import { aSpecInput } from '../../test/support/builders.js';
import { freshDatabase, specOf } from '../../test/support/sluice.js';
import { printStarts, report, type Look } from './figures.js';
import { FAKED, type Sample } from './sample.js';

const REAL = 8;
const ROWS = 20_000;
const LOOK_MS = 15_000;
/**
 * A look measures the worker and its systems. Figures are printed after every 20 looks (five
 * minutes), because the machine's load changes.
 */
const LOOKS_A_REPORT = 20;
const WARM_UP_MS = 60_000;
const WRITES_MS = 100;
const SETTLE_MS = 30_000;
const LIMIT_MS = 1_200_000;
/**
 * The slots of the worker. Its queue for windows (`data`) has one slot for each real migration, and
 * four for all faked ones. The other queues have their default slots.
 */
const SLOTS = `data=${REAL + 4}`;

type Database = Awaited<ReturnType<typeof freshDatabase>>;

export async function manyBench(minutes: number, migrations: number): Promise<void> {
  const database = await freshDatabase(
    Array.from({ length: REAL }, (_, n) => tableSql(`accounts_${n}`)).join('\n'),
  );
  const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'default';
  const client = new Client({ connection, namespace });
  const httpAddress = await freeAddress();
  const worker = await startWorker(httpAddress);
  const look = (): Promise<Look> => lookAt(worker, database, httpAddress);
  const stopWriter = startWriter(database);
  const before = await look();
  const ids = await startAll(client, database.name, migrations);
  const started = Date.now();
  await until('every migration waits for approval', async () => {
    const waiting = await countOf(client, ids, 'SluiceNeedsApproval = true');
    return waiting === migrations;
  });
  const startedMs = Date.now() - started;
  console.log(`all ${migrations} wait for approval after ${Math.round(startedMs / 1000)} s`);
  await sleep(WARM_UP_MS);
  const looks = [await look()];
  for (const end = Date.now() + minutes * 60_000; Date.now() < end;) {
    await sleep(LOOK_MS);
    looks.push(await look());
    if (looks.length % LOOKS_A_REPORT === 0) {
      console.log(`\nthe last ${LOOKS_A_REPORT} of ${looks.length} looks, load ${loadavg()[0]}`);
      printStarts(looks.slice(-LOOKS_A_REPORT).map(({ sample }) => sample));
    }
  }
  for (const id of ids)
    await client.workflow.getHandle(id).signal('rollBack', { by: 'bench', reason: 'measured' });
  const asked = Date.now();
  await until('every migration has ended', async () => (await countOf(client, ids, '')) === 0);
  console.log(`all rolled back after ${Math.round((Date.now() - asked) / 1000)} s`);
  await stopWriter();
  await sleep(SETTLE_MS);
  const after = await look();
  report({ before, looks, after, cores: cpus().length });
  const left = await leftOf(database);
  console.log(`left after the rollback: ${left.length === 0 ? 'nothing' : left.join(', ')}`);
  worker.kill('SIGTERM');
  await once(worker, 'exit');
  await database.drop();
  await connection.close();
}

const tableSql = (
  name: string,
): string => `CREATE TABLE ${name} (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, note text);
INSERT INTO ${name} SELECT g, g * 1.10, 'n' || g FROM generate_series(1, ${ROWS}) g;`;

async function startWorker(httpAddress: string): Promise<ChildProcess> {
  const worker = spawn(
    process.execPath,
    ['--import', 'tsx', '--expose-gc', join(import.meta.dirname, 'worker.ts')],
    {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, SLUICE_SLOTS: SLOTS, SLUICE_HTTP_ADDRESS: httpAddress },
    },
  );
  await new Promise<void>((resolve, reject) => {
    worker.stderr!.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk);
      if (chunk.toString().includes('worker is ready')) resolve();
    });
    worker.once('exit', (code) => reject(new Error(`the worker exited with ${code}`)));
  });
  return worker;
}

/** Updates a row of each table about ten times a second. */
function startWriter({ client }: Database): () => Promise<void> {
  let isOver = false;
  const writing = (async () => {
    for (let n = 0; !isOver; n += 1) {
      for (let table = 0; table < REAL; table += 1)
        await client.query(
          `UPDATE accounts_${table} SET balance = balance + 0.01 WHERE id = ${1 + (n % 500)}`,
        );
      await sleep(WRITES_MS);
    }
  })();
  return () => {
    isOver = true;
    return writing;
  };
}

/** Starts all migrations at the same time, and returns the ids of their workflows. */
async function startAll(
  { workflow }: Client,
  database: string,
  migrations: number,
): Promise<string[]> {
  const unique = Date.now().toString(36);
  const waits = { every: '1m', passesInARow: 1 };
  const specs = [
    ...Array.from({ length: REAL }, (_, n) => {
      const name = `real-${unique}-${n}`;
      const validation = { every: '1s', passesInARow: 1 };
      return { name, spec: specOf(name, database, [`public.accounts_${n}`], { validation }) };
    }),
    ...Array.from({ length: migrations - REAL }, (_, n) => {
      const name = `${FAKED}${unique}-${n}`;
      return { name, spec: aSpecInput({ name, spec: { validation: waits } }) };
    }),
  ];
  await Promise.all(
    specs.map(({ name, spec }) =>
      workflow.start('migrateToStreaming', {
        taskQueue: TASK_QUEUE,
        workflowId: `migration-${name}`,
        args: [spec],
      }),
    ),
  );
  return specs.map(({ name }) => `migration-${name}`);
}

/** Counts the running migrations to which `condition` applies. An empty one applies to all. */
async function countOf(
  { workflow }: Client,
  ids: readonly string[],
  condition: string,
): Promise<number> {
  const unique = /-(?:real|faked)-(\w+)-/.exec(ids[0]!)![1]!;
  const and = condition === '' ? '' : ` AND ${condition}`;
  const starts = ['real-', FAKED].map(
    (kind) => `WorkflowId STARTS_WITH 'migration-${kind}${unique}'`,
  );
  const { count } = await workflow.count(
    `ExecutionStatus = 'Running' AND (${starts.join(' OR ')})${and}`,
  );
  return count;
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await sleep(1000);
  }
}

async function lookAt(
  worker: ChildProcess,
  { client }: Database,
  httpAddress: string,
): Promise<Look> {
  worker.send('sample');
  const [sample] = (await once(worker, 'message')) as [Sample];
  const { rows } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  );
  const metrics = await (await fetch(`http://${httpAddress}/metrics`)).text();
  const fds = readdirSync(`/proc/${worker.pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${worker.pid}/fd/${fd}`);
    } catch {
      return ''; // the descriptor was closed after readdirSync
    }
  });
  return {
    sample,
    metrics,
    load: loadavg()[0]!,
    backends: rows[0]!.n,
    files: fds.length,
    sockets: fds.filter((name) => name.startsWith('socket:')).length,
  };
}

/** Returns the slots, publications and connectors that still exist after all rollbacks. */
async function leftOf({ client }: Database): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication`,
  );
  const answer = await fetch(`${process.env['CONNECT_URL']}/connectors`);
  const connectors = ((await answer.json()) as string[]).filter((name) => name.startsWith('real-'));
  return [...rows.map(({ name }) => name), ...connectors];
}
