// Decides whether an approval or a rejection is accepted. The reason of a decision contains the
// numbers that were compared, if there are any. Also decides which approvals count, and whether a
// person may roll back, rehearse or edit.
import { durationMs } from '../values/duration.js';
import type { Approval } from '../evidence/ledger-rows.js';
import type { Phase } from '../migration/phase.js';
import type { ApprovalSpec } from '../migration/spec.js';
import type { VerdictName } from '../evidence/verdict.js';
import type { TokenClaims, Verified } from './signed-decision.js';
import { awaitsFullWindow } from '../evidence/streak.js';

export interface DecisionRequest {
  readonly decision: 'approve' | 'reject';
  readonly approver: string;
  readonly evidenceId: string | null;
  readonly comment: string | null;
  /** The approver's signature (clients/signatures.ts). Null if the person is not authenticated. */
  readonly token: string | null;
}

/** The facts that a token proved about a request. */
export interface Identity {
  readonly authenticated: boolean;
  /** The reason why a token proves nothing. Null if there is no token, or if it is valid. */
  readonly refused: string | null;
}

export const UNSIGNED: Identity = { authenticated: false, refused: null };

/** The fields of a request that must equal the claims of its token. */
export type Claimed = Pick<TokenClaims, 'decision' | 'approver' | 'evidenceId'>;

/**
 * Compares the claims of a valid token with the request that carried it. Also checks that the
 * token's nonce was not used before.
 */
export function identify(
  request: Claimed,
  verified: Verified,
  nonces: readonly string[],
): Identity {
  const refuse = (refused: string): Identity => ({ authenticated: false, refused });
  if (!verified.valid) return refuse(verified.reason);
  const { claims } = verified;
  if (nonces.includes(claims.nonce)) return refuse('the token was used before');
  for (const field of ['decision', 'approver', 'evidenceId'] as const) {
    if (claims[field] !== request[field])
      return refuse(
        `the signature is for ${field} ${claims[field]}, but the request names ${request[field]}`,
      );
  }
  return { authenticated: true, refused: null };
}

export interface GateState {
  readonly phase: Phase | null;
  readonly committed: boolean;
  readonly needsApproval: boolean;
  readonly evidenceId: string | null;
  readonly evidenceAt: string | null;
  /** The time at which a new epoch voided earlier evidence. Null if that has not happened. */
  readonly voidedAt: string | null;
  readonly approvals: readonly Approval[];
  readonly starter: string | null;
  /**
   * The newest window, or null before the first one. A window that neither passed nor failed leaves
   * the evidence valid.
   */
  readonly newest: { readonly number: number; readonly verdict: VerdictName } | null;
  /** The harmless restart after which a full window must still pass. Absent if there is none. */
  readonly restart?: string | null;
}

export interface Decision {
  readonly accepted: boolean;
  readonly reason: string;
}

/**
 * For this time after evidence was voided, an approval must name its evidence. Without the name,
 * the person may have meant the old evidence.
 */
const SETTLE_MS = 60_000;

/**
 * Decides on a request that arrived at `now` (ISO). An accepted rejection ends the migration; an
 * accepted approval counts toward the quorum.
 */
export function decide(
  request: DecisionRequest,
  state: GateState,
  spec: ApprovalSpec,
  now: string,
  identity: Identity = UNSIGNED,
): Decision {
  const refuse = (reason: string): Decision => ({ accepted: false, reason });
  if (identity.refused) return refuse(identity.refused);
  if (spec.approvers.length > 0 && !spec.approvers.includes(request.approver))
    return refuse(notAnApprover(request.approver, spec.approvers));
  if (state.committed)
    return refuse('the cut-over is committed: use rollback to return to the batch');
  const unsigned = unsignedBy(request.approver, spec, identity);
  if (unsigned) return refuse(unsigned);
  if (request.decision === 'reject') return { accepted: true, reason: 'rejected: rolling back' };
  if (!state.needsApproval || !state.evidenceId)
    return refuse(
      `nothing is up for approval in phase ${state.phase ?? 'start'}; wait until the run asks for it (sluice wait ID --for approval)`,
    );
  if (request.evidenceId !== null && request.evidenceId !== state.evidenceId)
    return refuse(
      `the approval names evidence ${request.evidenceId}, but the current evidence is ${state.evidenceId}`,
    );
  if (request.evidenceId === null && state.voidedAt !== null) {
    const since = Date.parse(now) - Date.parse(state.voidedAt);
    if (since < SETTLE_MS)
      return refuse(
        `the evidence was voided ${Math.round(since / 1000)} s ago, which is less than 60 s; look at the new evidence and name it (${state.evidenceId}) in the approval`,
      );
  }
  if (spec.notStarter && (state.starter === null || state.starter === request.approver)) {
    return refuse(
      state.starter === null
        ? 'notStarter: it is not known who started this migration'
        : `notStarter: ${request.approver} started this migration`,
    );
  }
  const age = state.evidenceAt === null ? Infinity : Date.parse(now) - Date.parse(state.evidenceAt);
  if (age > durationMs(spec.evidenceMaxAge))
    return refuse(
      `the evidence is ${Math.round(age / 1000)} s old, and at most ${spec.evidenceMaxAge} is allowed`,
    );
  const standing = currentApprovals(state, spec, now);
  if (standing.some((a) => a.approver === request.approver))
    return refuse(`${request.approver} has approved this evidence already`);
  const { newest, restart } = state;
  const owed = restart ? `; ${awaitsFullWindow(restart)} before it counts` : '';
  const unproven =
    newest && newest.verdict !== 'passed'
      ? `; window ${newest.number}, the newest, is ${newest.verdict}: the final window decides`
      : '';
  return {
    accepted: true,
    reason: `approval ${standing.length + 1} of ${spec.quorum}${unproven}${owed}${outsideOf(spec, now)}`,
  };
}

