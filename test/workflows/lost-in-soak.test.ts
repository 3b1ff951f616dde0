// Tests the loss of the capture after the commit. Consumers then read a stream that gets no more
// changes, so the run must say so at once.
import { describe, expect, it } from 'vitest';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { fakes, failure } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

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
