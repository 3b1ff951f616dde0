// Tests that a pause does not delay a rollback. Also tests a rollback that is requested before the
// first step or near the end, and the signatures that a rollback needs.
import { describe, expect, it } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import type { TokenClaims } from '../../src/domain/decisions/signed-decision.js';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';
import { failure, fakes, type Fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const SPEC = {
  ...BATCH_PARTS,
  validation: { every: '1h', passesInARow: 1 },
  soak: { for: '2h', passes: 2 },
};
const anInput = (more: object = {}) =>
  aSpecInput({ name: 'back', spec: { ...SPEC, ...more } }) as { metadata: { name: string } };
const approve = (handle: WorkflowHandle) => handle.signal('approveCutover', { approver: 'ann' });

/** Returns the run's handle, with which a fake activity sends signals to the run. */
const theRun = () => bench.env.client.workflow.getHandle('migration-back');

/** A function that waits until the run has reached a certain point, and pauses the run there. */
type Pausing = (scene: Play, fake: Fakes) => Promise<void>;

const inApprove: Pausing = async (scene) => {
  await skipUntil(scene, (s) => s.needsApproval);
  await scene.handle.signal('pause');
};
const rightAfterTheCommit: Pausing = async (scene, fake) => {
  await skipUntil(scene, (s) => s.needsApproval);
  await approve(scene.handle);
  await skipUntil(scene, (s) => s.paused && fake.switched);
};
const inTheSoak: Pausing = async (scene) => {
  await skipUntil(scene, (s) => s.needsApproval);
  await approve(scene.handle);
  await skipUntil(scene, (s) => s.phase === 'soak');
  await scene.handle.signal('pause');
};

const rollBack = (handle: WorkflowHandle) =>
  handle.signal('rollBack', { by: 'ann', reason: 'numbers look odd' });
const reject = (handle: WorkflowHandle) =>
  handle.signal('rejectCutover', { approver: 'ann', reason: 'no' });
const cancel = async (handle: WorkflowHandle) => void (await handle.cancel());

describe('a paused migration', () => {
  it.each([
    ['rolled back', 'in approve', inApprove, rollBack, 'rolled-back'],
    ['rejected', 'in approve', inApprove, reject, 'rejected'],
    ['cancelled', 'in approve', inApprove, cancel, 'aborted'],
    ['rolled back', 'right after the commit', rightAfterTheCommit, rollBack, 'rolled-back'],
    ['cancelled', 'right after the commit', rightAfterTheCommit, cancel, 'aborted'],
    ['rolled back', 'in the soak', inTheSoak, rollBack, 'rolled-back'],
    ['cancelled', 'in the soak', inTheSoak, cancel, 'aborted'],
  ] as const)(
    'is %s %s at once, without resume',
    async (_what, _where, pausing, goBack, outcome) => {
      const fake = fakes();
      const commit = fake.activities.commitCutover.bind(fake.activities);
      fake.activities.commitCutover = async (evidence) => {
        if (pausing === rightAfterTheCommit) await theRun().signal('pause');
        return commit(evidence);
      };
      await play(bench, fake.activities, anInput(), async (scene) => {
        await pausing(scene, fake);
        expect(await scene.status()).toMatchObject({ paused: true });
        await goBack(scene.handle);
        // a pause that arrives during the rollback does not delay it
        await scene.handle.signal('pause');
        expect(await scene.handle.result()).toMatchObject({ outcome });
        expect(await scene.status()).toMatchObject({ paused: false, route: { side: 'batch' } });
      });
      expect(fake.calls).toContain('removeLease');
    },
  );

  it('rolls back by itself after a failed window of the soak if the spec says so', async () => {
    const fake = fakes();
    const window = fake.activities.runWindow.bind(fake.activities);
    fake.activities.runWindow = async (input) => {
      if (!fake.switched) return window(input);
      await theRun().signal('pause'); // arrives during a window that fails
      fake.verdicts.push('failed');
      return window(input);
    };
    await play(
      bench,
      fake.activities,
      anInput({ rollback: { automaticOn: ['failed-window'] } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await approve(scene.handle);
        expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      },
    );
  });
});

describe('a rollback', () => {
  it.each([
    ['rolled-back', rollBack],
    ['aborted', cancel],
  ])(
    'that was requested before any worker ran ends as %s, with nothing created',
    async (outcome, goBack) => {
      const fake = fakes();
      const ends = async ({ handle, status }: Play) => {
        expect(await handle.result()).toMatchObject({ outcome, leftovers: [] });
        expect(await status()).toMatchObject({ phase: 'roll-back', outcome });
      };
      await play(bench, fake.activities, anInput(), ends, goBack);
      expect(fake.calls.filter((call) => call.startsWith('ensure'))).toEqual([]);
    },
  );

  it('by a cancellation in the phase `complete` is refused, and the run ends as migrated', async () => {
    const fake = fakes();
    let asked = false;
    fake.activities.record = async (_ref, status) => {
      if (status.phase !== 'complete' || asked) return;
      asked = true;
      await theRun().signal('pause');
      await theRun().cancel();
    };
    await play(
      bench,
      fake.activities,
      anInput({ soak: { for: '1s', passes: 0 } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await approve(scene.handle);
        await skipUntil(scene, (s) => s.phase === 'complete' && s.paused);
        await scene.handle.signal('resume');
        expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
    expect(asked).toBe(true);
  });
});

describe('if the spec names approvers', () => {
  it('rollback, reject and rehearsal need a signature, and a signed rollback works during a pause', async () => {
    const claims = {
      namespace: 'default',
      workflowId: 'w',
      run: 'r',
      decision: 'rollback',
      approver: 'ann',
      evidenceId: null,
      notAfter: '2099-01-01',
      nonce: '1',
    };
    const verifyToken = (token: string) =>
      token === 'broken'
        ? Promise.reject(failure('unexpected', 'no keys'))
        : Promise.resolve({ valid: true as const, claims: claims as TokenClaims });
    const fake = fakes({ verifyToken });
    const cutover = { ...BATCH_PARTS.cutover, approval: { quorum: 1, approvers: ['ann'] } };
    await play(bench, fake.activities, anInput({ cutover }), async (scene) => {
      await inApprove(scene, fake);
      await rollBack(scene.handle);
      await reject(scene.handle);
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'x', token: 'broken' });
      expect(
        await scene.handle.executeUpdate('rehearseCutover', { args: [{ by: 'ann' }] }),
      ).toMatchObject({
        refused: expect.stringContaining('must sign') as string,
      });
      expect(await scene.status()).toMatchObject({
        phase: 'approve',
        paused: true,
        approvals: [{ decision: 'reject', accepted: false }],
      });
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'x', token: 'signed' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
    expect(fake.calls).not.toContain('fence');
  });

  it('a rollback or rehearsal is refused if its valid signature does not belong to an approver', async () => {
    const verifyToken = (token: string) =>
      Promise.resolve({ valid: true as const, claims: JSON.parse(token) as TokenClaims });
    let nonces = 0;
    const signed = (decision: string, approver: string, evidenceId: string | null = null) =>
      JSON.stringify({ decision, approver, evidenceId, nonce: `${(nonces += 1)}` });
    const fake = fakes({ verifyToken });
    const approval = { quorum: 1, approvers: ['ann'] };
    const cutover = { ...BATCH_PARTS.cutover, approval };
    await play(bench, fake.activities, anInput({ cutover }), async (scene) => {
      const { handle } = scene;
      const byBob = () =>
        handle.signal('rollBack', { by: 'bob', reason: 'x', token: signed('rollback', 'bob') });
      await skipUntil(scene, (s) => s.needsApproval);
      const { evidenceId } = await scene.status();
      await byBob();
      const token = signed('rehearse', 'bob', evidenceId);
      expect(
        await handle.executeUpdate('rehearseCutover', { args: [{ by: 'bob', token }] }),
      ).toMatchObject({ refused: 'bob is not one of the approvers ann' });
      const approval = { approver: 'ann', evidenceId, token: signed('approve', 'ann', evidenceId) };
      await handle.signal('approveCutover', approval);
      await skipUntil(scene, (s) => s.phase === 'soak');
      await byBob();
      await handle.signal('rollBack', { by: 'ann', reason: 'y', token: signed('rollback', 'ann') });
      expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
      const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
      expect(audit.filter((e) => e.kind === 'ignored').map((e) => e.detail)).toEqual([
        'rollBack by bob: bob is not one of the approvers ann',
        'rehearsal by bob: bob is not one of the approvers ann',
        'rollBack by bob: bob is not one of the approvers ann',
      ]);
    });
  });
});
