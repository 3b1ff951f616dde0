// Plays a migration that takes twelve days. The preflight is blocked for three days. Then windows
// run for a week, and Kafka Connect rebalances once a day, which restarts the connector's task. The
// run is also paused for a night. The worker is upgraded twice, and each upgrade replays the run.
// The cut-over may begin only within a change window of thirty minutes. Also plays a soak of two
// weeks.
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import type { Check } from '../../src/domain/evidence/check.js';
import { LONGEST_COMPUTATION } from '../../src/wiring/workflow-code.js';
import { aSpecInput, aWorkflowInput, approve, result, sleepUntil } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const HOUR = 3_600_000;
const DAYS_BEFORE_APPROVAL = 11;

const refused: Check = {
  name: 'table.types',
  subject: 'public.accounts',
  status: 'failed',
  detail: 'a column cannot be proven',
  remedy: 'leave it out',
};

/**
 * A spec that needs 60 passed windows in a row, which take five days. Its cut-over may begin only
 * within a change window of thirty minutes.
 */
function anInput(now: number) {
  const opens = now + DAYS_BEFORE_APPROVAL * 24 * HOUR;
  const at = (ms: number): string => new Date(ms).toISOString();
  return aSpecInput({
    name: 'week',
    spec: {
      validation: { every: '2h', passesInARow: 60, coverage: ['weekday', 'weekend'] },
      cutover: {
        approval: {
          expires: '14d',
          notBefore: at(opens),
          notAfter: at(opens + HOUR / 2),
        },
      },
      soak: { for: '1d', passes: 3 },
    },
  }) as { metadata: { name: string } };
}

interface Evidence {
  readonly covered: readonly string[];
  readonly passesInARow: number;
}

/** Replays the run as a worker that has just been upgraded does. */
const upgrade = async ({ handle }: Play): Promise<void> =>
  Worker.runReplayHistory(
    { workflowBundle: { codePath: inject('workflowBundle') }, ...LONGEST_COMPUTATION },
    await handle.fetchHistory(),
    handle.workflowId,
  );

/** Sends so many signals that the run continues as new. The signals change nothing. */
async function flood({ handle }: Play): Promise<void> {
  for (let sent = 0; sent < 1500; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => handle.signal('resume')));
}

describe('a week in which Kafka Connect rebalances once a day', () => {
  it('ends as migrated with full coverage, and runs at most two more full windows than restarts', async () => {
    const now = await bench.env.currentTimeMs();
    let isRefused = true;
    let restarts = 0;
    const fake = fakes({ preflight: () => Promise.resolve(isRefused ? [refused] : []) });
    const rebalance = (): void => {
      restarts += 1;
      fake.facts = { ...fake.facts, 'connector task': `walsender ${restarts + 1}` };
    };
    await play(bench, fake.activities, anInput(now), async (scene) => {
      const { env, handle, reach, status } = scene;
      const evidenceOf = () => handle.query<Evidence>('evidence');
      await reach((s) => s.blocked !== null);
      await env.sleep('3d');
      expect((await status()).blocked?.code).toBe('preflight-failed');
      isRefused = false;
      await handle.signal('retry');
      await reach((s) => s.phase === 'validate' && s.blocked === null);
      for (let day = 1; day <= 7; day += 1) {
        await env.sleep('14h');
        if (day === 2) {
          await handle.signal('pause');
          await reach((s) => s.paused);
        }
        await env.sleep('10h');
        if (day === 2) await handle.signal('resume');
        if (day === 3) await upgrade(scene);
        if (day === 4) {
          restarts += 1;
          fake.duringWindows.push('connector task: not running now');
        } else rebalance();
      }
      await env.sleep('12h');
      await reach((s) => s.needsApproval);
      const before = await evidenceOf();
      expect(before.covered).toEqual(expect.arrayContaining(['weekday', 'weekend']));
      expect(before.passesInARow).toBeGreaterThanOrEqual(60);
      const { runId } = await handle.describe();
      await handle.signal('approveCutover', {
        approver: 'ann',
        evidenceId: (await status()).evidenceId,
      });
      await flood(scene);
      await sleepUntil('continued as new', async () => (await handle.describe()).runId !== runId);
      await reach((s) => s.phase === 'approve');
      await env.sleep('3h');
      await upgrade(scene);
      rebalance();
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      const { epoch, approvals } = await status();
      expect(epoch).toBe(1);
      expect(approvals).toHaveLength(1);
    });
    expect(restarts).toBe(8);
    expect(fake.full.length).toBeLessThanOrEqual(restarts + 2);
    expect(fake.calls.filter((name) => name === 'fence')).toHaveLength(1);
  });
});

describe('a soak of two weeks', () => {
  it('continues as new, and keeps its approval and the list of objects to hand over', async () => {
    const fake = fakes();
    const input = aWorkflowInput({}, { soak: { for: '14d', passes: 3 } });
    await play(bench, fake.activities, input, async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await approve(scene.handle);
      const { runId } = await scene.handle.describe();
      expect(await result(scene.handle)).toMatchObject({ outcome: 'migrated', iteration: 1 });
      const status = await scene.status();
      expect(status.approvals).toHaveLength(1);
      expect(status.handedOver.map((o) => o.kind)).toContain('slot');
      const last = scene.env.client.workflow.getHandle(scene.handle.workflowId);
      expect((await last.describe()).runId).not.toBe(runId);
    });
    expect(fake.calls.filter((c) => c === 'runWindow').length).toBeGreaterThan(330);
    expect(fake.calls.filter((c) => c === 'commitCutover')).toHaveLength(1);
  });
});
