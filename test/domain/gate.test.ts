// Tests who may approve or reject, when the gate opens, and which decisions a run keeps.
import { describe, expect, it } from 'vitest';
import {
  currentApprovals,
  decide,
  remembered,
  waitingFor,
  type GateState,
} from '../../src/domain/decisions/gate.js';
import type { Approval } from '../../src/domain/evidence/ledger-rows.js';
import type { ApprovalSpec } from '../../src/domain/migration/spec.js';

const NOW = '2026-11-22T12:00:00.000Z';

const SPEC: ApprovalSpec = {
  quorum: 1,
  approvers: [],
  notStarter: false,
  expires: '24h',
  evidenceMaxAge: '24h',
  notBefore: null,
  notAfter: null,
};

const OPEN: GateState = {
  phase: 'approve',
  committed: false,
  needsApproval: true,
  evidenceId: 'ev-1',
  evidenceAt: '2026-11-22T11:59:00.000Z',
  voidedAt: null,
  approvals: [],
  starter: 'sam',
  newest: null,
};

const ask = (approver = 'ann', evidenceId: string | null = 'ev-1') => ({
  decision: 'approve' as const,
  approver,
  evidenceId,
  comment: null,
  token: null,
});

const approval = (approver: string, evidenceId: string): Approval => ({
  approver,
  decision: 'approve',
  evidenceId,
  accepted: true,
  reason: '',
  authenticated: false,
  at: NOW,
});

describe('an approval', () => {
  it('is accepted for the current evidence, even if it names no evidence', () => {
    expect(decide(ask(), OPEN, SPEC, NOW)).toEqual({ accepted: true, reason: 'approval 1 of 1' });
    expect(decide(ask('ann', null), OPEN, SPEC, NOW).accepted).toBe(true);
  });
  it.each([
    [
      'has not opened',
      { notBefore: '2026-11-22T20:00:00Z' },
      'the change window, which opens at 2026-11-22T20:00:00Z',
    ],
    [
      'opens after the approval expires',
      { notBefore: '2026-11-24T00:00:00Z' },
      'the change window, which opens at 2026-11-24T00:00:00Z; the approval expires before that, after 24h',
    ],
    [
      'has closed',
      { notAfter: '2026-11-21T00:00:00Z' },
      'a change window: the last one closed at 2026-11-21T00:00:00Z, and sluice edit can set a later notAfter',
    ],
  ])(
    'is accepted if the change window %s, and says what the cut-over waits for',
    (_, rules, awaited) => {
      expect(decide(ask(), OPEN, { ...SPEC, ...rules }, NOW)).toEqual({
        accepted: true,
        reason: `approval 1 of 1; the cut-over waits for ${awaited}`,
      });
    },
  );
  it('is accepted even if the newest window proved nothing, and says that the final window decides', () => {
    const inconclusive = { ...OPEN, newest: { number: 7, verdict: 'inconclusive' as const } };
    expect(decide(ask(), inconclusive, SPEC, NOW)).toEqual({
      accepted: true,
      reason: 'approval 1 of 1; window 7, the newest, is inconclusive: the final window decides',
    });
  });
  it.each([
    [
      'other evidence',
      ask('ann', 'ev-0'),
      OPEN,
      SPEC,
      'names evidence ev-0, but the current evidence is ev-1',
    ],
    [
      'a time before anything is up for approval',
      ask(),
      { ...OPEN, needsApproval: false, phase: 'validate' as const },
      SPEC,
      'nothing is up for approval in phase validate',
    ],
    ['a time after the commit', ask(), { ...OPEN, committed: true }, SPEC, 'committed'],
    [
      'no named evidence, less than 60 s after the evidence was voided',
      ask('ann', null),
      { ...OPEN, voidedAt: '2026-11-22T11:59:30.000Z' },
      SPEC,
      'voided 30 s ago, which is less than 60 s',
    ],
    [
      'evidence older than allowed',
      ask(),
      { ...OPEN, evidenceAt: '2026-11-20T00:00:00.000Z' },
      SPEC,
      'at most 24h is allowed',
    ],
    [
      'a person who is not an approver',
      ask('eve'),
      OPEN,
      { ...SPEC, approvers: ['ann'] },
      'eve is not one of the approvers ann',
    ],
    [
      'a named approver who did not sign',
      ask('ann'),
      OPEN,
      { ...SPEC, approvers: ['ann'] },
      'unauthenticated: the spec names approvers, so ann must sign',
    ],
    [
      'the starter if the spec excludes them',
      ask('sam'),
      OPEN,
      { ...SPEC, notStarter: true },
      'sam started this migration',
    ],
    [
      'an unknown starter if the spec excludes starters',
      ask(),
      { ...OPEN, starter: null },
      { ...SPEC, notStarter: true },
      'it is not known who started this migration',
    ],
    [
      'the same person twice',
      ask(),
      { ...OPEN, approvals: [approval('ann', 'ev-1')] },
      { ...SPEC, quorum: 2 },
      'ann has approved this evidence already',
    ],
  ])('is refused: %s', (_case, request, state, spec, reason) => {
    const decision = decide(request, state, spec, NOW);
    expect(decision.accepted).toBe(false);
    expect(decision.reason).toContain(reason);
  });
  it('is accepted right after a new epoch has begun if it names the current evidence', () => {
    expect(decide(ask('ann', 'ev-1'), { ...OPEN, voidedAt: NOW }, SPEC, NOW).accepted).toBe(true);
  });
});

