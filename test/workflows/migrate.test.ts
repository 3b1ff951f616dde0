// Tests whole runs with fake activities: the phases, the approvals, and each outcome.
import { describe, expect, it } from 'vitest';
import {
  BATCH_PARTS,
  aSpecInput,
  aWorkflowInput,
  approve,
  result,
  sleepUntil,
} from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();

describe('a migration', () => {
  it('goes through every phase to migrated, and hands over what it made except the scaffolding', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      expect(await scene.status()).toMatchObject({
        phase: 'approve',
        epoch: 1,
        evidenceId: 'ev-1.1-abcdef01',
      });
      await approve(scene.handle);
      expect(await result(scene.handle)).toMatchObject({ outcome: 'migrated', leftovers: [] });
      const status = await scene.status();
      expect(status.handedOver.map((o) => o.kind)).toEqual(
        expect.arrayContaining(['publication', 'topic', 'slot', 'connector']),
      );
      expect(status.handedOver.some((o) => o.kind === 'lease' || o.name.endsWith('.message'))).toBe(
        false,
      );
    });
    expect(fake.calls.indexOf('ensurePublication')).toBeLessThan(fake.calls.indexOf('claimSlot'));
    expect(fake.calls.indexOf('fence')).toBeLessThan(fake.calls.indexOf('commitCutover'));
    expect(
      fake.calls.slice(fake.calls.indexOf('fence'), fake.calls.indexOf('commitCutover')),
    ).toEqual(['fence', 'drainTo', 'runWindow']);
  });

  it('ends as Failed with every problem listed, and creates nothing, if its spec is wrong', async () => {
    const fake = fakes();
    const input = aSpecInput({
      name: 'wrong',
      spec: { catchUp: { barriers: 0 }, soak: { passes: -1 } },
    }) as { metadata: { name: string } };
    await play(bench, fake.activities, input, async ({ handle }) => {
      await expect(handle.result()).rejects.toMatchObject({
        cause: { message: expect.stringMatching(/Too small.*; .*Too small/) as string },
      });
    });
    expect(fake.calls).toEqual(['openMigration']);
  });

  it('begins a new epoch after a failed window, needs all its passes again, and continues', async () => {
    const fake = fakes();
    fake.verdicts.push('passed', 'failed', 'passed', 'inconclusive');
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      expect((await scene.status()).epoch).toBe(2);
      expect(fake.calls.filter((c) => c === 'runWindow').length).toBeGreaterThanOrEqual(6);
    });
  });

  it('loses an approval from before a failed window, and accepts an approval for the new evidence', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      aWorkflowInput({}, { cutover: { approval: { quorum: 2 } } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await approve(scene.handle);
        fake.verdicts.push('failed');
        await skipUntil(scene, (s) => s.epoch === 2 && s.needsApproval);
        await approve(scene.handle, { approver: 'bob', evidenceId: 'ev-1.1-abcdef01' });
        await approve(scene.handle, { approver: 'bob' });
        const { approvals } = await scene.status();
        expect(approvals.map((a) => a.accepted)).toEqual([true, false, true]);
        await approve(scene.handle, { approver: 'ann' });
        expect((await result(scene.handle)).outcome).toBe('migrated');
      },
    );
  });

  it('voids evidence if the connector was replaced by a different version', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      fake.facts = { ...fake.facts, 'connector version': 'debezium 4' };
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.epoch === 2);
      expect(fake.calls).not.toContain('fence');
    });
  });

  it('goes back to validate when no approval comes in time', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      aWorkflowInput({ every: '5h' }, { cutover: { approval: { expires: '8h' } } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await scene.env.sleep('9h');
        const audit = await scene.handle.query<{ kind: string; detail: string }[]>('audit');
        expect(
          audit.some(
            (e) =>
              e.kind === 'back-to-validate' &&
              e.detail.includes('no cut-over within 8h: the run still waits for approvals (0 of 1'),
          ),
        ).toBe(true);
      },
    );
  });

  it.each([
    ['rejectCutover', { approver: 'ann', reason: 'no' }, 'rejected'],
    ['rollBack', { by: 'ann', reason: 'changed our mind' }, 'rolled-back'],
  ])(
    'removes everything in reverse order after %s before the commit',
    async (signal, payload, outcome) => {
      const fake = fakes();
      await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await scene.handle.signal(signal, payload);
        expect(await result(scene.handle)).toMatchObject({ outcome });
        expect((await scene.status()).phase).toBe('roll-back');
      });
      const removals = fake.calls.filter((c) => c.startsWith('remove'));
      expect(removals[0]).toBe('removeConnector');
      expect(removals.indexOf('removeSlot')).toBeLessThan(removals.indexOf('removePublication'));
      expect(removals.at(-1)).toBe('removeLease');
      expect(fake.calls).not.toContain('routeBack');
    },
  );

  it('ends as aborted and leaves nothing if it is cancelled during the initial load', async () => {
    const fake = fakes();
    let loading = false;
    fake.activities.watchSnapshot = async () => {
      loading = true;
      const { Context } = await import('@temporalio/activity');
      for (;;) {
        Context.current().heartbeat();
        await Context.current().sleep(50);
      }
    };
    await play(bench, fake.activities, aWorkflowInput(), async ({ handle }) => {
      await sleepUntil('the load has begun', () => loading);
      await handle.cancel();
      expect(await result(handle)).toMatchObject({ outcome: 'aborted' });
    });
    expect(fake.calls).toContain('removeSlot');
  });

  it('first routes consumers to the batch if it is rolled back in the soak', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput({}, BATCH_PARTS), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.phase === 'soak');
      await scene.handle.signal('rejectCutover', { approver: 'ann', reason: 'too late' });
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'numbers look odd' });
      expect(await result(scene.handle)).toMatchObject({ outcome: 'rolled-back' });
      const status = await scene.status();
      expect(status.route?.side).toBe('batch');
      expect(status.approvals.at(-1)).toMatchObject({ decision: 'reject', accepted: false });
    });
    expect(fake.calls.indexOf('routeBack')).toBeLessThan(fake.calls.indexOf('removeConnector'));
  });

  it('rolls back by itself in the soak if the spec says so', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      aWorkflowInput({}, { rollback: { automaticOn: ['failed-window'] } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await approve(scene.handle);
        await skipUntil(scene, (s) => s.phase === 'soak');
        fake.verdicts.push('failed');
        expect(await result(scene.handle)).toMatchObject({ outcome: 'rolled-back' });
      },
    );
  });

  it('releases the fence and validates again when the final window does not pass', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      fake.verdicts.push('failed');
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.epoch === 2 && s.needsApproval);
      expect(fake.calls).toContain('releaseFence');
      expect(fake.calls).not.toContain('commitCutover');
      await approve(scene.handle, { approver: 'ann', evidenceId: 'ev-1.2-abcdef01' });
      expect((await result(scene.handle)).outcome).toBe('migrated');
    });
  });
});
