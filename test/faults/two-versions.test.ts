// Serves a migration with two versions of the worker. A real Temporal server sends each task only
// to the current version. The run moves when a person makes the new version current.
import { spawnSync } from 'node:child_process';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accounts, busy, dismantle } from '../support/live.js';
import { TestWorker, freshDatabase, get, reach, startMigration } from '../support/sluice.js';
import { waitFor } from '../support/sluice.js';
import { sleepUntil } from '../support/builders.js';

const NAME = 'two-versions';
const DEPLOYMENT = `sluice-${process.pid}`;
const older = new TestWorker();
const newer = new TestWorker();
let database: Awaited<ReturnType<typeof freshDatabase>>;
let stopWriter: () => Promise<number>;
let connection: Connection;

const client = (): Client =>
  new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE']! });

async function startAs(worker: TestWorker, buildId: string): Promise<void> {
  Object.assign(process.env, { SLUICE_DEPLOYMENT: DEPLOYMENT, SLUICE_BUILD_ID: buildId });
  await worker.start();
  delete process.env['SLUICE_DEPLOYMENT'];
  delete process.env['SLUICE_BUILD_ID'];
}

function setCurrent(...version: readonly string[]): boolean {
  const command = `worker deployment set-current-version --yes --deployment-name ${DEPLOYMENT}`;
  const at = ['--address', process.env['TEMPORAL_ADDRESS']!];
  const namespace = ['--namespace', process.env['TEMPORAL_NAMESPACE']!];
  const args = [...command.split(' '), ...version, ...at, ...namespace];
  return spawnSync('temporal', args).status === 0;
}

/**
 * Makes a version current as docs/how-to/upgrade.md says. The command needs workers that poll all
 * queues, so it is repeated until they do.
 */
const makeCurrent = (buildId: string): Promise<void> =>
  sleepUntil(
    `version ${buildId} is current`,
    () => Promise.resolve(setCurrent('--build-id', buildId)),
    120_000,
  );

/**
 * Returns the build ids of the workers that completed the run's workflow tasks, in order. Equal ids
 * in a row appear once.
 */
async function buildsOf(name: string): Promise<string[]> {
  const { events } = await client().workflow.getHandle(`migration-${name}`).fetchHistory();
  const builds = (events ?? []).flatMap(
    ({ workflowTaskCompletedEventAttributes: done }) => done?.deploymentVersion?.buildId ?? [],
  );
  return builds.filter((build, n) => build !== builds[n - 1]);
}

const afterAnotherWindow = async (): Promise<void> => {
  const { windows } = await get(NAME);
  await reach(NAME, 'two more windows', (now) => now.windows.length > windows.length + 1);
};

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
  database = await freshDatabase(accounts());
  stopWriter = busy(database, 20);
});
afterAll(async () => {
  for (const worker of [older, newer]) await worker.kill('SIGTERM');
  // otherwise, workers of later test files, which have no version, would get no tasks
  expect(setCurrent('--unversioned')).toBe(true);
  await stopWriter();
  await database.drop();
  await connection.close();
});

describe('two versions of the worker', () => {
  it('never share a run: the run stays with the current version, and moves to the next one as a whole', async () => {
    await startAs(older, '1');
    await makeCurrent('1');
    startMigration(NAME, database.name, ['public.accounts'], {
      validation: { every: '1s', passesInARow: 1 },
    });
    await waitFor(NAME, 'approval');
    await startAs(newer, '2');
    await afterAnotherWindow();
    expect(await buildsOf(NAME)).toEqual(['1']); // the newer version is ready, but not current
    await makeCurrent('2');
    await sleepUntil('the run has moved', async () => (await buildsOf(NAME)).at(-1) === '2');
    await older.kill('SIGTERM');
    await afterAnotherWindow(); // no task waits for the stopped version
    const handle = client().workflow.getHandle(`migration-${NAME}`);
    await handle.signal('approveCutover', { approver: 'ann' });
    await waitFor(NAME, 'outcome=migrated');
    expect(await buildsOf(NAME)).toEqual(['1', '2']);
    expect(await get(NAME)).toMatchObject({ outcome: 'migrated', generation: 1, leftovers: [] });
    await dismantle(database.client, NAME);
  });
});
