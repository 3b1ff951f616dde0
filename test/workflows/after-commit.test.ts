// Tests the time after the commit. A commit may have happened although it seemed to fail. Another
// system may have to switch the route. A person may extend the soak. The soak blocks the run if the
// batch's table still has readers, or if consumers read the batch again.
import { describe, expect, it } from 'vitest';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import { aSpecInput, anHourlyInput } from '../support/builders.js';
import { fakes, failure } from '../support/fake-activities.js';
import { approveThenRetry, play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const anInput = (name: string, more: object = {}) =>
  aSpecInput({
    name,
    spec: { validation: { every: '1h', passesInARow: 1 }, soak: { for: '1s', passes: 0 }, ...more },
  }) as { metadata: { name: string } };

describe('a commit that seemed to fail but happened', () => {
  it('is found at the release of the fence, and the migration continues as committed', async () => {
    const fake = fakes();
    const activities = {
      ...fake.activities,
      commitCutover: () => {
        // an earlier execution of this activity committed late, and its retry was refused
        fake.switched = true;
        return Promise.resolve({ refused: 'batch run 7 started after the fence' });
      },
      releaseFence: () => Promise.resolve({ committed: fake.switched }),
    };
    await play(bench, activities, anInput('after-all'), async ({ handle, status, reach }) => {
      await reach((s) => s.needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      expect((await status()).route).toMatchObject({ side: 'stream' });
    });
  });
});

describe('a route by HTTP', () => {
  it('is requested after the commit until the other system accepts the request, and is then observed', async () => {
    let refusals = 2;
    const fake = fakes();
    const activities = {
      ...fake.activities,
      orderRoute: () => {
        fake.calls.push('orderRoute');
        if (refusals-- > 0) throw failure('route-unexpected', 'PUT http://route answered 403');
        return Promise.resolve();
      },
    };
    const input = aSpecInput({
      name: 'by-http',
      spec: {
        batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
        pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
        cutover: { route: { type: 'http', url: 'http://127.0.0.1:9/route' } },
        validation: { every: '1h', passesInARow: 1 },
        soak: { for: '1s', passes: 0 },
      },
    }) as { metadata: { name: string } };
    await play(bench, activities, input, async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      expect(await handle.query<string>('explain')).toContain(
        'not in one transaction with the commit',
      );
      await handle.signal('approveCutover', { approver: 'ann' });
      await reach((s) => s.blocked?.code === 'route-unexpected');
      expect(fake.switched).toBe(true);
      await handle.signal('retry');
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      expect(fake.calls.indexOf('commitCutover')).toBeLessThan(fake.calls.indexOf('orderRoute'));
      expect(fake.calls.lastIndexOf('orderRoute')).toBeLessThan(
        fake.calls.lastIndexOf('observeRoute'),
      );
    });
  });
});

describe('the soak', () => {
  const batch = {
    batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
    pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
    soak: { for: '1s', passes: 0 },
  };

  it("blocks the run if the batch's table has readers; a retry completes it, and the audit names them", async () => {
    let readers = ['materialized view m', 'view v'];
    const fake = fakes({ readersOfBatch: () => Promise.resolve(readers) });
    await play(
      bench,
      fake.activities,
      anHourlyInput('readers', batch),
      async ({ handle, status, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.blocked !== null);
        expect(await status()).toMatchObject({
          phase: 'soak',
          blocked: {
            code: 'consumers-remain',
            detail: 'materialized view m, view v still read public.r',
          },
        });
        readers = ['view v'];
        await handle.signal('retry');
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
        expect(audit).toContainEqual(
          expect.objectContaining({
            kind: 'readers',
            detail: "completed by retry, although these still read the batch's table: view v",
          }),
        );
      },
    );
  });

  it("can be rolled back while the run is blocked because of readers of the batch's table", async () => {
    const fake = fakes({ readersOfBatch: () => Promise.resolve(['view v']) });
    await play(
      bench,
      fake.activities,
      anHourlyInput('readers-back', batch),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.blocked !== null);
        await handle.signal('rollBack', { by: 'ann', reason: 'the view cannot be moved' });
        expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
      },
    );
  });

  it('lasts as long as a person asked; an invalid request to extend it is ignored and recorded', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      anHourlyInput('longer', { soak: { for: '2h', passes: 1 } }),
      async ({ env, handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.phase === 'soak');
        await handle.signal('extendSoak', { by: 'ann', for: 'soon' });
        await handle.signal('extendSoak', { by: 'ann', for: '8h' });
        const committed = await env.currentTimeMs();
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        expect((await env.currentTimeMs()) - committed).toBeGreaterThan(7 * 3_600_000);
        const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
        expect(audit).toContainEqual(
          expect.objectContaining({
            kind: 'ignored',
            detail: expect.stringMatching(/for must be a duration/) as string,
          }),
        );
        expect(audit).toContainEqual(expect.objectContaining({ kind: 'extended' }));
      },
    );
  });

  it('blocks the run if consumers were switched back to the batch, and continues after a retry', async () => {
    const wrong = {
      code: 'route-unexpected',
      detail: 'consumers read the batch side',
      remedy: 'switch them',
    } as const;
    const fake = fakes();
    const asked: (boolean | undefined)[] = [];
    let isWrong = true; // after the commit, a person switches the view back
    const runWindow = async (input: WindowInput) => {
      asked.push(input.watchesRoute);
      return {
        ...(await fake.activities.runWindow(input)),
        ...(isWrong && input.watchesRoute ? { routeProblem: wrong } : {}),
      };
    };
    await play(
      bench,
      { ...fake.activities, runWindow },
      anHourlyInput('switched-back', { soak: { for: '3h', passes: 1 } }),
      async ({ handle, status, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.blocked !== null);
        expect((await status()).blocked).toMatchObject(wrong);
        isWrong = false;
        await handle.signal('retry');
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        // the two windows before the commit do not watch the route, and the first in the soak does
        expect(asked.slice(0, 3)).toEqual([undefined, undefined, true]);
      },
    );
  });

  it.each(['when the route is confirmed', 'by a window of the soak'])(
    'starts its time again after consumers are found on the batch side %s',
    async (seen) => {
      const fake = fakes();
      const isConfirmed = seen === 'when the route is confirmed';
      let isWrong = true;
      const problem = { code: 'route-unexpected', detail: 'batch', remedy: 'switch' } as const;
      const runWindow = async (input: WindowInput) => ({
        ...(await fake.activities.runWindow(input)),
        ...(isWrong && !isConfirmed && input.watchesRoute ? { routeProblem: problem } : {}),
      });
      const observeRoute = () =>
        Promise.resolve({
          side: isWrong && isConfirmed ? ('batch' as const) : ('stream' as const),
          observedAt: '2026-01-01T00:00:00Z',
        });
      await play(
        bench,
        { ...fake.activities, runWindow, observeRoute },
        anHourlyInput(`seen-${isConfirmed}`, { soak: { for: '3h', passes: 1 } }),
        async (scene) => {
          const { handle } = scene;
          await approveThenRetry(scene, '2h', () => (isWrong = false));
          expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
          const audit = await handle.query<{ kind: string; detail: string; at: string }[]>('audit');
          const right = audit.findLast(({ kind }) => kind === 'blocked' || kind === 'unblocked')!;
          const completed = audit.find(({ detail }) => detail === 'complete')!;
          const hours = (Date.parse(completed.at) - Date.parse(right.at)) / 3_600_000;
          expect(hours).toBeGreaterThanOrEqual(3);
        },
      );
    },
  );
});
