// Pauses and unpauses activities of a running migration, as a person does with the `temporal`
// command. The run shows which activity is paused, and continues after the unpause.
import { spawnSync } from 'node:child_process';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, dismantle, live } from '../support/live.js';
import { get, reach, sluice, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase, worker } = live();
const NAME = 'buttons';
const WORKFLOW = `migration-${NAME}`;
const MAX_HOLD_MS = 15_000;

/** Runs `temporal activity VERB` and returns whether it succeeded. */
const press = (verb: string, ...args: string[]): boolean => {
  const { status } = spawnSync(
    'temporal',
    ['activity', verb, '-w', WORKFLOW, ...args, '--address', process.env['TEMPORAL_ADDRESS']!],
    { encoding: 'utf8' },
  );
  return status === 0;
};

interface Pending {
  readonly attempt: number;
  readonly isPaused: boolean;
  readonly isRunning: boolean;
  readonly failure: string | null;
}

/** Returns the pending activity of this type as Temporal describes it, or null. */
async function pending(client: Client, type: string): Promise<Pending | null> {
  const { raw } = await client.workflow.getHandle(WORKFLOW).describe();
  const found = raw.pendingActivities?.find((one) => one.activityType?.name === type);
  if (!found) return null;
  return {
    attempt: found.attempt ?? 1,
    isPaused: found.paused === true,
    isRunning: Boolean(found.lastStartedTime),
    failure: found.lastFailure?.applicationFailureInfo?.type ?? null,
  };
}

/** Unpauses an activity with the command that `sluice get` names as the remedy. */
async function followRemedy(type: string): Promise<void> {
  const { standing } = await reach(
    NAME,
    `${type} is named as paused`,
    (status) => status.standing?.problem?.includes(`activity ${type} (`) === true,
    60_000,
  );
  expect(standing).toMatchObject({ state: 'activity paused', isDead: false });
  expect(sluice('list').stdout).toContain('activity paused');
  const [remedy] = standing!.remedy;
  expect(sluice('explain', NAME).stdout).toContain(remedy);
  const [, id] = /--activity-id (\S+)$/.exec(remedy!)!;
  expect(press('unpause', '--activity-id', id!)).toBe(true);
}

/**
 * Kills the worker as soon as an activity of this type is pending, pauses the activity, and starts
 * the worker again.
 */
async function pauseWithoutWorker(client: Client, type: string): Promise<void> {
  await sleepUntil(
    `${type} is paused`,
    async () => {
      if ((await pending(client, type)) === null) return false;
      await worker.kill();
      const isPaused = press('pause', '--activity-type', type);
      if (!isPaused) await worker.start(); // the activity ended before the kill
      return isPaused;
    },
    120_000,
    10,
  );
  await worker.start();
}

describe('an activity that a person pauses at Temporal', () => {
  it('is named with its remedy, and the run continues after it is unpaused', async () => {
    const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
    const client = new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE']! });
    const database = await aDatabase(accounts());
    const stop = busy(database, 20);
    startMigration(NAME, database.name, ['public.accounts'], {
      cutover: { maxHold: `${MAX_HOLD_MS / 1000}s` },
    });

    // first the guard: its attempt ends as paused, and the run reaches its approval without a guard
    await sleepUntil(
      'the guard is paused, and its attempt has ended',
      async () => {
        const guard = await pending(client, 'guard');
        // the guard may also end with a report; the next guard is a new activity to pause
        if (guard?.isPaused === false) press('pause', '--activity-type', 'guard');
        return guard?.isPaused === true && !guard.isRunning;
      },
      90_000,
    );
    expect(await pending(client, 'guard')).toMatchObject({ failure: 'ActivityPause', attempt: 2 });
    await waitFor(NAME, 'approval', '3m');
    await followRemedy('guard');
    await sleepUntil(
      'the guard runs',
      async () => (await pending(client, 'guard'))?.isRunning === true,
    );

    // then a window: its worker is killed first, and then its activity is paused
    await pauseWithoutWorker(client, 'runWindow');
    const { windows } = await get(NAME);
    await followRemedy('runWindow');
    await reach(
      NAME,
      'another window has ended',
      (status) => (status.windows.at(-1)?.number ?? 0) > (windows.at(-1)?.number ?? 0),
      90_000,
    );

    // then a step of the hold, which stays paused for the whole `maxHold`
    await waitFor(NAME, 'approval', '1m');
    const approved = sluice('approve', NAME, '--approver', 'ann', '--reason', 'proven', '--yes');
    expect(approved.code, approved.stderr).toBe(0);
    await pauseWithoutWorker(client, 'drainTo');
    await new Promise((resolve) => setTimeout(resolve, MAX_HOLD_MS));
    expect(await get(NAME)).toMatchObject({ phase: 'cut-over', blocked: null, outcome: null });
    await followRemedy('drainTo');
    await reach(NAME, 'the end', ({ outcome }) => outcome !== null, 120_000);
    expect((await get(NAME)).outcome).toBe('migrated');
    expect(sluice('audit', NAME).stdout).toMatch(/released/);
    await stop();
    await dismantle(database.client, NAME);
    await connection.close();
  });
});
