// Tests the steps of a cut-over. The plan shows them, the run follows them, and the runbook
// explains them. The run predicts the hold (how long the batch will be paused) before it fences
// anything. Also tests the full pass before the fence, and an attempt that was refused.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import { eventsOf, type AuditLine } from '../../src/domain/audit.js';
import { BATCH_PARTS, SHARED_PARTS, aPlan, anHourlyInput } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { approveThenRetry, play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const soak = { for: '1s', passes: 0 };
const SPECS: readonly (readonly [string, Record<string, unknown>])[] = [
  ['without a batch', {}],
  ['with a view', { ...BATCH_PARTS }],
  [
    'with a route by HTTP and fenced sources',
    { ...BATCH_PARTS, cutover: { fence: 'source', route: { type: 'http', url: 'http://r:1/' } } },
  ],
  ['with a shared table', { ...SHARED_PARTS }],
];

describe('the steps of a cut-over', () => {
  it.each(SPECS)('%s are the steps of the plan, in the same order', async (name, more) => {
    const fake = fakes();
    const id = `steps-${SPECS.findIndex(([n]) => n === name)}`;
    await play(
      bench,
      fake.activities,
      anHourlyInput(id, { ...more, soak }),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        const audit = await handle.query<readonly AuditLine[]>('audit');
        const begun = eventsOf(audit, 'step').map(({ step, does }) => [step, does]);
        expect(begun).toEqual(
          aPlan({ spec: { ...more, soak } }).steps.map(({ name, does }) => [name, does]),
        );
      },
    );
  });

  it('each have a section in the runbook', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const names = new Set(
      SPECS.flatMap(([, more]) => aPlan({ spec: more }).steps.map((step) => step.name)),
    );
    for (const name of names) expect(runbook).toContain(`\n### ${name.replaceAll('-', ' ')}\n`);
  });
});

describe('a hold', () => {
  it('that cannot fit into maxHold is refused before anything changes, and predicted again on retry', async () => {
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
            /the predicted hold of 8 s is longer than maxHold \(7 s\)/,
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

describe('a step of the hold', () => {
  it.each(['batchAction', 'fence'] as const)(
    'that is blocked for longer than maxHold ends the attempt, and nothing is committed: %s',
    async (step) => {
      let isAway = true;
      const fake = fakes();
      const answer = fake.activities[step] as (...args: unknown[]) => Promise<never>;
      const activities = {
        ...fake.activities,
        [step]: (...args: unknown[]) =>
          isAway ? Promise.reject(failure('unreachable', 'no answer')) : answer(...args),
      };
      const notAfter = new Date((await bench.env.currentTimeMs()) + 30 * 60_000).toISOString();
      await play(
        bench,
        activities,
        anHourlyInput(`late-${step.toLowerCase()}`, {
          ...BATCH_PARTS,
          cutover: { approval: { notAfter } },
        }),
        async (scene) => {
          const { handle, reach } = scene;
          await approveThenRetry(scene, '40m', () => (isAway = false));
          await reach((s) => s.needsApproval || s.phase === 'soak');
          expect(JSON.stringify(await handle.query('audit'))).toContain('longer than maxHold');
          expect(fake.calls).not.toContain('commitCutover');
          await handle.terminate();
        },
      );
    },
  );
});

describe('a full pass before the fence', () => {
  const tables = { rows: 1_000_000, ms: 60_000, unwitnessed: null };
  const short = {
    cutover: { maxHold: '20s' },
    soak: { for: '1s', passes: 0 },
    validation: { every: '1h', passesInARow: 1, laterWindows: 'witness' },
  };

  it.each([
    ['the final window then rests on it, and the hold is short enough', null, 'passed'],
    ['the hold is refused with the reason if no witness could begin', 'no free slot', 'passed'],
    ['no fence is taken if this pass finds a difference', null, 'failed'],
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
          // each earlier window keeps a witness for the next window
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
            /the predicted hold of 67 s is longer than maxHold \(20 s\).*every row, because no free slot/,
          );
        }
        expect(fake.calls).not.toContain('fence');
        await handle.terminate();
      },
    );
  });
});

describe('an attempt that was refused', () => {
  it('is repeated only when the next window is due, and needs no new approval', async () => {
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
