// Tests when an approved run begins its cut-over, which rehearsals fence nothing, and how soon the
// ledger records what people did.
import { describe, expect, it } from 'vitest';
import type { SpecShown } from '../../src/domain/evidence/ledger-rows.js';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { approveThenRetry, play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const MINUTE = 60_000;

describe('the change window', () => {
  it('lets the cut-over begin even if it is shorter than the time between two validation windows', async () => {
    const now = await bench.env.currentTimeMs();
    const at = (minutes: number): string => new Date(now + minutes * MINUTE).toISOString();
    const approval = { notBefore: at(30), notAfter: at(40) };
    const fenced: number[] = [];
    const fake = fakes({
      fence: async () => {
        fenced.push(await bench.env.currentTimeMs());
        return { lsn: '0/3', refused: null };
      },
    });
    await play(
      bench,
      fake.activities,
      anHourlyInput('short-window', { cutover: { approval }, soak: { for: '1s', passes: 0 } }),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach(
          (s) =>
            s.approved === true &&
            s.waiting === `the change window, which opens at ${at(30)}` &&
            s.next[0] === 'sluice get short-window -w',
        );
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      },
    );
    expect(fenced).toHaveLength(1);
    expect(fenced[0]).toBeGreaterThanOrEqual(now + 30 * MINUTE);
    expect(fenced[0]).toBeLessThan(now + 40 * MINUTE);
  });

  it('is respected if it closes while the run waits for a system: nothing is fenced', async () => {
    const now = await bench.env.currentTimeMs();
    const notAfter = new Date(now + 30 * MINUTE).toISOString();
    let isAway = true;
    const fake = fakes({
      activeBatchRun: () =>
        isAway ? Promise.reject(failure('unreachable', 'no source')) : Promise.resolve(null),
    });
    await play(
      bench,
      fake.activities,
      anHourlyInput('closed-meanwhile', { cutover: { approval: { notAfter } } }),
      async (scene) => {
        const { handle, reach } = scene;
        await approveThenRetry(scene, '40m', () => (isAway = false));
        await reach((s) => s.needsApproval && s.blocked === null);
        const audit = JSON.stringify(await handle.query('audit'));
        expect(audit).toContain('may no longer begin, because it waits for a change window');
        await handle.signal('rollBack', { by: 'ann', reason: 'next week' });
        expect(await handle.result()).toMatchObject({ outcome: 'rolled-back' });
      },
    );
    expect(fake.calls).not.toContain('fence');
  });
});

describe('a rehearsal', () => {
  it('fences nothing after a failed window, and answers that nothing was rehearsed', async () => {
    let mayEnd = false;
    const fake = fakes();
    const runWindow: typeof fake.activities.runWindow = async (input) => {
      if (input.number === 2) await sleepUntil('the window may end', () => mayEnd);
      return fake.activities.runWindow(input);
    };
    const activities = { ...fake.activities, runWindow };
    await play(bench, activities, anHourlyInput('worse'), async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      fake.verdicts.push('failed');
      await handle.executeUpdate('runWindow', { args: [{ by: 'ann', wait: false }] });
      const asked = await handle.startUpdate('rehearseCutover', {
        args: [{ by: 'ann' }],
        waitForStage: 'ACCEPTED',
      });
      mayEnd = true;
      expect(await asked.result()).toEqual({
        refused: 'nothing was rehearsed, because the run went to phase validate',
        holdMs: null,
      });
    });
    expect(fake.calls).not.toContain('fence');
  });
});

describe('a rehearsal whose evidence an edit voids before the fence', () => {
  it('fences nothing, and says why', async () => {
    let isBusy = true;
    const fake = fakes({
      activeBatchRun: async () => {
        await sleepUntil('the edit is done', () => !isBusy);
        return null;
      },
    });
    const compare = { ignore: ['public.accounts.note'] };
    const spec = anHourlyInput('voided', { validation: { every: '1h', passesInARow: 1, compare } });
    await play(bench, fake.activities, anHourlyInput('voided'), async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      const asked = await handle.startUpdate('rehearseCutover', {
        args: [{ by: 'ann' }],
        waitForStage: 'ACCEPTED',
      });
      await sleepUntil('the recheck', () => fake.calls.includes('activeBatchRun'));
      const { run, planHash: base } = await handle.query<SpecShown>('spec');
      const edit = { by: 'ann', reason: 'we learned', run, base, spec };
      expect(await handle.executeUpdate('editSpec', { args: [edit] })).toMatchObject({
        accepted: true,
      });
      isBusy = false;
      expect(await asked.result()).toMatchObject({
        refused: 'a new epoch (2) voids the evidence',
      });
      await reach((s) => s.needsApproval);
    });
    expect(fake.calls).not.toContain('fence');
  });
});

describe('the ledger', () => {
  it('gets decisions about a waiting run within 2 minutes, or within 10 minutes after an outage', async () => {
    let isAway = false;
    const recorded: string[] = [];
    const fake = fakes({
      record: (_ref, _status, events) => {
        if (isAway) return Promise.reject(new Error('the ledger is away'));
        recorded.push(...events.map(({ kind }) => kind));
        return Promise.resolve();
      },
    });
    await play(bench, fake.activities, anHourlyInput('mirrored'), async (scene) => {
      const { handle, env, reach } = scene;
      await reach((s) => s.needsApproval);
      await handle.signal('extendSoak', { by: 'ann', for: '2h' });
      await env.sleep('2m');
      expect(recorded).toContain('extended');
      isAway = true;
      await handle.signal('approveCutover', { approver: 'eve', evidenceId: 'ev-0.0-00000000' });
      await env.sleep('2m');
      expect(recorded).not.toContain('approve');
      isAway = false;
      await env.sleep('10m');
      expect(recorded).toContain('approve');
    });
    expect(fake.calls.filter((name) => name === 'runWindow')).toHaveLength(1);
  });
});
