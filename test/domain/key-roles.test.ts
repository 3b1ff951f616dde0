// Tests that a key signs only the decisions that its roles allow, and how long a signature is
// valid.
import { describe, expect, it } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import { createSignatureActivities } from '../../src/activities/cutover/signature-check.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { approverKey, signDecision, verifyToken } from '../../src/clients/signatures.js';
import type { KeyRole, SignedDecision } from '../../src/domain/decisions/signed-decision.js';

const NOW = '2026-11-26T12:00:00.000Z';

const HERE = { workflowId: 'm', namespace: 'n', run: 'r' };

describe('a key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const open = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const proves = (decision: SignedDecision, roles?: readonly KeyRole[]) => {
    const token = signDecision(
      secret,
      { ...HERE, decision, approver: 'ann', evidenceId: null },
      Date.parse(NOW),
    );
    return verifyToken(
      token,
      new Map([['ann', approverKey('ann', open, roles)]]),
      HERE,
      Date.parse(NOW),
    );
  };
  it('signs only what its roles allow', () => {
    expect(
      proves('approve').valid && proves('reject').valid && proves('complete-early').valid,
    ).toBe(true);
    expect(proves('break-glass')).toEqual({
      valid: false,
      reason: 'the key of ann has no role break-glass; its roles are approve, complete',
    });
    expect(proves('approve', ['complete'])).toEqual({
      valid: false,
      reason: 'the key of ann has no role approve; its roles are complete',
    });
    expect(
      proves('break-glass', ['break-glass']).valid && proves('approve', ['break-glass']).valid,
    ).toBe(true);
    expect(proves('complete-early', ['break-glass']).valid).toBe(false);
  });
  it("has signatures that are valid for an hour by Temporal's clock, even if the worker's is wrong", async () => {
    const claims = { ...HERE, decision: 'approve', approver: 'ann', evidenceId: null } as const;
    const token = signDecision(secret, claims, Date.parse(NOW));
    const approvers = new Map([['ann', approverKey('ann', open)]]);
    const worker = createSignatureActivities({ approvers } as unknown as Deps);
    const at = (time: string) => worker.verifyToken(token, HERE, time);
    expect(await at('2026-11-26T12:59:00.000Z')).toMatchObject({ valid: true });
    expect(await at('2026-11-26T13:01:00.000Z')).toMatchObject({
      valid: false,
      reason: 'the token expired at 2026-11-26T13:00:00.000Z',
    });
  });
});
