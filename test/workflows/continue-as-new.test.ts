// Tests that a run can continue as new at every point where it waits, and loses nothing.
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
  it('makes a blocked run continue as new; the run keeps its block and its time until a retry', async () => {
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

  it('makes a run that lost its generation continue as new; a retry then begins the next generation', async () => {
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

  it('answers a waiting rehearsal and continues as new; an approval then still begins the cut-over', async () => {
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
});