/** Returns a note if the cut-over has to wait for its change window after the approval. */
function outsideOf(spec: ApprovalSpec, now: string): string {
  const awaited = awaitedWindow(spec, now);
  if (awaited === null) return '';
  const expiresAt = Date.parse(now) + durationMs(spec.expires);
  const isTooEarly = spec.notBefore !== null && expiresAt <= Date.parse(spec.notBefore);
  const expiry = isTooEarly ? `; the approval expires before that, after ${spec.expires}` : '';
  return `; the cut-over waits for ${awaited}${expiry}`;
}

/**
 * Returns why this person must not roll back, rehearse or edit. Null if this is allowed. If the
 * spec names approvers, only they may act, and only with their signature.
 */
export function refusedToAct(
  who: string,
  approvers: readonly string[],
  identity: Identity,
): string | null {
  if (identity.refused) return identity.refused;
  if (approvers.length > 0 && !approvers.includes(who)) return notAnApprover(who, approvers);
  return unsignedBy(who, { approvers }, identity);
}

const notAnApprover = (who: string, approvers: readonly string[]): string =>
  `${who} is not one of the approvers ${approvers.join(', ')}`;

function unsignedBy(
  who: string,
  spec: Pick<ApprovalSpec, 'approvers'>,
  identity: Identity,
): string | null {
  if (spec.approvers.length === 0 || identity.authenticated) return null;
  return `unauthenticated: the spec names approvers, so ${who} must sign (--key FILE)`;
}

/** The part of the state that decides whether an approval counts. */
type Counting = Pick<GateState, 'approvals' | 'evidenceId' | 'starter'>;

/**
 * Returns the accepted approvals that name the current evidence and still count under `spec`. An
 * expired approval does not count. An approval that was possible only because the glass was broken
 * counts until the hour of the broken glass ends.
 */
export function currentApprovals(
  state: Counting,
  spec: Pick<ApprovalSpec, 'approvers' | 'notStarter' | 'expires'>,
  now: string,
): readonly Approval[] {
  const counts = ({ approver, at }: Approval): boolean =>
    Date.parse(now) - Date.parse(at) < durationMs(spec.expires) &&
    (spec.approvers.length === 0 || spec.approvers.includes(approver)) &&
    !(spec.notStarter && approver === state.starter);
  return state.approvals.filter(
    (a) =>
      a.accepted &&
      a.decision === 'approve' &&
      a.evidenceId !== null &&
      a.evidenceId === state.evidenceId &&
      counts(a),
  );
}

const REFUSED_AT_MOST = 50;

/**
 * Returns every accepted decision and the newest refusals, so that a flood of signals cannot bloat
 * workflow state. The audit has all of them.
 */
export function remembered(approvals: readonly Approval[]): Approval[] {
  const refused = approvals.filter((a) => !a.accepted);
  const forgotten = new Set(refused.slice(0, Math.max(0, refused.length - REFUSED_AT_MOST)));
  return approvals.filter((a) => !forgotten.has(a));
}

/** Returns what the cut-over waits for, as a phrase, or null if it may begin. */
export function waitingFor(state: GateState, spec: ApprovalSpec, now: string): string | null {
  const have = currentApprovals(state, spec, now).length;
  if (have < spec.quorum) return `approvals (${have} of ${spec.quorum} so far)`;
  return awaitedWindow(spec, now);
}

/** Returns the change window that the cut-over waits for. Null if it need not wait for one. */
function awaitedWindow({ notBefore, notAfter }: ApprovalSpec, now: string): string | null {
  if (notBefore !== null && Date.parse(now) < Date.parse(notBefore))
    return `the change window, which opens at ${notBefore}`;
  if (notAfter !== null && Date.parse(now) > Date.parse(notAfter))
    return `a change window: the last one closed at ${notAfter}, and sluice edit can set a later notAfter`;
  return null;
}
