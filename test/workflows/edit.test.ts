// Tests that a running migration applies an edit of its spec, and runs a window when a person asks.
import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/domain/evidence/check.js';
import { signedEdit } from '../../src/domain/decisions/edit-gate.js';
import type { Decision } from '../../src/domain/decisions/gate.js';
import type { SpecShown, WindowAnswer } from '../../src/domain/evidence/ledger-rows.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { anHourlyInput, approve, result, sleepUntil } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const IGNORED = {
  validation: { every: '1h', passesInARow: 1, compare: { ignore: ['public.accounts.note'] } },
};

const specOf = ({ handle }: Play): Promise<SpecShown> => handle.query<SpecShown>('spec');

/** Sends an edit that makes the run's spec equal to `wanted`. */
async function edit(scene: Play, wanted: object, more: object = {}): Promise<Decision> {
  const { run, planHash: base } = await specOf(scene);
  return scene.handle.executeUpdate<Decision, [object]>('editSpec', {
    args: [{ by: 'ann', reason: 'we learned', run, base, spec: wanted, ...more }],
  });
}

const ask = ({ handle }: Play, more: object = {}): Promise<WindowAnswer> =>
  handle.executeUpdate<WindowAnswer, [object]>('runWindow', { args: [{ by: 'ann', ...more }] });

const details = async ({ handle }: Play, kind: string): Promise<string[]> =>
  (await handle.query<{ kind: string; detail: string }[]>('audit'))
    .filter((event) => event.kind === kind)
    .map(({ detail }) => detail);

