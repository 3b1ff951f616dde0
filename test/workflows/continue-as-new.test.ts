// Tests that a run loses nothing when it continues as new. It may be blocked at that moment, or
// wait for an approval, for a window, or for the check of a signature.
import { describe, expect, it } from 'vitest';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const runIdOf = async ({ handle }: Play): Promise<string> => (await handle.describe()).runId;

/** Sends so many signals that the run must continue as new. The signals change nothing. */
async function send(scene: Play): Promise<void> {
  for (let sent = 0; sent < 1500; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => scene.handle.signal('resume')));
}

async function flood(scene: Play): Promise<void> {
  const before = await runIdOf(scene);
  await send(scene);
  await sleepUntil('continued as new', async () => (await runIdOf(scene)) !== before);
}

describe('a flood of signals', () => {
  it('makes a blocked run continue as new; the block and its time stay until a retry', async () => {
    const fake = fakes();
    let isReached = false;
    const ensureLease = () =>
      isReached ? Promise.resolve() : Promise.reject(failure('unreachable', 'no source'));
    await play(
      bench,
      { ...fake.activities, ensureLease },
      anHourlyInput('blocked-flood'),
      async (scene) => {
        await scene.reach((s) => s.blocked !== null);
        const { blocked } = await scene.status();
        await flood(scene);
        await scene.reach((s) => s.blocked !== null);
        expect((await scene.status()).blocked).toEqual(blocked);
        isReached = true;
        await scene.handle.signal('retry');
        await scene.reach((s) => s.needsApproval);
      },
    );
  });

  it('makes a run that lost its slot continue as new; a retry then begins the next generation', async () => {
    const fake = fakes();
    let isLost = true;
    const catchUp = () =>
      isLost
        ? Promise.reject(failure('slot-lost', 'the slot is gone'))
        : Promise.resolve({ lsn: '0/2', ms: 5 });
    await play(
      bench,
      { ...fake.activities, catchUp },
      anHourlyInput('lost-flood'),
      async (scene) => {
        await scene.reach((s) => s.blocked?.code === 'slot-lost');
        await flood(scene);
        await scene.reach((s) => s.blocked?.code === 'slot-lost');
        isLost = false;
        await scene.handle.signal('retry');
        await scene.reach((s) => s.needsApproval);
        expect(await scene.status()).toMatchObject({ generation: 2, blocked: null });
      },
    );
  });

  it('makes a run refuse a waiting rehearsal and continue as new; an approval then begins the cut-over', async () => {
    const fake = fakes();
    let isOver = false;
    let isSecond = false;
    const runWindow: typeof fake.activities.runWindow = async (input) => {
      isSecond = input.number === 2;
      if (isSecond) await sleepUntil('the window may end', () => isOver);
      return fake.activities.runWindow(input);
    };
    await play(
      bench,
      { ...fake.activities, runWindow },
      anHourlyInput('rehearsal-flood', {
        validation: { every: '1s', passesInARow: 1 },
        soak: { for: '1s', passes: 0 },
      }),
      async (scene) => {
        const { handle } = scene;
        const before = await runIdOf(scene);
        await sleepUntil('the second window', () => isSecond);
        const asked = await handle.startUpdate('rehearseCutover', {
          args: [{ by: 'ann' }],
          waitForStage: 'ACCEPTED',
        });
        await send(scene);
        isOver = true;
        await sleepUntil('continued', async () => (await runIdOf(scene)) !== before);
        expect(await asked.result()).toMatchObject({
          refused: expect.stringContaining('continues as new') as string,
        });
        await scene.reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
  });

  it.each([
    'while the run writes to the ledger for the last time',
    'before the run wants to continue as new',
  ])('loses no signed message that arrives %s', async (when) => {
    const fake = fakes();
    const writing = { isHeld: false, isUnderWay: false };
    const checking = { isHeld: true, isUnderWay: false };
    const heldBy = async (gate: typeof writing): Promise<void> => {
      gate.isUnderWay = gate.isHeld;
      await sleepUntil('the test goes on', () => !gate.isHeld);
    };
    const record: typeof fake.activities.record = async (...args) => {
      await heldBy(writing);
      return fake.activities.record(...args);
    };
    const verifyToken = async () => {
      await heldBy(checking);
      return { valid: false, reason: 'the key is unknown' } as const;
    };
    const isDuringWrite = when.includes('ledger');
    await play(
      bench,
      { ...fake.activities, record, verifyToken },
      anHourlyInput(`signed-flood-${isDuringWrite ? 1 : 2}`),
      async (scene) => {
        const { handle } = scene;
        await scene.reach((s) => s.needsApproval);
        const before = await runIdOf(scene);
        const sign = async (): Promise<void> => {
          await handle.signal('approveCutover', { approver: 'ann', token: 'signed' });
          await sleepUntil('the check', () => checking.isUnderWay);
        };
        writing.isHeld = isDuringWrite;
        if (!isDuringWrite) await sign();
        await send(scene);
        if (isDuringWrite) {
          await sleepUntil('the last write', () => writing.isUnderWay);
          await sign();
          writing.isHeld = false;
        }
        await sleepUntil('only the check', () => isOnlyChecking(scene, before));
        const asked = isDuringWrite
          ? null
          : await handle.startUpdate('runWindow', {
              args: [{ by: 'bob', wait: true }],
              waitForStage: 'ACCEPTED',
            });
        checking.isHeld = false;
        await sleepUntil('continued', async () => (await runIdOf(scene)) !== before, 60_000);
        if (asked)
          expect(await asked.result()).toMatchObject({
            refused: expect.stringContaining('continues as new') as string,
          });
        expect(JSON.stringify(await handle.query('audit'))).toContain('the key is unknown');
      },
    );
  });
});

/**
 * Returns true if the run waits only for the check of a signature, or has already continued as new.
 */
async function isOnlyChecking(scene: Play, before: string): Promise<boolean> {
  const { runId, raw } = await scene.handle.describe();
  if (runId !== before) return true;
  const types = (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
  return !raw.pendingWorkflowTask && types.join() === 'verifyToken';
}