describe('a rejection', () => {
  const reject = {
    decision: 'reject' as const,
    approver: 'ann',
    evidenceId: null,
    comment: 'no',
    token: null,
  };
  it('is accepted at any time before the commit', () =>
    expect(
      decide(reject, { ...OPEN, needsApproval: false, phase: 'catch-up' }, SPEC, NOW).accepted,
    ).toBe(true));
  it('is refused without a signature if the spec names approvers', () =>
    expect(decide(reject, OPEN, { ...SPEC, approvers: ['ann'] }, NOW)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('must sign') as string,
    }));
  it('is refused after the commit', () =>
    expect(decide(reject, { ...OPEN, committed: true }, SPEC, NOW).accepted).toBe(false));
});

describe('the gate', () => {
  it('waits for the quorum on the current evidence only', () => {
    const state = { ...OPEN, approvals: [approval('ann', 'ev-0'), approval('bob', 'ev-1')] };
    expect(currentApprovals(state, SPEC, NOW)).toHaveLength(1);
    expect(waitingFor(state, { ...SPEC, quorum: 2 }, NOW)).toBe('approvals (1 of 2 so far)');
    expect(waitingFor(state, SPEC, NOW)).toBeNull();
  });
  it('waits for a new approval if an approval is older than `expires`', () => {
    const early = { ...approval('ann', 'ev-1'), at: '2026-11-21T12:00:00.000Z' };
    const state = { ...OPEN, approvals: [early, approval('bob', 'ev-1')] };
    const two = { ...SPEC, quorum: 2 };
    expect(waitingFor(state, two, NOW)).toBe('approvals (1 of 2 so far)');
    expect(decide(ask('ann'), state, two, NOW)).toEqual({
      accepted: true,
      reason: 'approval 2 of 2',
    });
    expect(waitingFor(state, { ...two, expires: '25h' }, NOW)).toBeNull();
  });
  it('waits for the change window', () => {
    const state = { ...OPEN, approvals: [approval('ann', 'ev-1')] };
    expect(waitingFor(state, { ...SPEC, notBefore: '2026-11-23T00:00:00Z' }, NOW)).toContain(
      'opens at',
    );
    expect(waitingFor(state, { ...SPEC, notAfter: '2026-11-21T00:00:00Z' }, NOW)).toContain(
      'closed at',
    );
  });
});

describe('the decisions that a run keeps', () => {
  it('are all accepted decisions and the newest 50 refusals, in their order', () => {
    const one = (approver: string, accepted: boolean) => ({
      approver,
      decision: 'approve' as const,
      evidenceId: 'ev',
      accepted,
      reason: '',
      authenticated: false,
      at: NOW,
    });
    const flood = Array.from({ length: 300 }, (_, at) => one(`r${at}`, false));
    const kept = remembered([one('ann', true), ...flood, one('bob', true)]);
    expect(kept.map((a) => a.approver)).toEqual([
      'ann',
      ...flood.slice(250).map((a) => a.approver),
      'bob',
    ]);
  });
});
