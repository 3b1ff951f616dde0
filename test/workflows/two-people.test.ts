// Tests decisions that need two people: ending a soak early, and `break-glass`, which relaxes the
// approval rules for an hour. The audit records each decision.
import { describe, expect, it } from 'vitest';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import type { Decision } from '../../src/domain/decisions/gate.js';
import type { SignedDecision } from '../../src/domain/decisions/signed-decision.js';
import { anHourlyInput } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

let nonce = 0;
/** A fake activity that accepts every token of the form `decision approver evidence`. */
const believing = {
  verifyToken: (token: string) => {
    const [decision, approver, evidenceId] = token.split(' ');
    nonce += 1;
    const claims = {
      workflowId: 'w',
      namespace: 'default',
      run: 'r',
      decision: decision as SignedDecision,
      approver: approver!,
      evidenceId: evidenceId ?? null,
      notAfter: '2099-01-01T00:00:00Z',
      nonce: `${nonce}`,
    };
    return Promise.resolve({ valid: true as const, claims });
  },
};

describe('the soak', () => {
  it('ends after a passed window, long before its time, if two people ask for it', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      anHourlyInput('early', { soak: { for: '30d', passes: 500 } }),
      async ({ env, handle, reach }) => {
        const ask = (approver: string): Promise<Decision> =>
          handle.executeUpdate<Decision, [object]>('coSign', {
            args: [{ decision: 'complete-early', approver, reason: 'quarter end' }],
          });
        await reach((s) => s.needsApproval);
        expect((await ask('ann')).reason).toMatch(/only a soak can end early/);
        await handle.signal('approveCutover', { approver: 'ann' });
        await reach((s) => s.phase === 'soak');
        const began = await env.currentTimeMs();
        expect(await ask('ann')).toMatchObject({ accepted: true });
        expect((await ask('ann')).accepted).toBe(false);
        expect((await ask('bob')).reason).toBe('2 of 2 signatures: ann and bob');
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        const audit = await handle.query<{ at: string; kind: string; detail: string }[]>('audit');
        // The audit follows the run's own clock. After a run's end, the test server may skip years.
        expect(Date.parse(audit.at(-1)!.at) - began).toBeLessThan(3 * 3_600_000);
        expect(
          audit.filter((e) => e.kind === 'complete-early').map((e) => e.detail),
        ).toContainEqual(
          'bob (unauthenticated): accepted, 2 of 2 signatures: ann and bob (quarter end)',
        );
      },
    );
  });
});

describe('break-glass', () => {
  it('lets one of the two people approve outside the change window, and marks every later window', async () => {
    const inputs: WindowInput[] = [];
    const fake = fakes(believing);
    const activities = {
      ...fake.activities,
      runWindow: (input: WindowInput) => (inputs.push(input), fake.activities.runWindow(input)),
    };
    const approval = { approvers: ['cfo', 'coo'], quorum: 2, notBefore: '2099-01-01T00:00:00Z' };
    await play(
      bench,
      activities,
      anHourlyInput('glass', { cutover: { approval }, soak: { for: '1s', passes: 1 } }),
      async ({ handle, status, reach }) => {
        const ask = async (approver: string): Promise<Decision> =>
          handle.executeUpdate<Decision, [object]>('coSign', {
            args: [
              {
                decision: 'break-glass',
                approver,
                reason: 'the batch is down',
                token: `break-glass ${approver} ${(await status()).evidenceId}`,
              },
            ],
          });
        const approve = (approver: string, evidenceId: string): Promise<Decision> =>
          handle.executeUpdate<Decision, [object]>('decideCutover', {
            args: [
              {
                decision: 'approve',
                approver,
                evidenceId,
                token: `approve ${approver} ${evidenceId}`,
              },
            ],
          });
        await reach((s) => s.needsApproval);
        const evidence = (await status()).evidenceId!;
        expect((await approve('ann', evidence)).reason).toMatch(/not one of the approvers/);
        await ask('ann');
        expect((await ask('bob')).accepted).toBe(true);
        expect((await approve('eve', evidence)).reason).toMatch(
          /eve is not one of the approvers ann, bob/,
        );
        expect(await approve('bob', evidence)).toEqual({
          accepted: true,
          reason: 'approval 1 of 1',
        });
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        expect(inputs.map((input) => input.brokenGlass?.by)).toEqual([
          undefined,
          ['ann', 'bob'],
          ['ann', 'bob'],
        ]);
        const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
        expect(audit.find((e) => e.kind === 'glass-broken')!.detail).toMatch(
          /the glass was broken by ann and bob, until .* \(ann: the batch is down; bob: the batch is down\)/,
        );
        await expect(
          handle.executeUpdate('coSign', { args: [{ decision: 'anything' }] }),
        ).rejects.toThrow();
      },
    );
  });
});
