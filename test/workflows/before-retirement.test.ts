// Tests that the batch is retired only while consumers are observed on the stream side. Also tests
// that the lease row is removed last.
import { describe, expect, it } from 'vitest';
import { anHourlyInput } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const BATCH = {
  batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
  pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
  soak: { for: '3h', passes: 1 },
};

/** Creates fakes. They record each retirement of the batch, and report a reader of its table. */
function retiring() {
  const retired: boolean[] = [];
  const fake = fakes({ readersOfBatch: () => Promise.resolve(['view v']) });
  const batchAction = (_ref: unknown, action: string) => {
    if (action === 'retire') retired.push(fake.switched);
    return Promise.resolve();
  };
  return { fake, retired, activities: { ...fake.activities, batchAction } };
}

/**
 * Plays a run until it is blocked because of readers of the batch's table. A real run can stay
 * blocked for days, and the route can change in that time.
 */
async function untilReadersAreNamed(scene: Play): Promise<void> {
  await skipUntil(scene, (s) => s.needsApproval);
  await scene.handle.signal('approveCutover', { approver: 'ann' });
  await skipUntil(scene, (s) => s.blocked?.code === 'consumers-remain');
}

describe('after the last window of the soak', () => {
  it('a target that was restored to a time before the commit blocks the soak; a rollback is possible', async () => {
    const { fake, retired, activities } = retiring();
    await play(bench, activities, anHourlyInput('restored', BATCH), async (scene) => {
      await untilReadersAreNamed(scene);
      fake.switched = false; // lease row and route as they were before the commit
      await scene.handle.signal('retry');
      await scene.reach((s) => s.blocked?.code === 'route-unexpected');
      expect(await scene.status()).toMatchObject({ phase: 'soak', route: { side: 'batch' } });
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'the target was restored' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
    expect(retired).toEqual([]);
  });

  it('a route that was lost and restored starts the soak again before the batch is retired', async () => {
    const { fake, retired, activities } = retiring();
    const windows = () => fake.calls.filter((call) => call === 'runWindow').length;
    let side: 'batch' | 'stream' | null = null;
    const observeRoute = async () => ({
      side: side ?? (await fake.activities.observeRoute({} as never)).side,
      observedAt: '2026-01-01T00:00:00Z',
    });
    await play(
      bench,
      { ...activities, observeRoute },
      anHourlyInput('replaced', BATCH),
      async (scene) => {
        await untilReadersAreNamed(scene);
        side = 'batch'; // a person replaced the view
        await scene.handle.signal('retry');
        await scene.reach((s) => s.blocked?.code === 'route-unexpected');
        const before = windows();
        side = 'stream';
        await scene.handle.signal('retry');
        await skipUntil(scene, (s) => s.blocked?.code === 'consumers-remain');
        expect(windows()).toBeGreaterThan(before);
        expect(retired).toEqual([]);
        await scene.handle.signal('retry');
        expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
    expect(retired).toEqual([true]);
  });

  it('a soak that is extended while it is blocked lasts to its new end before the batch is retired', async () => {
    const { fake, retired, activities } = retiring();
    const windows = () => fake.calls.filter((call) => call === 'runWindow').length;
    await play(bench, activities, anHourlyInput('extended', BATCH), async (scene) => {
      await untilReadersAreNamed(scene);
      const before = windows();
      await scene.handle.signal('extendSoak', { by: 'ann', for: '8h' });
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.outcome !== null || windows() > before + 4);
      expect(await scene.status()).toMatchObject({ phase: 'soak', outcome: null });
      expect(retired).toEqual([]);
      await skipUntil(scene, (s) => s.blocked?.code === 'consumers-remain');
      await scene.handle.signal('retry');
      expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
    });
    expect(retired).toEqual([true]);
  });

  it('a pause at the beginning of `complete` does not hide a route that was lost during the pause', async () => {
    const { fake, retired, activities } = retiring();
    let isPaused = false;
    const record = async (_ref: unknown, status: { phase: string | null }) => {
      if (status.phase !== 'complete' || isPaused) return;
      isPaused = true;
      await bench.env.client.workflow.getHandle('migration-paused-late').signal('pause');
    };
    const readersOfBatch = () => Promise.resolve([]);
    await play(
      bench,
      { ...activities, record, readersOfBatch },
      anHourlyInput('paused-late', BATCH),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await scene.handle.signal('approveCutover', { approver: 'ann' });
        await skipUntil(scene, (s) => s.phase === 'complete' && s.paused);
        fake.switched = false;
        await scene.handle.signal('resume');
        await scene.reach((s) => s.blocked?.code === 'route-unexpected');
        fake.switched = true;
        await scene.handle.signal('retry');
        expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
    expect(retired).toEqual([true]);
  });
});

describe('a run that hands over', () => {
  it('removes its lease row last, so that until then a sweep can read that the run has committed', async () => {
    const { fake, activities } = retiring();
    await play(bench, activities, anHourlyInput('handing-over', BATCH), async (scene) => {
      await untilReadersAreNamed(scene);
      await scene.handle.signal('retry');
      expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
    });
    const ends = fake.calls.filter((call) => /^(remove|handOver$)/.test(call));
    expect(ends.slice(-2)).toEqual(['handOver', 'removeLease']);
  });
});