describe('an edit', () => {
  it('takes effect at once, is audited, and keeps evidence and approval if it changes only `every`', async () => {
    const fake = fakes();
    const more = { cutover: { approval: { notBefore: '2100-01-01T00:00:00Z', expires: '90d' } } };
    await play(bench, fake.activities, anHourlyInput('cadence', more), async (scene) => {
      await scene.reach((s) => s.needsApproval);
      const { evidenceId, epoch } = await scene.status();
      await approve(scene.handle, { approver: 'ann', evidenceId });
      const validation = { every: '7d', passesInARow: 1 };
      const wanted = anHourlyInput('cadence', { ...more, validation });
      expect(await edit(scene, wanted)).toEqual({
        accepted: true,
        reason: 'spec.validation.every: "1h" → "7d"',
      });
      await scene.reach((s) => s.phase === 'approve');
      expect(await scene.status()).toMatchObject({ evidenceId, epoch });
      expect((await specOf(scene)).spec!.spec.validation.every).toBe('7d');
      expect(await details(scene, 'edit')).toEqual([expect.stringContaining('(we learned)')]);
      const before = fake.calls.filter((name) => name === 'runWindow').length;
      await scene.env.sleep('2d');
      expect(fake.calls.filter((name) => name === 'runWindow')).toHaveLength(before);
      expect(await edit(scene, wanted)).toEqual({ accepted: true, reason: 'nothing changes' });
      expect(await edit(scene, anHourlyInput('other', more))).toMatchObject({ accepted: false });
      expect(await edit(scene, wanted, { base: 'old' })).toMatchObject({
        reason: expect.stringContaining('the spec has changed since you read it') as string,
      });
    });
  });

  it('begins a new epoch and voids the approval if it changes what evidence depends on', async () => {
    const fake = fakes();
    await play(bench, fake.activities, anHourlyInput('ignored'), async (scene) => {
      await scene.reach((s) => s.needsApproval);
      const { evidenceId } = await scene.status();
      expect(await edit(scene, anHourlyInput('ignored', IGNORED))).toMatchObject({
        accepted: true,
      });
      await scene.reach((s) => s.needsApproval && s.evidenceId !== evidenceId);
      expect((await scene.status()).epoch).toBe(2);
      await approve(scene.handle, { approver: 'bob', evidenceId });
      await approve(scene.handle, { approver: 'bob' });
      const { approvals } = await scene.status();
      expect(approvals.map(({ accepted }) => accepted)).toEqual([false, false]);
      expect(await details(scene, 'epoch')).toEqual([
        expect.stringContaining('edited: spec.validation.compare.ignore'),
      ]);
    });
    expect(fake.full).toEqual([1, 2]);
  });

  it('voids a window that is running if the edit changes what evidence depends on', async () => {
    let isHeld = true;
    const fake = fakes();
    const runWindow: typeof fake.activities.runWindow = async (input) => {
      if (input.number === 1) await sleepUntil('the edit is done', () => !isHeld);
      return fake.activities.runWindow(input);
    };
    const activities = { ...fake.activities, runWindow };
    await play(bench, activities, anHourlyInput('meanwhile'), async (scene) => {
      await sleepUntil('the first window', async () => {
        const { raw } = await scene.handle.describe();
        return (raw.pendingActivities ?? []).some((a) => a.activityType?.name === 'runWindow');
      });
      await edit(scene, anHourlyInput('meanwhile', IGNORED));
      isHeld = false;
      await scene.reach((s) => s.needsApproval);
      expect((await details(scene, 'window'))[0]).toContain('edited during the window');
      expect(fake.full).toEqual([1, 2]);
    });
  });

  it('makes the window that a person waits for inconclusive if it changes what evidence depends on', async () => {
    let isHeld = true;
    let last = 0;
    const fake = fakes();
    const runWindow: typeof fake.activities.runWindow = async (input) => {
      last = input.number;
      if (input.number === 3) await sleepUntil('the edit is done', () => !isHeld);
      return fake.activities.runWindow(input);
    };
    const activities = { ...fake.activities, runWindow };
    await play(bench, activities, anHourlyInput('asked'), async (scene) => {
      await scene.reach((s) => s.needsApproval);
      expect(last).toBe(1);
      const ask = () =>
        scene.handle.executeUpdate<WindowAnswer, [object]>('runWindow', {
          args: [{ by: 'ann', full: false, wait: true }],
        });
      expect((await ask()).window).toMatchObject({ number: 2, verdict: 'passed' });
      const answer = ask();
      await sleepUntil('the third window', () => last === 3);
      await edit(scene, anHourlyInput('asked', IGNORED));
      isHeld = false;
      expect((await answer).window).toMatchObject({ number: 3, verdict: 'inconclusive' });
    });
  });

  it('needs as many signatures as the former quorum if it changes the approvers', async () => {
    const answers: Decision[] = [];
    const approval = { approvers: ['ann', 'bob'], quorum: 2 };
    const former = anHourlyInput('signed', { cutover: { approval } });
    const wanted = anHourlyInput('signed', { cutover: { approval: { approvers: ['cy'] } } });
    const parsed = parseSpecObject(wanted);
    const fake = fakes({
      verifyToken: (token, here) => {
        const [approver, nonce, decision] = token.split('/') as [string, string, 'edit'];
        const evidenceId =
          decision === 'edit' && parsed.ok ? signedEdit(planHash(parsed.spec)) : null;
        const claims = { ...here, decision, approver, evidenceId, notAfter: '', nonce };
        return Promise.resolve({ valid: true, claims });
      },
    });
    await play(bench, fake.activities, former, async (scene) => {
      await scene.reach((s) => s.needsApproval);
      answers.push(await edit(scene, wanted));
      answers.push(await edit(scene, wanted, { by: 'ann', token: 'ann/1/edit' }));
      answers.push(await edit(scene, wanted, { by: 'bob', token: 'bob/2/edit' }));
      expect(answers.map(({ accepted }) => accepted)).toEqual([false, true, true]);
      expect(answers[0]!.reason).toContain('unauthenticated');
      expect(answers[1]!.reason).toContain('signature 1 of 2');
      expect((await specOf(scene)).spec!.spec.cutover.approval.approvers).toEqual(['cy']);
      const free = anHourlyInput('signed', { cutover: { approval: { quorum: 1 } } });
      expect(await edit(scene, free)).toMatchObject({ accepted: false });
      await scene.handle.signal('rollBack', { by: 'cy', reason: 'r', token: 'cy/3/rollback' });
      expect((await result(scene.handle)).outcome).toBe('rolled-back');
    });
  });

  it('is refused under the fence; after the commit, it can make the soak longer but not shorter', async () => {
    let isHeld = true;
    const fake = fakes({
      drainTo: async () => {
        await sleepUntil('the edit is answered', () => !isHeld);
        return { reason: null, proofs: [] };
      },
    });
    const soak = (length: string) => ({ soak: { for: length, passes: 1 } });
    await play(bench, fake.activities, anHourlyInput('fenced', soak('2h')), async (scene) => {
      await scene.reach((s) => s.needsApproval);
      await approve(scene.handle);
      await sleepUntil('the fence', () => fake.calls.includes('drainTo'));
      expect(await edit(scene, anHourlyInput('fenced', soak('1h')))).toMatchObject({
        accepted: false,
        reason: expect.stringContaining('a cut-over is under way') as string,
      });
      expect((await ask(scene)).refused).toContain('the phase is cut-over');
      isHeld = false;
      await scene.reach((s) => s.phase === 'soak');
      expect((await edit(scene, anHourlyInput('fenced', soak('1h')))).reason).toContain(
        'can only become longer',
      );
      expect(await edit(scene, anHourlyInput('fenced', soak('4h')))).toMatchObject({
        accepted: true,
      });
      expect((await scene.status()).waiting).toContain('the end of the soak at');
      expect((await result(scene.handle)).outcome).toBe('migrated');
    });
  });

  it('ends the wait of a blocked preflight at once if it changes a waiver', async () => {
    const check: Check = {
      name: 'source.long-transactions',
      subject: '',
      status: 'failed',
      detail: 'one is open',
      remedy: 'end it',
    };
    const fake = fakes({
      preflight: ({ spec }) =>
        Promise.resolve(spec.spec.validation.waivers.length > 0 ? [] : [check]),
    });
    const waivers = [{ check: check.name, reason: 'known', until: '2100-01-01T00:00:00Z' }];
    const validation = { every: '1h', passesInARow: 1, waivers };
    await play(bench, fake.activities, anHourlyInput('waived'), async (scene) => {
      await scene.reach((s) => s.blocked !== null);
      expect((await ask(scene)).refused).toContain('the phase is prepare');
      await edit(scene, anHourlyInput('waived', { validation }));
      await scene.reach((s) => s.needsApproval);
    });
  });
});

describe('a window that a person asks for', () => {
  it('runs at once, reads every row on request, and returns its verdict to a person who waits', async () => {
    const fake = fakes();
    await play(bench, fake.activities, anHourlyInput('asked'), async (scene) => {
      await scene.reach((s) => s.needsApproval);
      expect(await ask(scene, { full: true })).toMatchObject({
        refused: null,
        window: { number: 2, verdict: 'passed' },
      });
      expect(await ask(scene)).toMatchObject({ window: { number: 3 } });
      expect(await ask(scene, { wait: false })).toEqual({ refused: null, window: null });
      await sleepUntil('the third', () => fake.calls.filter((c) => c === 'runWindow').length === 4);
      expect(fake.full).toEqual([1, 2]);
      await scene.handle.signal('pause');
      expect((await ask(scene)).refused).toContain('sluice resume');
    });
  });
});
