// Tests who may approve if the spec names approvers. Approvers must sign with their own keys, and
// each signature counts only once. It must be for this migration and this evidence, and at most an
// hour old.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { approverKey, signDecision, verifyToken } from '../../src/clients/signatures.js';
import {
  decide,
  identify,
  type DecisionRequest,
  type GateState,
} from '../../src/domain/decisions/gate.js';
import type { ApprovalSpec } from '../../src/domain/migration/spec.js';

const pair = () => {
  const { privateKey, publicKey: open } = generateKeyPairSync('ed25519');
  return {
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    open: open.export({ type: 'spki', format: 'pem' }).toString(),
  };
};
const [ann, eve] = [pair(), pair()];
const keys = new Map([['ann', approverKey('ann', ann.open)]]);
const ID = 'migration-orders';
const NOW = Date.parse('2026-11-22T12:00:00Z');
const HERE = { workflowId: ID, namespace: 'prod', run: 'run-1' };
const claims = { ...HERE, decision: 'approve', approver: 'ann', evidenceId: 'ev-1' } as const;
const request = (token: string, more: Partial<DecisionRequest> = {}): DecisionRequest => ({
  decision: 'approve',
  approver: 'ann',
  evidenceId: 'ev-1',
  comment: null,
  token,
  ...more,
});
const good = (): string => signDecision(ann.secret, claims, NOW);

describe('a signed approval', () => {
  it('is accepted and authenticated if the spec names the approver', () => {
    const token = good();
    const identity = identify(request(token), verifyToken(token, keys, HERE, NOW), []);
    expect(identity).toEqual({ authenticated: true, refused: null });
    const state: GateState = {
      phase: 'approve',
      committed: false,
      needsApproval: true,
      evidenceId: 'ev-1',
      evidenceAt: new Date(NOW).toISOString(),
      voidedAt: null,
      approvals: [],
      starter: 'sam',
      newest: null,
    };
    const spec: ApprovalSpec = {
      quorum: 1,
      approvers: ['ann'],
      notStarter: false,
      expires: '24h',
      evidenceMaxAge: '24h',
      notBefore: null,
      notAfter: null,
    };
    expect(
      decide(request(token), state, spec, new Date(NOW).toISOString(), identity).accepted,
    ).toBe(true);
  });

  const tampered = (token: string): string => {
    const [payload, signature] = token.split('.');
    const changed = {
      ...(JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object),
      evidenceId: 'ev-2',
    };
    return `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${signature}`;
  };
  const used = good();
  const nonce = (
    JSON.parse(Buffer.from(used.split('.')[0]!, 'base64url').toString()) as { nonce: string }
  ).nonce;
  it.each<[string, string, Partial<DecisionRequest>, string[], number, RegExp]>([
    [
      "signed with another person's key",
      signDecision(eve.secret, claims, NOW),
      {},
      [],
      NOW,
      /signature is not ann's/,
    ],
    [
      'whose text was changed',
      tampered(good()),
      { evidenceId: 'ev-2' },
      [],
      NOW,
      /signature is not ann's/,
    ],
    [
      'by a person without a key',
      signDecision(eve.secret, { ...claims, approver: 'eve' }, NOW),
      { approver: 'eve' },
      [],
      NOW,
      /no key of eve/,
    ],
    [
      'for another migration',
      signDecision(ann.secret, { ...claims, workflowId: 'migration-x' }, NOW),
      {},
      [],
      NOW,
      /is for workflowId migration-x/,
    ],
    [
      'of a run in a different namespace',
      signDecision(ann.secret, { ...claims, namespace: 'staging' }, NOW),
      {},
      [],
      NOW,
      /is for namespace staging/,
    ],
    [
      'of an earlier run',
      signDecision(ann.secret, { ...claims, run: 'run-0' }, NOW),
      {},
      [],
      NOW,
      /is for run run-0/,
    ],
    [
      'of other evidence',
      good(),
      { evidenceId: 'ev-9' },
      [],
      NOW,
      /for evidenceId ev-1, but the request names ev-9/,
    ],
    [
      'that says reject',
      signDecision(ann.secret, { ...claims, decision: 'reject' }, NOW),
      {},
      [],
      NOW,
      /for decision reject, but the request names approve/,
    ],
    ['after its hour', good(), {}, [], NOW + 3_600_001, /expired/],
    [
      'from a clock that is far ahead',
      signDecision(ann.secret, claims, NOW + 7_200_000),
      {},
      [],
      NOW,
      /valid for longer/,
    ],
    ['used before', used, {}, [nonce], NOW, /used before/],
    ['that is not a token', 'rubbish', {}, [], NOW, /not have the form payload.signature/],
    ['whose payload is invalid', 'e30.e30', {}, [], NOW, /contains no decision/],
  ])('%s is refused', (_what, token, more, nonces, now, why) => {
    const identity = identify(request(token, more), verifyToken(token, keys, HERE, now), nonces);
    expect(identity.authenticated).toBe(false);
    expect(identity.refused).toMatch(why);
  });

  it('needs an Ed25519 key', () => {
    const other = generateKeyPairSync('ed448')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    expect(() => signDecision(other, claims, NOW)).toThrow(/is ed448, not ed25519/);
    expect(() => approverKey('ann', 'nonsense')).toThrow(/publicKey of ann/);
  });
});
