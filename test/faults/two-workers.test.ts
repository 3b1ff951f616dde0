// Kills workers with -9 while a writer is active. Temporal's histories show how soon a migration
// that ran activities at that time made progress again. SLUICE_KILL_EVERY=60 makes the second test
// take ten minutes.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accounts, busy, dismantle } from '../support/live.js';
import { expectMigratedOnce } from '../support/migrated-once.js';
import {
  TestWorker,
  freshDatabase,
  get,
  reach,
  startMigration,
  waitFor,
} from '../support/sluice.js';

const KILLS = 10;
const EVERY_MS = Number(process.env['SLUICE_KILL_EVERY'] ?? 12) * 1000;
const LIMIT_MS = 15_000;
/** Temporal notices a dead worker after ten seconds, and begins the next attempt a second later. */
const NOTICED_MS = 11_000;
const CALM_MS = 20_000;

const workers = [new TestWorker(), new TestWorker()] as const;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let stopWriter: () => Promise<number>;
let connection: Connection;

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
  database = await freshDatabase(accounts(20_000));
  stopWriter = busy(database, 20);
});
afterAll(async () => {
  for (const worker of workers) await worker.kill('SIGTERM');
  await stopWriter();
  await database.drop();
  await connection.close();
});

const start = (name: string, soak = '2s'): void =>
  startMigration(name, database.name, ['public.accounts'], {
    validation: { every: '1s', passesInARow: 3 },
    soak: { for: soak, passes: 1 },
  });

const approve = async (name: string): Promise<void> => {
  await waitFor(name, 'approval');
  const client = new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE']! });
  await client.workflow
    .getHandle(`migration-${name}`)
    .signal('approveCutover', { approver: 'ann' });
};

/**
 * Returns the times at which activities or workflow tasks of a migration completed, in all of its
 * workflow runs. (A migration continues as new.)
 */
async function progressOf(name: string): Promise<number[]> {
  const { workflow } = new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE']! });
  const times: number[] = [];
  for await (const { runId } of workflow.list({ query: `WorkflowId = 'migration-${name}'` })) {
    const { events } = await workflow.getHandle(`migration-${name}`, runId).fetchHistory();
    for (const { eventTime, activityTaskCompletedEventAttributes: done, ...other } of events ?? [])
      if (done || other.workflowTaskCompletedEventAttributes)
        times.push(Number(eventTime!.seconds) * 1000 + (eventTime!.nanos ?? 0) / 1e6);
  }
  return times.sort((a, b) => a - b);
}

/** Returns the longest pause between two moments of progress, from `from` until `to`. */
function longestPause(progress: readonly number[], from: number, to: number): number {
  const within = [from, ...progress.filter((at) => at > from && at < to), to];
  return Math.max(...within.slice(1).map((at, n) => at - within[n]!));
}

interface Kill {
  readonly at: number;
  /** The time until the next process was ready. */
  readonly startMs: number;
}

/** Kills a worker and starts it again. */
async function restart(worker: TestWorker): Promise<Kill> {
  const at = Date.now();
  await worker.restart();
  return { at, startMs: Date.now() - at };
}

/**
 * Expects progress within 15 s of each kill. On a slow machine, the limit is longer. It grows with
 * the longest pause before the first kill, and with the time that a worker needs to start.
 */
async function expectProgress(name: string, calmFrom: number, kills: Kill[]): Promise<void> {
  const progress = await progressOf(name);
  const usual = longestPause(progress, calmFrom, kills[0]!.at);
  const start = Math.max(...kills.map(({ startMs }) => startMs));
  const pauses = kills.map(({ at }) => (progress.find((later) => later > at) ?? Infinity) - at);
  const [shown, calm, ready] = [pauses, [usual], [start]].map((times) =>
    times.map((ms) => (ms / 1000).toFixed(1)).join(', '),
  );
  console.error(
    `${name}: progress ${shown} s after the kills; without a kill, after at most ${calm} s; a worker was ready after at most ${ready} s`,
  );
  expect(Math.max(...pauses)).toBeLessThan(Math.max(LIMIT_MS, NOTICED_MS + 2 * (usual + start)));
}

/** Expects the same outcome as for a run without kills. */
async function expectUntouched(name: string): Promise<void> {
  const kinds = await expectMigratedOnce(name);
  expect(kinds.filter((kind) => kind === 'blocked')).toEqual([]);
}

describe('migrations whose workers are killed with -9', () => {
  it('make progress within 15 s (longer on a slow machine) if the only worker is restarted at once', async () => {
    const [worker] = workers;
    await worker.start();
    start('only-one');
    await waitFor('only-one', 'approval');
    const calmFrom = Date.now();
    await sleep(CALM_MS);
    const kills: Kill[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      kills.push(await restart(worker));
      const { windows } = await get('only-one');
      await reach('only-one', 'a new window', (now) => now.windows.length > windows.length);
      await sleep(kill * 137); // so that the kills hit different steps
    }
    await approve('only-one');
    await waitFor('only-one', 'outcome=migrated');
    await expectUntouched('only-one');
    await expectProgress('only-one', calmFrom, kills);
    await dismantle(database.client, 'only-one');
  });

  it(
    'end as migrated and are never blocked if two workers are killed in turn, ten times in total',
    { timeout: 1_500_000 },
    async () => {
      for (const worker of workers) await worker.restart();
      start('soaks', `${Math.round((KILLS * EVERY_MS) / 1000)}s`);
      await approve('soaks');
      start('waits');
      await reach('soaks', 'the soak', ({ phase }) => phase === 'soak');
      const calmFrom = Date.now();
      await sleep(CALM_MS);
      const kills: Kill[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        const due = Date.now() + EVERY_MS;
        kills.push(await restart(workers[kill % 2]!));
        if (kill === KILLS - 2) await approve('waits'); // so that the last kills hit a cut-over
        await sleep(Math.max(0, due - Date.now()));
      }
      for (const name of ['soaks', 'waits']) {
        await waitFor(name, 'outcome=migrated');
        await expectUntouched(name);
        await dismantle(database.client, name);
      }
      await expectProgress('soaks', calmFrom, kills);
    },
  );
});
