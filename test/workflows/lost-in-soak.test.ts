// Tests the loss of the capture after the commit. Consumers then read a stream that gets no more
// changes, so the run must say so at once. Also tests outages at the end of the soak.
import { describe, expect, it } from 'vitest';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { fakes, failure } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();
const batch = {
  batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
  pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
};

describe('the soak', () => {
  it('is blocked by a lost slot; the remedy is a rollback, because no new generation can begin', async () => {
    const fake = fakes();
    const window = fake.activities.runWindow.bind(fake.activities);
    fake.activities.runWindow = (input) =>
      fake.switched ? Promise.reject(failure('slot-lost', 'slot gone')) : window(input);
    await play(
      bench,
      fake.activities,
      anHourlyInput('lost-in-soak', { ...batch, soak: { for: '8h', passes: 1 } }),
      async ({ handle, status, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.phase === 'soak' && s.blocked?.code === 'slot-lost');
        const { blocked, generation } = await status();
        expect(blocked?.remedy).toMatch(/^sluice rollback, because no new generation can begin/);
        expect(generation).toBe(1);
        await handle.signal('rollBack', { by: 'ann', reason: 'the stream gets no changes' });
        expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
      },
    );
  });

  it('runs a window at once if the guard reports a lost slot', async () => {
    const fake = fakes();
    let windows = 0;
    const window = fake.activities.runWindow.bind(fake.activities);
    fake.activities.runWindow = (input) => {
      if (!fake.switched) return window(input);
      windows += 1;
      return windows > 1 ? Promise.reject(failure('slot-lost', 'slot gone')) : window(input);
    };
    let reports = 0;
    fake.activities.guard = async () => {
      reports += 1;
      if (reports > 1) return { kind: 'stood-down' };
      await sleepUntil('the first window of the soak', () => windows === 1);
      return { kind: 'slot-lost', detail: 'slot gone' };
    };
    await play(
      bench,
      fake.activities,
      anHourlyInput('reported-in-soak', {
        ...batch,
        validation: { every: '30d', passesInARow: 1 },
        soak: { for: '60d', passes: 3 },
      }),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.blocked?.code === 'slot-lost');
        await handle.signal('rollBack', { by: 'ann', reason: 'the stream gets no changes' });
        expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
      },
    );
  });
});

describe('at the end of the soak, an outage', () => {
  it.each([
    ['of the ledger does not restart the soak, because the target still shows the route', 'ledger'],
    ['of the target restarts the soak, because the route is unknown meanwhile', 'target'],
  ] as const)('%s', async (_what, down) => {
    const fake = fakes();
    let isDown = true;
    let windows = 0; // after the outage
    const window = fake.activities.runWindow.bind(fake.activities);
    fake.activities.runWindow = (input) => {
      if (fake.switched && !isDown) windows += 1;
      return window(input);
    };
    fake.activities.isSwitched = (_ref, needsRow) =>
      isDown && fake.switched && (needsRow || down === 'target')
        ? Promise.reject(failure('unreachable', `the ${down} does not answer`))
        : Promise.resolve(fake.switched);
    await play(
      bench,
      fake.activities,
      anHourlyInput(`no-${down}`, { ...batch, soak: { for: '2h', passes: 1 } }),
      async (scene) => {
        await scene.reach((s) => s.needsApproval);
        await scene.handle.signal('approveCutover', { approver: 'ann' });
        await skipUntil(scene, (s) => s.phase === 'soak' && s.blocked?.code === 'unreachable');
        isDown = false;
        await scene.handle.signal('retry');
        expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
    expect(windows > 0).toBe(down === 'target');
  });
});
