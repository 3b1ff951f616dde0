// Tests the rollback of a run that was reset to a point before it made anything. The run knows
// nothing of its earlier execution, but the ledger lists what that execution made. Also tests a
// rollback that is requested before the spec is read.
import { describe, expect, it } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import type { TokenClaims } from '../../src/domain/decisions/signed-decision.js';
import { initialState } from '../../src/workflows/run/state.js';
import { BATCH_PARTS, anHourlyInput } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const anInput = () => anHourlyInput('reset-back', BATCH_PARTS);
const back = { by: 'ann', reason: 'test' };
const OWNED = {
  objects: [
    { kind: 'lease', name: 'sluice_reset', where: 'bank' },
    { kind: 'slot', name: 'sluice_reset', where: 'bank' },
  ] as const,
  handedOver: [],
  hasCompleted: false,
};
const isWayBack = (call: string): boolean => /^(routeBack|remove)/.test(call);

describe('a run that was reset to the phase prepare', () => {
  it('routes consumers back although its undo list is empty, because the ledger lists the lease row', async () => {
    const fake = fakes({
      // the view reads the stream, so the preflight of the repeated phase refuses it
      preflight: () => Promise.reject(failure('preflight-failed', 'the view reads the stream')),
      listOwned: () => Promise.resolve(OWNED),
    });
    fake.switched = true;
    await play(bench, fake.activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.blocked?.code === 'preflight-failed');
      await scene.handle.signal('rollBack', back);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(await scene.status()).toMatchObject({ route: { side: 'batch' } });
    });
    expect(fake.calls.filter(isWayBack)).toEqual(['routeBack', 'removeSlot', 'removeLease']);
  });

  it('routes consumers back after it had completed, and names what it had handed over', async () => {
    const slot = { kind: 'slot', name: 'sluice_reset' };
    const fake = fakes({
      preflight: () => Promise.reject(failure('preflight-failed', 'the view reads the stream')),
      listOwned: () => Promise.resolve({ objects: [], handedOver: [slot], hasCompleted: true }),
    });
    fake.switched = true;
    await play(bench, fake.activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.blocked?.code === 'preflight-failed');
      await scene.handle.signal('rollBack', back);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(await scene.status()).toMatchObject({ route: { side: 'batch' }, handedOver: [slot] });
      expect(await scene.handle.query('explain')).toContain('stay: slot sluice_reset');
    });
    expect(fake.calls.filter(isWayBack)).toEqual(['routeBack']);
  });
});

describe('a run that was reset to its first workflow task', () => {
  /**
   * Starts the run again as it is after such a reset. Its run id is not the first one, and it knows
   * nothing of the first run. Then calls `send` before any worker runs.
   */
  const again =
    (send: (handle: WorkflowHandle) => Promise<unknown>) =>
    async (handle: WorkflowHandle): Promise<void> => {
      const { workflowId } = handle;
      const { taskQueue } = await handle.describe();
      await handle.terminate();
      const args = [anInput(), initialState('the first run')];
      await bench.env.client.workflow.start('migrateToStreaming', { taskQueue, workflowId, args });
      await send(bench.env.client.workflow.getHandle(workflowId));
    };

  it.each([
    ['rolled-back', (handle: WorkflowHandle) => handle.signal('rollBack', back)],
    ['aborted', (handle: WorkflowHandle) => handle.cancel()],
  ])('removes what the ledger says it owns, and ends as %s', async (outcome, goBack) => {
    const fake = fakes({ listOwned: () => Promise.resolve(OWNED) });
    fake.switched = true;
    const ends = async (scene: Play): Promise<void> => {
      expect(await scene.handle.result()).toMatchObject({ outcome, leftovers: [] });
      expect(await scene.status()).toMatchObject({ route: { side: 'batch' } });
    };
    await play(bench, fake.activities, anInput(), ends, again(goBack));
    expect(fake.calls.filter(isWayBack)).toEqual(['routeBack', 'removeSlot', 'removeLease']);
  });
});

describe('a rollback that was requested before the spec was read', () => {
  const claims = { decision: 'rollback', approver: 'ann', evidenceId: null, nonce: '1' };
  const verifyToken = () =>
    Promise.resolve({ valid: true, claims: claims as TokenClaims } as const);
  const approval = { approvers: ['ann'] };

  it('needs a signature if the spec names approvers', async () => {
    const fake = fakes({ verifyToken });
    let signers: readonly string[] = [];
    const open = fake.activities.openMigration.bind(fake.activities);
    fake.activities.openMigration = async (asked) => {
      const run = bench.env.client.workflow.getHandle('migration-reset-signed');
      ({ signers } = await run.query<{ signers: string[] }>('evidence'));
      return open(asked);
    };
    const unsigned = (handle: WorkflowHandle) => handle.signal('rollBack', back);
    const ends = async (scene: Play): Promise<void> => {
      await scene.reach((s) => s.needsApproval);
      expect(signers).toEqual(['ann']); // so that `sluice rollback` asks ann for a key
      const audit = await scene.handle.query<{ kind: string; detail: string }[]>('audit');
      expect(audit).toContainEqual(
        expect.objectContaining({
          kind: 'ignored',
          detail: expect.stringContaining('ann must sign') as string,
        }),
      );
      await scene.handle.signal('rollBack', { ...back, token: 'signed' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    };
    await play(
      bench,
      fake.activities,
      anHourlyInput('reset-signed', { cutover: { approval } }),
      ends,
      unsigned,
    );
  });
});
