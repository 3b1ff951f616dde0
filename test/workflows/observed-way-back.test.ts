// Tests that a rollback removes nothing while consumers are observed on the stream side, no matter
// what the lease row says. Also tests a rollback that continues as new before its last steps, and
// rollbacks with a ledger that does not answer or was restored.
import { describe, expect, it } from 'vitest';
import { ADOPTING } from '../support/adopting.js';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const SOAK = { soak: { for: '20h', passes: 2 } };

const removals = (calls: readonly string[]) => calls.filter((call) => call.startsWith('remove'));

async function askForRollback(scene: Play): Promise<void> {
  await skipUntil(scene, (s) => s.needsApproval);
  await scene.handle.signal('rollBack', { by: 'ann', reason: 'numbers look odd' });
}

describe('a rollback that observes consumers on the stream side', () => {
  it('routes them back even if the lease row lacks the commit, and only then removes anything', async () => {
    const fake = fakes();
    const atRouteBack: string[][] = [];
    let side: 'batch' | 'stream' = 'stream';
    const observeRoute = () => Promise.resolve({ side, observedAt: '2026-01-01T00:00:00Z' });
    const routeBack = () => {
      atRouteBack.push(removals(fake.calls));
      side = 'batch';
      return Promise.resolve();
    };
    const activities = { ...fake.activities, observeRoute, routeBack };
    await play(bench, activities, anHourlyInput('no-commit'), async (scene) => {
      await askForRollback(scene);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(await scene.status()).toMatchObject({ route: { side: 'batch' }, blocked: null });
    });
    expect(atRouteBack).toEqual([[]]);
    expect(removals(fake.calls)).toContain('removeLease');
  });

  it('is blocked, and removes nothing, until they are observed on the batch side', async () => {
    const fake = fakes();
    let side: 'batch' | 'stream' = 'stream'; // the other system switches late
    const observeRoute = () => Promise.resolve({ side, observedAt: '2026-01-01T00:00:00Z' });
    const activities = { ...fake.activities, observeRoute };
    await play(bench, activities, anHourlyInput('late'), async (scene) => {
      await askForRollback(scene);
      await scene.reach((s) => s.blocked !== null);
      expect(await scene.status()).toMatchObject({
        phase: 'roll-back',
        outcome: null,
        blocked: { code: 'route-unexpected' },
      });
      expect(removals(fake.calls)).toEqual([]);
      side = 'batch';
      await scene.handle.signal('retry');
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
    expect(removals(fake.calls)).toContain('removeLease');
  });

  it("routes them back if the fence's release finds a commit that the first look at the lease row missed", async () => {
    const fake = fakes();
    let looks = 0;
    const isSwitched = () => Promise.resolve(fake.switched && (looks += 1) > 1);
    const releaseFence = () => Promise.resolve({ committed: fake.switched });
    const activities = { ...fake.activities, isSwitched, releaseFence };
    await play(bench, activities, anHourlyInput('missed', SOAK), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await scene.handle.signal('approveCutover', { approver: 'ann' });
      await skipUntil(scene, (s) => s.phase === 'soak');
      looks = 0;
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'numbers look odd' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
    const order = fake.calls.slice(fake.calls.lastIndexOf('commitCutover'));
    expect(order.filter((call) => /^(routeBack|batchAction)$/.test(call))).toEqual([
      'routeBack',
      'batchAction',
    ]);
  });
});

/**
 * Returns a function that an activity calls. Its first call sends so many signals that the run
 * continues as new after this activity. On a slow machine, the activity's first attempt may time
 * out meanwhile. The next attempt then waits for the same signals.
 */
function floodOnce(workflowId: string): () => Promise<void> {
  const flood = async (): Promise<void> => {
    const run = bench.env.client.workflow.getHandle(workflowId);
    for (let sent = 0; sent < 1500; sent += 100)
      await Promise.all(Array.from({ length: 100 }, () => run.signal('resume')));
  };
  let flooded: Promise<void> | undefined;
  return () => (flooded ??= flood());
}

describe('a rollback that continues as new after its last removal', () => {
  it.each([
    ['still ends the adoption and looks for leftovers before it sets the outcome', 'removal'],
    ['names each leftover once, although it lists them twice', 'list'],
  ] as const)('%s', async (_what, at) => {
    const fake = fakes();
    const name = `continued-${at}`;
    const flood = floodOnce(`migration-${name}`);
    const left = { kind: 'topic', name: 'left.over', where: 'kafka' } as const;
    const activities = {
      ...fake.activities,
      removeLease: async () => {
        if (at === 'removal') await flood();
        return false;
      },
      listLeftovers: async () => {
        if (at === 'list') await flood();
        return [left];
      },
    };
    await play(bench, activities, anHourlyInput(name, ADOPTING), async (scene) => {
      const { runId } = await scene.handle.describe();
      await askForRollback(scene);
      await sleepUntil('continued', async () => (await scene.handle.describe()).runId !== runId);
      expect(await scene.handle.result()).toMatchObject({
        outcome: 'rolled-back',
        leftovers: [left],
      });
    });
    expect(fake.calls).toContain('releaseAdopted');
    expect(fake.calls).toContain('dropFolds');
  });
});

describe('a rollback while the ledger does not answer', () => {
  it('returns consumers to the batch at once, and removes objects when the ledger answers again', async () => {
    const fake = fakes();
    let isDown = true;
    fake.activities.listOwned = () =>
      isDown
        ? Promise.reject(failure('unreachable', 'the ledger does not answer'))
        : Promise.resolve({ objects: [], handedOver: [], hasCompleted: false });
    await play(bench, fake.activities, anHourlyInput('no-ledger', SOAK), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await scene.handle.signal('approveCutover', { approver: 'ann' });
      await skipUntil(scene, (s) => s.phase === 'soak');
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'numbers look odd' });
      await scene.reach((s) => s.blocked?.code === 'unreachable');
      expect(await scene.status()).toMatchObject({ route: { side: 'batch' } });
      expect(fake.switched).toBe(false);
      expect(removals(fake.calls)).toEqual([]);
      isDown = false;
      await scene.handle.signal('retry');
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
    expect(removals(fake.calls)).toContain('removeLease');
  });
});

describe('a rollback with a ledger that was restored from a backup', () => {
  it('reports what the run made and the ledger does not list, instead of leaving it unnoticed', async () => {
    const fake = fakes({ removeSlot: () => Promise.resolve(true) });
    await play(bench, fake.activities, anHourlyInput('restored'), async (scene) => {
      await askForRollback(scene);
      const slot = { kind: 'slot', name: 'sluice_restored' };
      expect(await scene.handle.result()).toMatchObject({
        outcome: 'rolled-back',
        leftovers: [slot],
      });
      expect(JSON.stringify(await scene.handle.query('audit'))).toContain(
        'slot sluice_restored exists, but the ledger does not list it; this migration made it',
      );
    });
  });
});
