// Tests that a key signs only the decisions that its roles allow.
import { describe, expect, it } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
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
});
