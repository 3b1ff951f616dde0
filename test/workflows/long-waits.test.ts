// Tests the cost of waiting: the events per day, and the bytes of each history. A history is that
// of one workflow execution, which ends when the run continues as new. Also tests that the
// migration can still be rolled back afterwards.
import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/domain/evidence/check.js';
import { BATCH_PARTS, aSpecInput, sleepUntil } from '../support/builders.js';
import { failure, fakes, type Fakes } from '../support/fake-activities.js';
import { play, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

/** A wait of this length makes a run with many events a day continue as new. */
const DAYS = 30;
const EVENTS_A_DAY = 600;
const BYTES_OF_A_RUN = 1_000_000;
const { History } = proto.temporal.api.history.v1;

const anInput = (name: string) =>
  aSpecInput({
    name,
    spec: {
      ...BATCH_PARTS,
      validation: { passesInARow: 1 },
      cutover: { ...BATCH_PARTS.cutover, approval: { expires: '90d' } },
      soak: { for: '90d', passes: 1 },
    },
  }) as { metadata: { name: string } };

/** Returns the histories of a migration's workflow executions, the newest first. */
async function chainOf({ env, handle }: Play) {
  const chain = [];
  let { runId } = await handle.describe();
  while (runId) {
    const history = await env.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    chain.push(history);
    const [first] = history.events ?? [];
    runId = first?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
  }
  return chain;
}

async function costOf(scene: Play) {
  const chain = await chainOf(scene);
  return {
    events: chain.reduce((sum, { events }) => sum + (events ?? []).length, 0),
    bytes: Math.max(...chain.map((history) => History.encode(history).finish().length)),
  };
}

const approval = async (scene: Play): Promise<void> => {
  await scene.reach((s) => s.needsApproval);
};
const approved = async (scene: Play): Promise<void> => {
  await approval(scene);
  await scene.handle.signal('approveCutover', { approver: 'ann' });
};

interface Wait {
  readonly reach: (scene: Play) => Promise<void>;
  readonly fake?: Partial<Fakes['activities']>;
}

const refused: Check = {
  name: 'table.types',
  subject: 'public.accounts',
  status: 'failed',
  detail: 'a column cannot be proven',
  remedy: 'leave it out',
};

const WAITS: Record<string, Wait> = {
  paused: {
    reach: async (scene) => {
      await approval(scene);
      await scene.handle.signal('pause');
      await scene.reach((s) => s.paused);
    },
  },
  blocked: {
    reach: (scene) => scene.reach((s) => s.blocked !== null),
    fake: { preflight: () => Promise.resolve([refused]) },
  },
  'waiting for approval': { reach: approval },
  'waiting for a batch run': {
    reach: async (scene) => {
      await approved(scene);
      await scene.reach((s) => s.blocked !== null);
    },
    fake: {
      activeBatchRun: () => Promise.resolve('batch run 7 is active'),
      // This fake fails instead of waiting, because the test server skips no time while an activity
      // is pending.
      untilNoBatchRun: () => Promise.reject(failure('unreachable', 'no source')),
    },
  },
  soaking: {
    reach: async (scene) => {
      await approved(scene);
      await scene.reach((s) => s.phase === 'soak');
    },
  },
};

describe('a run that is', () => {
  it.each(Object.entries(WAITS))(
    '%s for 30 days costs at most 600 events a day and 1 MB in each history, and can be rolled back',
    async (what, wait) => {
      const { activities } = fakes();
      const name = what.replaceAll(' ', '-');
      await play(bench, { ...activities, ...wait.fake }, anInput(name), async (scene) => {
        await wait.reach(scene);
        const before = await costOf(scene);
        await scene.env.sleep(`${DAYS}d`);
        await scene.reach(() => true);
        const { events, bytes } = await costOf(scene);
        expect((events - before.events) / DAYS).toBeLessThanOrEqual(EVENTS_A_DAY);
        expect(bytes).toBeLessThanOrEqual(BYTES_OF_A_RUN);
        await scene.handle.signal('rollBack', { by: 'ann', reason: 'enough' });
        expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      });
    },
  );

  it('waiting for a batch run calls `activeBatchRun` once, and can be rolled back meanwhile', async () => {
    let isOver = false;
    const fake = fakes({
      activeBatchRun: () => Promise.resolve('batch run 7 is active'),
      untilNoBatchRun: () => sleepUntil('the batch run is over', () => isOver),
    });
    await play(bench, fake.activities, anInput('batch-run'), async (scene) => {
      await approved(scene);
      await sleepUntil('the run waits in an activity', async () => {
        const { raw } = await scene.handle.describe();
        const pending = (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
        return pending.includes('untilNoBatchRun');
      });
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'enough' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      isOver = true;
    });
    expect(fake.calls.filter((name) => name === 'activeBatchRun')).toHaveLength(1);
  });
});
