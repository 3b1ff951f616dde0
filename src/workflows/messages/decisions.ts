// Handles each decision when it arrives. The handler checks the signature, if there is one, and
// asks the gate. Then it carries out an accepted decision. It also records every refused decision,
// except while the migration is still starting.
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import {
  breakGlass,
  coSign,
  rulesFor,
  signersUnder,
  type CoSignRequest,
} from '../../domain/decisions/cosign.js';
import {
  UNSIGNED,
  decide as judge,
  identify,
  refusedToAct,
  remembered,
  type Claimed,
  type Decision,
  type DecisionRequest,
  type Identity,
} from '../../domain/decisions/gate.js';
import { approversIn } from '../../domain/decisions/message-payloads.js';
import type { SignedFor } from '../../domain/decisions/signed-decision.js';
import { call } from '../call.js';
import { requestWayBack } from '../run/requests.js';
import type { Run } from '../run/run.js';
import { evidenceId, gateState } from '../run/gate-state.js';

// The status shows only this many characters of a comment. The audit has the whole comment.
const SHOWN_LENGTH = 500;

/**
 * Handles a decision. A decision without a token is answered at once, because no signature has to
 * be checked.
 */
export function takeDecision(run: Run, request: DecisionRequest): Decision | Promise<Decision> {
  return request.token === null
    ? decide(run, request, UNSIGNED)
    : identityOf(run, request, request.token).then((identity) => decide(run, request, identity));
}

const signedFor = (run: Run): SignedFor => ({
  namespace: workflowInfo().namespace,
  workflowId: workflowInfo().workflowId,
  run: run.state.runKey,
});

/** Returns the approvers that the spec names. Before the spec was read, looks into the input. */
export const namedApprovers = ({ state, input }: Run): readonly string[] =>
  state.spec ? state.spec.spec.cutover.approval.approvers : approversIn(input);

/**
 * Returns why this person must not roll back or rehearse. Returns null if they may. If the spec
 * names approvers, the request needs the signature of one of them, or of one of the two people who
 * broke the glass.
 */
export async function refusedUnsigned(
  run: Run,
  decision: 'rollback' | 'rehearse',
  by: string,
  token: string | null,
): Promise<string | null> {
  // a rollback does not depend on evidence
  const evidence = decision === 'rehearse' ? evidenceId(run.state) : null;
  const identity =
    token === null
      ? UNSIGNED
      : await identityOf(run, { decision, approver: by, evidenceId: evidence }, token);
  const { spec, brokenGlass } = run.state;
  const signers = spec
    ? signersUnder(brokenGlass, run.spec.cutover.approval, run.now())
    : namedApprovers(run);
  return refusedToAct(by, signers, identity);
}

/**
 * Asks the worker to check the token, because the worker has the keys. Passes the workflow's time,
 * because the clock of a worker may be wrong. Remembers the token, so that it counts only once.
 */
export async function identityOf(run: Run, request: Claimed, token: string): Promise<Identity> {
  const { state } = run;
  const verified = await CancellationScope.nonCancellable(() =>
    call(
      'quick',
      'verifyToken',
      `Check the signature of ${request.approver}`,
      token,
      signedFor(run),
      run.now(),
    ),
  );
  const identity = identify(request, verified, state.nonces);
  if (identity.authenticated && verified.valid)
    state.nonces = [...state.nonces, verified.claims.nonce];
  return identity;
}

function decide(run: Run, request: DecisionRequest, identity: Identity): Decision {
  const { state } = run;
  if (!state.spec)
    return {
      accepted: false,
      reason: 'the migration is still starting; try again in a few seconds',
    };
  const current = evidenceId(state);
  const now = run.now();
  const rules = rulesFor(request.decision, state.brokenGlass, run.spec.cutover.approval, now);
  const decision = judge(request, gateState(state), rules, now, identity);
  const { approver, comment } = request;
  const taken = {
    approver,
    decision: request.decision,
    evidenceId: request.evidenceId ?? (decision.accepted ? current : null),
    accepted: decision.accepted,
    reason: decision.reason,
    authenticated: identity.authenticated,
    at: run.now(),
    ...(comment ? { comment: comment.slice(0, SHOWN_LENGTH) } : {}),
  };
  state.approvals = remembered([...state.approvals, taken]);
  run.audit({
    kind: request.decision,
    by: approver,
    authenticated: identity.authenticated,
    accepted: decision.accepted,
    reason: decision.reason,
    comment: comment || null,
  });
  // a new approval allows the next attempt at once
  if (decision.accepted && request.decision === 'approve') state.nextAttemptAt = null;
  if (decision.accepted && request.decision === 'reject')
    requestWayBack(run, { outcome: 'rejected', by: approver, reason: comment ?? 'rejected' });
  run.show();
  return decision;
}

/**
 * Takes one of the two co-signatures for an early `complete` or for `break-glass`. Records the
 * co-signature even if it is refused, except while the migration is still starting.
 */
export async function takeCoSignature(run: Run, request: CoSignRequest): Promise<Decision> {
  const { decision, approver, token } = request;
  const identity =
    token === null
      ? UNSIGNED
      : await identityOf(run, { decision, approver, evidenceId: evidenceId(run.state) }, token);
  const { state } = run;
  if (!state.spec)
    return {
      accepted: false,
      reason: 'the migration is still starting; try again in a few seconds',
    };
  const signatures = state.coSignatures;
  const standing = { phase: state.phase, committed: state.committedAt !== null, signatures };
  const { accepted, reason, signature, pair } = coSign(
    request,
    standing,
    run.spec.cutover.approval,
    run.now(),
    identity,
  );
  run.audit({
    kind: decision,
    by: approver,
    authenticated: identity.authenticated,
    accepted,
    reason,
    comment: request.reason,
  });
  if (signature) state.coSignatures = [...signatures, signature];
  if (pair && decision === 'complete-early') state.completesEarly = true;
  if (pair && decision === 'break-glass') {
    state.brokenGlass = breakGlass(pair, run.now());
    run.audit({ kind: 'glass-broken', ...state.brokenGlass });
  }
  run.show();
  return { accepted, reason };
}
