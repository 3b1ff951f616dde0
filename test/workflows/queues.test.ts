// Tests that guards, windows and the hold cannot prevent each other from starting. A slot in this
// file is the place of one activity in a Temporal worker. Also tests how soon the run notices the
// death of a worker.
import { ActivityFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import { problemOf } from '../../src/workflows/run/interruptions.js';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const served = () => Promise.resolve();

describe('a guard', () => {
  it('takes no slot that is reserved for short steps, even if only one such slot exists', async () => {
    let isOver = false;
    const fake = fakes({
      guard: async () => {
        await sleepUntil('the guard may end', () => isOver);
        return { kind: 'stood-down' };
      },
    });
    await play(
      bench,
      fake.activities,
      anHourlyInput('one-slot'),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        isOver = true;
        await reach((s) => s.needsApproval);
        await handle.signal('rollBack', { by: 'ann', reason: 'enough' });
        expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
      },
      served,
      { steps: 1 },
    );
  });
});

describe('the death of a worker', () => {
  it('is noticed within 10 s in every activity for which a step waits', async () => {
    const fake = fakes();
    await play(bench, fake.activities, anHourlyInput('noticed'), async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      const { events } = await handle.fetchHistory();
      const scheduled = (events ?? []).flatMap(
        ({ activityTaskScheduledEventAttributes: one }) => one ?? [],
      );
      expect(scheduled.length).toBeGreaterThan(10);
      for (const { activityType, heartbeatTimeout } of scheduled)
        expect([activityType?.name, Number(heartbeatTimeout?.seconds)]).toEqual([
          activityType?.name,
          activityType?.name === 'guard' ? 60 : 10,
        ]);
    });
  });
});

describe('a final window', () => {
  it('starts within maxHold, or not at all, while windows of other migrations take every data slot', async () => {
    const fake = fakes();
    let isTaken = false;
    let isFree = false;
    const activities = {
      ...fake.activities,
      runWindow: async (input: WindowInput) => {
        isTaken = input.ref.name === 'slot-taker';
        if (isTaken) await sleepUntil('the other run has its window', () => isFree);
        return fake.activities.runWindow(input);
      },
    };
    await play(
      bench,
      activities,
      anHourlyInput('unqueued', { cutover: { maxHold: '2m' }, soak: { for: '1s', passes: 0 } }),
      async ({ env, handle, reach }) => {
        await reach((s) => s.needsApproval);
        const { taskQueue } = await handle.describe();
        const other = await env.client.workflow.start('migrateToStreaming', {
          taskQueue,
          workflowId: 'migration-slot-taker',
          args: [anHourlyInput('slot-taker')],
        });
        await sleepUntil('the only slot is taken', () => isTaken);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.outcome === 'migrated');
        isFree = true;
        await sleepUntil('the window is over', async () => {
          const { raw } = await other.describe();
          return (raw.pendingActivities ?? []).length === 0;
        });
        await other.terminate();
        const { events } = await handle.fetchHistory();
        const limits = (events ?? [])
          .map((event) => event.activityTaskScheduledEventAttributes)
          .filter((scheduled) => scheduled?.taskQueue?.name?.endsWith('-hold'))
          .map((scheduled) => Number(scheduled?.scheduleToStartTimeout?.seconds));
        expect(limits).toHaveLength(3);
        expect(Math.max(...limits)).toBeLessThanOrEqual(120);
      },
      served,
      { data: 1 },
    );
  });

  it('needs a free slot before anything is fenced, and the run says so if no slot is free', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      anHourlyInput('no-hold-slot'),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await sleepUntil('the run looks for a slot', async () => {
          const { raw } = await handle.describe();
          return raw.pendingActivities?.[0]?.activityType?.name === 'findHoldSlot';
        });
        expect(fake.calls).not.toContain('fence');
        expect(fake.calls).not.toContain('batchAction');
        await handle.signal('rollBack', { by: 'ann', reason: 'enough' });
        expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
        const timeout = new TimeoutFailure('', undefined, TimeoutType.SCHEDULE_TO_START);
        const late = new ActivityFailure('', 'findHoldSlot', '7', 'TIMEOUT', undefined, timeout);
        expect(problemOf(late, '')).toMatchObject({
          code: 'unreachable',
          detail: 'no worker had a free slot for findHoldSlot',
        });
      },
      served,
      { hold: 0 },
    );
  });
});
