// Tests decisions that need two people: ending the soak early, and "breaking the glass", which
// relaxes the approval rules for an hour. Two decisions of one person are not enough. A decision
// that must be signed is refused without a signature. A decision never replaces a proof.
import { describe, expect, it } from 'vitest';
import {
  approvalUnder,
  breakGlass,
  coSign,
  rulesFor,
  type CoSignRequest,
  type CoSignature,
} from '../../src/domain/decisions/cosign.js';
import {
  UNSIGNED,
  decide,
  waitingFor,
  type GateState,
  type Identity,
} from '../../src/domain/decisions/gate.js';
import type { ApprovalSpec } from '../../src/domain/migration/spec.js';

const NOW = '2026-11-26T12:00:00.000Z';

const later = (minutes: number): string =>
  new Date(Date.parse(NOW) + minutes * 60_000).toISOString();

const SIGNED: Identity = { authenticated: true, refused: null };

const ask = (
  approver: string,
  decision: CoSignRequest['decision'] = 'complete-early',
): CoSignRequest => ({ decision, approver, reason: 'why', token: null });

const signature = (
  by: string,
  decision: CoSignRequest['decision'] = 'complete-early',
  at = NOW,
): CoSignature => ({
  decision,
  by,
  reason: 'why',
  authenticated: true,
  at,
});

const soak = (...signatures: CoSignature[]) => ({
  phase: 'soak' as const,
  committed: true,
  signatures,
});

const approving = (...signatures: CoSignature[]) => ({
  phase: 'approve' as const,
  committed: false,
  signatures,
});

const ANYBODY = { approvers: [] };

describe('a request that needs two people', () => {
  it('waits for a second, different person within the hour', () => {
    expect(coSign(ask('ann'), soak(), ANYBODY, NOW, UNSIGNED)).toMatchObject({
      accepted: true,
      pair: null,
      reason: expect.stringContaining('1 of 2') as string,
    });
    expect(coSign(ask('ann'), soak(signature('ann')), ANYBODY, NOW, UNSIGNED).reason).toMatch(
      /ann has signed already/,
    );
    expect(coSign(ask('bob'), soak(signature('ann')), ANYBODY, later(59), UNSIGNED)).toMatchObject({
      accepted: true,
      reason: '2 of 2 signatures: ann and bob',
    });
    expect(coSign(ask('bob'), soak(signature('ann')), ANYBODY, later(61), UNSIGNED)).toMatchObject({
      pair: null,
    });
    expect(
      coSign(ask('bob'), soak(signature('ann', 'break-glass')), ANYBODY, NOW, UNSIGNED),
    ).toMatchObject({ pair: null }); // the first signature was for a different decision
  });
  it.each<
    [
      string,
      CoSignRequest,
      ReturnType<typeof soak> | ReturnType<typeof approving>,
      { approvers: string[] },
      Identity,
      RegExp,
    ]
  >([
    [
      'with a token that proves nothing',
      ask('ann'),
      soak(),
      ANYBODY,
      { authenticated: false, refused: 'the token was used before' },
      /used before/,
    ],
    [
      'to end a soak that has not begun',
      ask('ann'),
      approving(),
      ANYBODY,
      SIGNED,
      /only a soak can end early, and the phase is approve/,
    ],
    [
      'by a person whom the spec does not name',
      ask('eve'),
      soak(),
      { approvers: ['ann'] },
      SIGNED,
      /eve is not one of the approvers/,
    ],
    [
      'unsigned although the spec names approvers',
      ask('ann'),
      soak(),
      { approvers: ['ann'] },
      UNSIGNED,
      /must sign \(sluice complete/,
    ],
    [
      'to break the glass unsigned',
      ask('ann', 'break-glass'),
      approving(),
      ANYBODY,
      UNSIGNED,
      /must sign \(sluice break-glass/,
    ],
    [
      'to break the glass after the commit',
      ask('ann', 'break-glass'),
      soak(),
      ANYBODY,
      SIGNED,
      /there is no longer a gate/,
    ],
  ])('%s is refused', (_what, request, state, approval, identity, why) => {
    const answer = coSign(request, state, approval, NOW, identity);
    expect(answer).toMatchObject({ accepted: false, pair: null });
    expect(answer.reason).toMatch(why);
  });
});

describe('break-glass by two people', () => {
  const strict: ApprovalSpec = {
    quorum: 3,
    approvers: ['cfo'],
    notStarter: true,
    expires: '24h',
    evidenceMaxAge: '1h',
    notBefore: '2099-01-01T00:00:00Z',
    notAfter: null,
  };
  const glass = breakGlass([signature('ann', 'break-glass'), signature('bob', 'break-glass')], NOW);
  const state: GateState = {
    phase: 'approve',
    committed: false,
    needsApproval: true,
    evidenceId: 'ev-1',
    evidenceAt: '2026-11-25T12:00:00Z',
    voidedAt: null,
    approvals: [],
    starter: 'ann',
    newest: null,
  };
  const approvalOf = (approver: string) => ({
    approver,
    decision: 'approve' as const,
    evidenceId: 'ev-1',
    accepted: true,
    reason: '',
    authenticated: true,
    at: NOW,
  });
  const approves = (approver: string, at: string, of: Partial<GateState> = {}, identity = SIGNED) =>
    decide(
      { decision: 'approve', approver, evidenceId: 'ev-1', comment: null, token: null },
      { ...state, ...of },
      approvalUnder(glass, strict, at),
      at,
      identity,
    );
  it('lets one of the two people approve for an hour, outside the change window and on older evidence', () => {
    expect(approves('ann', later(1))).toEqual({ accepted: true, reason: 'approval 1 of 1' });
    const approved = { ...state, approvals: [approvalOf('ann')] };
    expect(waitingFor(approved, approvalUnder(glass, strict, later(1)), later(1))).toBeNull();
    expect(approvalUnder(glass, strict, later(60))).toEqual(strict);
    expect(approvalUnder(null, strict, NOW)).toEqual(strict);
  });
  it('ends after an hour, as do the approvals that the usual rules do not allow', () => {
    const one = { ...strict, quorum: 1, notBefore: null };
    const by = (approver: string) =>
      waitingFor({ ...state, approvals: [approvalOf(approver)] }, one, later(61));
    expect(approvalUnder(glass, one, later(61))).toEqual(one);
    expect(by('bob')).toBe('approvals (0 of 1 so far)'); // not one of the spec's approvers
    expect(by('cfo')).toBeNull();
    expect(
      waitingFor({ ...state, approvals: [approvalOf('ann')] }, { ...one, approvers: [] }, NOW),
    ).toBe(
      'approvals (0 of 1 so far)', // ann started the migration
    );
  });
  it('lets the approvers of the spec reject as well', () => {
    const rejects = (approver: string) =>
      decide(
        { decision: 'reject', approver, evidenceId: null, comment: 'no', token: null },
        state,
        rulesFor('reject', glass, strict, later(1)),
        later(1),
        SIGNED,
      ).accepted;
    expect(['cfo', 'ann', 'eve'].map(rejects)).toEqual([true, true, false]);
  });
  it('lets no third or unsigned person approve, and accepts only evidence that is up for approval', () => {
    expect(approves('eve', later(1)).reason).toMatch(/eve is not one of the approvers ann, bob/);
    expect(approves('ann', later(1), {}, UNSIGNED).reason).toMatch(/unauthenticated/);
    expect(approves('ann', later(1), { needsApproval: false }).accepted).toBe(false);
    expect(approves('ann', later(1), { evidenceId: 'ev-2' }).accepted).toBe(false);
  });
});
