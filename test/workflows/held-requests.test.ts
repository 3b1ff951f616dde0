// Tests that a person's request takes effect at difficult moments of a cut-over. It may arrive
// right before the fence, while the commit is blocked, or while the run undoes the hold.
import { describe, expect, it } from 'vitest';
import { BATCH_PARTS, SHARED_PARTS, anHourlyInput } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const soak = { for: '1s', passes: 0 };
const FENCED = {
  ...BATCH_PARTS,
  cutover: { fence: 'source', route: { type: 'http', url: 'http://r:1/' } },
};
const theRun = (name: string) => bench.env.client.workflow.getHandle(`migration-${name}`);
const approve = async (scene: Play): Promise<void> => {
  await skipUntil(scene, (s) => s.needsApproval);
  await scene.handle.signal('approveCutover', { approver: 'ann' });
};
const rollBack = ({ handle }: Play) => handle.signal('rollBack', { by: 'ann', reason: 'odd' });

/** Fakes the last check before the fence. The first call of this check sends a pause to the run. */
function pausesOnce(name: string): () => Promise<void> {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked === 1) await theRun(name).signal('pause');
  };
}

describe('a pause that arrives during the last check before the fence', () => {
  it('holds back the cut-over until resume, and the recheck is then repeated', async () => {
    const fake = fakes();
    fake.activities.findHoldSlot = pausesOnce('pausing');
    await play(bench, fake.activities, anHourlyInput('pausing', { soak }), async (scene) => {
      await approve(scene);
      await skipUntil(scene, (s) => s.paused);
      expect(fake.calls).not.toContain('fence');
      const checks = fake.calls.filter((call) => call === 'readFacts').length;
      await scene.handle.signal('resume');
      expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      expect(fake.calls.filter((call) => call === 'readFacts').length).toBeGreaterThan(checks);
    });
  });

  it('holds back a rehearsal until resume', async () => {
    const fake = fakes();
    fake.activities.findHoldSlot = pausesOnce('rehearsing');
    await play(bench, fake.activities, anHourlyInput('rehearsing', { soak }), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      const rehearsed = scene.handle.executeUpdate('rehearseCutover', { args: [{ by: 'ann' }] });
      await skipUntil(scene, (s) => s.paused);
      expect(fake.calls).not.toContain('fence');
      await scene.handle.signal('resume');
      expect(await rehearsed).toMatchObject({ refused: null });
    });
  });
});

describe('a rollback', () => {
  it.each([
    ['the sink does not start again', 'sink', SHARED_PARTS],
    ['a trigger cannot be dropped', 'trigger', FENCED],
    ['the batch does not resume', 'batch', BATCH_PARTS],
  ] as const)('does not wait for the undo of a hold if %s', async (_what, part, more) => {
    const fake = fakes();
    let isUndoing = false;
    let isRollingBack = false;
    const { resumeConnector, removeTrigger, batchAction } = fake.activities;
    const isStuck = (here: boolean): boolean => here && isUndoing && !isRollingBack;
    const no = () => Promise.reject(failure('lock-timeout', 'no'));
    Object.assign(fake.activities, {
      commitCutover: () => {
        isUndoing = true;
        return Promise.resolve({ refused: 'the fence expires' });
      },
      resumeConnector: (...args: Parameters<typeof resumeConnector>) =>
        isStuck(part === 'sink' && args[1] === 'sink') ? no() : resumeConnector(...args),
      removeTrigger: (...args: Parameters<typeof removeTrigger>) =>
        isStuck(part === 'trigger') ? no() : removeTrigger(...args),
      batchAction: (...args: Parameters<typeof batchAction>) =>
        isStuck(part === 'batch' && args[1] === 'resume') ? no() : batchAction(...args),
      isSwitched: () => {
        isRollingBack = isUndoing;
        return Promise.resolve(false);
      },
    });
    const name = `undo-${part}`;
    await play(bench, fake.activities, anHourlyInput(name, { ...more, soak }), async (scene) => {
      await approve(scene);
      await skipUntil(scene, (s) => s.blocked !== null);
      await rollBack(scene);
      await skipUntil(scene, (s) => s.outcome !== null);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(fake.calls.filter((call) => call === 'releaseFence').length).toBeGreaterThan(0);
    });
  });

  it.each([
    ['rolled-back', rollBack],
    ['aborted', ({ handle }: Play) => handle.cancel()],
  ] as const)(
    'that is requested while the commit is blocked prevents a later attempt to commit: %s',
    async (outcome, goBack) => {
      const fake = fakes();
      let attempts = 0;
      fake.activities.commitCutover = () => {
        attempts += 1;
        return attempts === 1
          ? Promise.reject(failure('unreachable', 'no answer'))
          : Promise.resolve({ refused: null });
      };
      const name = `blocked-commit-${outcome}`;
      await play(
        bench,
        fake.activities,
        anHourlyInput(name, { ...BATCH_PARTS, cutover: { ...BATCH_PARTS.cutover, maxHold: '5m' } }),
        async (scene) => {
          await approve(scene);
          await scene.reach((s) => s.blocked !== null);
          await goBack(scene);
          expect(await scene.handle.result()).toMatchObject({ outcome });
          expect(attempts).toBe(1);
        },
      );
    },
  );
});
