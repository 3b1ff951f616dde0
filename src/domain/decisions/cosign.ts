// Decides whether two people have agreed to end the soak early, or to "break the glass", which
// relaxes the approval rules for one hour. Each answer contains its reason. Also defines the
// approval rules that apply during this hour.
import { durationMs } from '../values/duration.js';
import type { Decision, Identity } from './gate.js';
import type { Phase } from '../migration/phase.js';
import type { ApprovalSpec } from '../migration/spec.js';
import type { CoSigned } from './signed-decision.js';

export interface CoSignRequest {
  readonly decision: CoSigned;
  readonly approver: string;
  readonly reason: string;
  readonly token: string | null;
}

/** One of the two signatures. */
export interface CoSignature {
  readonly decision: CoSigned;
  readonly by: string;
  readonly reason: string;
  readonly authenticated: boolean;
  readonly at: string;
}

/**
 * Broken glass: two people agreed to relax the gate for one hour. The cut-over may then begin
 * outside its change window and on older evidence, after an approval by one of the two people. The
 * run keeps this record permanently.
 */
export interface BrokenGlass {
  readonly by: readonly string[];
  readonly reason: string;
  readonly until: string;
}

export interface CoSignState {
  readonly phase: Phase | null;
  readonly committed: boolean;
  readonly signatures: readonly CoSignature[];
}

const SECOND = '1h'; // the second signature must follow the first one within this time
const BROKEN = '1h'; // the approval rules are relaxed for this time

export interface CoSignDecision extends Decision {
  /** The signature to keep. Null if the request was refused. */
  readonly signature: CoSignature | null;
  /** Both signatures, after the second one was accepted. */
  readonly pair: readonly CoSignature[] | null;
}

/** Decides on a request that arrived at `now` (ISO). */
export function coSign(
  request: CoSignRequest,
  state: CoSignState,
  approval: Pick<ApprovalSpec, 'approvers'>,
  now: string,
  identity: Identity,
): CoSignDecision {
  const { decision, approver, reason } = request;
  const refuse = (why: string) => ({ accepted: false, reason: why, signature: null, pair: null });
  if (identity.refused) return refuse(identity.refused);
  const misplaced = decision === 'break-glass' ? beforeTheCommit(state) : inTheSoak(state);
  if (misplaced) return refuse(misplaced);
  if (decision === 'break-glass' && !identity.authenticated)
    return refuse(
      `unauthenticated: a person who breaks the glass must sign (sluice break-glass --key FILE, with a key that has the role break-glass)`,
    );
  if (decision === 'complete-early' && approval.approvers.length > 0) {
    if (!approval.approvers.includes(approver))
      return refuse(`${approver} is not one of the approvers ${approval.approvers.join(', ')}`);
    if (!identity.authenticated)
      return refuse(
        `unauthenticated: the spec names approvers, so ${approver} must sign (sluice complete --key FILE)`,
      );
  }
  const mine: CoSignature = {
    decision,
    by: approver,
    reason,
    authenticated: identity.authenticated,
    at: now,
  };
  const standing = state.signatures.filter(
    (s) => s.decision === decision && Date.parse(now) - Date.parse(s.at) < durationMs(SECOND),
  );
  if (standing.some((s) => s.by === approver))
    return refuse(`${approver} has signed already; a second person must sign within ${SECOND}`);
  const first = standing.at(-1);
  if (!first)
    return {
      accepted: true,
      reason: `1 of 2 signatures; a second person must sign within ${SECOND}`,
      signature: mine,
      pair: null,
    };
  return {
    accepted: true,
    reason: `2 of 2 signatures: ${first.by} and ${approver}`,
    signature: mine,
    pair: [first, mine],
  };
}

const beforeTheCommit = ({ committed }: CoSignState): string | null =>
  committed ? 'the cut-over is committed, so there is no longer a gate' : null;
const inTheSoak = ({ phase }: CoSignState): string | null =>
  phase === 'soak' ? null : `only a soak can end early, and the phase is ${phase ?? 'start'}`;

export function breakGlass(pair: readonly CoSignature[], now: string): BrokenGlass {
  return {
    by: pair.map((s) => s.by),
    reason: pair.map((s) => `${s.by}: ${s.reason}`).join('; '),
    until: new Date(Date.parse(now) + durationMs(BROKEN)).toISOString(),
  };
}

/**
 * Returns the approval rules in force. While the glass is broken, one approval by a person who
 * broke it is enough. It counts at any time, and on evidence of any age. It still counts only for
 * the current evidence.
 */
export function approvalUnder(
  glass: BrokenGlass | null,
  approval: ApprovalSpec,
  now: string,
): ApprovalSpec {
  if (!glass || Date.parse(now) >= Date.parse(glass.until)) return approval;
  return {
    ...approval,
    quorum: 1,
    approvers: glass.by,
    notStarter: false,
    evidenceMaxAge: '36500d',
    notBefore: null,
    notAfter: null,
  };
}

/**
 * Returns the milliseconds until the change window opens, or until the hour of the broken glass
 * ends, whichever comes first. Infinity if neither is still to come.
 */
export function rulesChangeIn(
  glass: BrokenGlass | null,
  { notBefore }: Pick<ApprovalSpec, 'notBefore'>,
  now: string,
): number {
  const left = [glass?.until ?? null, notBefore].map((at) =>
    at === null ? 0 : Date.parse(at) - Date.parse(now),
  );
  return Math.min(...left.filter((ms) => ms > 0), Infinity);
}

/**
 * Returns the names of the people who may sign a rollback, a rejection or a rehearsal. These are
 * the spec's approvers and, during the hour of the broken glass, those who broke it. Empty if the
 * spec names no approvers, because no signature is needed then.
 */
export function signersUnder(
  glass: BrokenGlass | null,
  approval: ApprovalSpec,
  now: string,
): readonly string[] {
  if (approval.approvers.length === 0) return [];
  return [...new Set([...approval.approvers, ...approvalUnder(glass, approval, now).approvers])];
}

/**
 * Returns the rules for a decision. While the glass is broken, only the people who broke it may
 * approve. A rejection may come from them or from the spec's approvers, or from any person if the
 * spec names no approvers.
 */
export function rulesFor(
  decision: 'approve' | 'reject',
  glass: BrokenGlass | null,
  approval: ApprovalSpec,
  now: string,
): ApprovalSpec {
  const rules = approvalUnder(glass, approval, now);
  if (decision === 'approve') return rules;
  return { ...rules, approvers: signersUnder(glass, approval, now) };
}

/** Returns the note about the broken glass that readers of the evidence see. */
export const glassNote = ({ by, reason, until }: BrokenGlass): string =>
  `the glass was broken by ${by.join(' and ')}, until ${until} (${reason})`;
