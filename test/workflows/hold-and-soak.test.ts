// Tests the prediction of the hold before anything is fenced, and a soak that a person extends.
import { describe, expect, it } from 'vitest';
import { anHourlyInput } from '../support/builders.js';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

describe('the hold', () => {
  it('is refused before anything is touched if it cannot fit into maxHold, and measured again on retry', async () => {
    const fake = fakes();
    let slow = true;
    const activities = {
      ...fake.activities,
      runWindow: async (input: WindowInput) => {
        const window = await fake.activities.runWindow(input);
        return slow ? { ...window, tookMs: 2500 } : window;
      },
    };
    await play(
      bench,
      activities,
      anHourlyInput('long-hold', { cutover: { maxHold: '7s' }, soak: { for: '1s', passes: 0 } }),
      async ({ handle, status, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.blocked !== null);
        expect((await status()).blocked).toMatchObject({
          code: 'hold-too-long',
          detail: expect.stringMatching(
            /predicted hold 8 s, which is more than 7 s of maxHold/,
          ) as string,
        });
        expect(fake.calls).not.toContain('fence');
        expect(fake.calls).not.toContain('batchAction');
        slow = false;
        // the approval is still valid, because its evidence did not change
        await handle.signal('retry');
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
  });
});

describe('a full pass before the fence', () => {
  const tables = { rows: 1_000_000, ms: 60_000, unwitnessed: null };
  const short = {
    cutover: { maxHold: '20s' },
    soak: { for: '1s', passes: 0 },
    validation: { every: '1h', passesInARow: 1, laterWindows: 'witness' },
  };

  it.each([
    ['the final window rests on it and the hold fits', null, 'passed'],
    ['the hold is refused with the reason if no witness could begin', 'no free slot', 'passed'],
    ['the fence is not taken if the pass does not pass', null, 'failed'],
  ] as const)('is made for a large table: %s', async (_, refused, verdict) => {
    const roles: (readonly [WindowInput['witness'], boolean])[] = [];
    const fake = fakes();
    const activities = {
      ...fake.activities,
      runWindow: async (input: WindowInput) => {
        roles.push([input.witness, fake.calls.includes('fence')]);
        const window = await fake.activities.runWindow(input);
        const begins = input.witness === 'begin';
        return {
          ...window,
          ...(begins ? { verdict: { verdict, reason: verdict } } : {}),
          tookMs: 61_000,
          tables,
          ...(input.witness
            ? { witness: { refused, rested: typeof input.witness === 'object' } }
            : {}),
        };
      },
    };
    await play(
      bench,
      activities,
      anHourlyInput('ahead', short),
      async ({ handle, status, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        if (refused === null && verdict === 'passed') {
          expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
          const at = roles.findIndex(([role]) => role === 'begin');
          // the windows before it keep a witness for themselves
          expect(roles.slice(0, at)).toEqual(Array.from({ length: at }, () => ['keep', false]));
          expect(roles.slice(at)).toEqual([
            ['begin', false],
            [{ after: at + 1, orReadsAll: false }, true],
          ]);
          return;
        }
        if (verdict === 'failed') await reach((s) => s.epoch > 1);
        else {
          await reach((s) => s.blocked !== null);
          expect((await status()).blocked!.detail).toMatch(
            /predicted hold 67 s, which is more than 20 s.*every row: no free slot/,
          );
        }
        expect(fake.calls).not.toContain('fence');
        await handle.terminate();
      },
    );
  });
});

describe('an attempt that was refused', () => {
  it('is repeated after the next window under the same approval, and at once after a new approval', async () => {
    const attempts: number[] = [];
    let clock = (): Promise<number> => Promise.resolve(0);
    const fake = fakes({
      fence: async () => {
        attempts.push(await clock());
        return { lsn: '0/3', refused: attempts.length < 4 ? 'a lock was not granted' : null };
      },
    });
    await play(
      bench,
      fake.activities,
      anHourlyInput('spaced', {
        cutover: { approval: { expires: '90d', evidenceMaxAge: '90d' } },
        soak: { for: '1s', passes: 0 },
      }),
      async ({ env, handle, status, reach }) => {
        clock = () => env.currentTimeMs();
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        expect(attempts).toHaveLength(4);
        for (const [at, time] of attempts.entries())
          if (at > 0) expect(time - attempts[at - 1]!).toBeGreaterThanOrEqual(3_600_000);
        expect((await status()).approvals).toHaveLength(1);
      },
    );
  });
});

describe('the soak', () => {
  const batch = {
    batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
    pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
    soak: { for: '1s', passes: 0 },
  };

  it('names readers of the old output before it completes; a retry completes anyway, which is audited', async () => {
    let readers = ['materialised view m', 'view v'];
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
            detail: 'materialised view m, view v still read public.r',
          },
        });
        readers = ['view v'];
        await handle.signal('retry');
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
        expect(audit).toContainEqual(
          expect.objectContaining({
            kind: 'readers',
            detail: 'completed by retry, although these still read the old output: view v',
          }),
        );
      },
    );
  });

  it('can still be rolled back while readers of the old output are named', async () => {
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

  it('lasts as long as a person asked; invalid and late requests are ignored and recorded', async () => {
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
        await handle.signal('extendSoak', { by: 'ann', for: '2d' });
        const committed = await env.currentTimeMs();
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        expect((await env.currentTimeMs()) - committed).toBeGreaterThan(46 * 3_600_000);
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

  it('notices that consumers were switched back, waits until they are on the stream, and continues', async () => {
    const wrong = {
      code: 'route-unexpected',
      detail: 'consumers read the batch side',
      remedy: 'switch them',
    } as const;
    const fake = fakes();
    const asked: (boolean | undefined)[] = [];
    let isWrong = true; // a person switches the view after the commit
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
        // a window, the final window, and the windows of the soak
        expect(asked.slice(0, 3)).toEqual([undefined, undefined, true]);
      },
    );
  });

  it.each(['when the route is confirmed', 'by a window of the soak'])(
    'counts its time from the moment when consumers read the stream again: the batch is seen %s',
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
        async ({ handle, env, reach }) => {
          await reach((s) => s.needsApproval);
          await handle.signal('approveCutover', { approver: 'ann' });
          await reach((s) => s.blocked !== null);
          await env.sleep('2h');
          isWrong = false;
          await handle.signal('retry');
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
