// Tests how a run reacts to problems, pauses, wrong messages, and a rollback before its spec was
// read.
import { describe, expect, it } from 'vitest';
import { aWorkflowInput, approve, result } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();

describe('a migration', () => {
  it('is blocked, not failed, by a problem that a person can fix, and continues at retry', async () => {
    let broken = true;
    const fake = fakes({
      ensureTopics: () =>
        broken ? Promise.reject(failure('object-not-ours', 'topic x exists')) : Promise.resolve(),
    });
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await scene.reach((s) => s.blocked !== null);
      expect((await scene.status()).blocked).toMatchObject({
        code: 'object-not-ours',
        detail: 'topic x exists',
        remedy: 'fix it',
      });
      broken = false;
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.phase === 'approve' && s.blocked === null);
    });
  });

  it('begins a new generation with new names after its slot was lost and a person sent retry', async () => {
    let lost = true;
    const fake = fakes();
    const passes = fake.activities;
    const window = passes.runWindow.bind(passes);
    fake.activities.runWindow = (input) =>
      lost ? Promise.reject(failure('slot-lost', 'slot gone')) : window(input);
    const input = aWorkflowInput();
    await play(bench, fake.activities, input, async (scene) => {
      await scene.reach((s) => s.blocked?.code === 'slot-lost');
      lost = false;
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.needsApproval);
      expect(await scene.status()).toMatchObject({ generation: 2 });
      await approve(scene.handle);
      await result(scene.handle);
      expect((await scene.status()).handedOver).toContainEqual({
        kind: 'slot',
        name: `sluice_${input.metadata.name}_g2`,
      });
    });
  });

  it('records invalid payloads, ignores them and continues', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      for (const rubbish of [null, 7, 'yes', [], { approver: {} }])
        await scene.handle.signal('approveCutover', rubbish);
      await scene.handle.signal('rollBack', 'now');
      await expect(
        scene.handle.executeUpdate('decideCutover', { args: [{ decision: 'maybe' }] }),
      ).rejects.toThrow();
      const audit = await scene.handle.query<{ kind: string }[]>('audit');
      expect(audit.filter((e) => e.kind === 'ignored')).toHaveLength(6);
      expect(
        await scene.handle.executeUpdate('decideCutover', {
          args: [{ decision: 'approve', approver: 'ann', evidenceId: 'ev-9.9-x' }],
        }),
      ).toMatchObject({
        accepted: false,
      });
      expect(
        await scene.handle.executeUpdate('decideCutover', {
          args: [{ decision: 'approve', approver: 'ann', evidenceId: 'ev-1.1-abcdef01' }],
        }),
      ).toMatchObject({ accepted: true });
      expect((await result(scene.handle)).outcome).toBe('migrated');
    });
  });

  it('begins no cut-over while it is paused, even if it is approved, and begins it after resume', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await scene.handle.signal('pause');
      await approve(scene.handle);
      await scene.env.sleep('3h');
      expect(await scene.status()).toMatchObject({ paused: true, phase: 'approve' });
      expect(fake.calls).not.toContain('fence');
      await scene.handle.signal('resume');
      expect((await result(scene.handle)).outcome).toBe('migrated');
    });
  });

  it('survives an unreachable ledger, and writes everything once the ledger is back', async () => {
    let away = true;
    const recorded: string[] = [];
    const fake = fakes({
      record: (_ref, _status, events) => {
        if (away) return Promise.reject(failure('unreachable', 'ledger away'));
        recorded.push(...events.map((e) => e.kind));
        return Promise.resolve();
      },
    });
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      away = false;
      await approve(scene.handle);
      expect((await result(scene.handle)).outcome).toBe('migrated');
    });
    expect(recorded).toEqual(
      expect.arrayContaining(['opened', 'baseline', 'window', 'committed', 'outcome']),
    );
  });

  it('ends as rolled back if it is rolled back before its spec was read', async () => {
    const fake = fakes();
    const open = fake.activities.openMigration.bind(fake.activities);
    fake.activities.openMigration = async (input) => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return open(input);
    };
    await play(bench, fake.activities, aWorkflowInput(), async ({ handle }) => {
      await handle.signal('rollBack', { by: 'ann', reason: 'too early' });
      expect(await result(handle)).toMatchObject({ outcome: 'rolled-back' });
    });
  });

  it('shows no block after a rollback that arrived while the ledger could not open the run', async () => {
    const fake = fakes({
      openMigration: () => Promise.reject(failure('unreachable', 'the ledger does not answer')),
    });
    await play(bench, fake.activities, aWorkflowInput(), async ({ handle, status, reach }) => {
      await reach((s) => s.blocked?.code === 'unreachable');
      await handle.signal('rollBack', { by: 'ann', reason: 'too early' });
      expect(await result(handle)).toMatchObject({ outcome: 'rolled-back' });
      expect(await status()).toMatchObject({ blocked: null });
    });
  });
});
