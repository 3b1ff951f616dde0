// Decisions as they arrive: who it is (a signature, where there is one), what the gate says, what follows. Every one is recorded, accepted or not.
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import {
  approvalUnder,
  breakGlass,
  coSign,
  glassNote,
  signersUnder,
  type CoSignRequest,
} from '../domain/decisions/cosign.js';
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
} from '../domain/decisions/gate.js';
import type { SignedFor } from '../domain/decisions/signed-decision.js';
import { call } from './call.js';
import type { Run } from './run/run.js';
import { evidenceId, gateState, starterOf } from './run/status-view.js';

/** Answers at once without a token: nothing has to be asked then. */
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

/** Returns why this person may not roll back or rehearse, or null. Where the spec names approvers, one of them must sign. */
export async function refusedUnsigned(
  run: Run,
  decision: 'rollback' | 'rehearse',
  by: string,
  token: string | null,
): Promise<string | null> {
  const evidence = decision === 'rehearse' ? evidenceId(run.state) : null; // the way back is from whatever evidence there is
  const identity =
    token === null
      ? UNSIGNED
      : await identityOf(run, { decision, approver: by, evidenceId: evidence }, token);
  const { spec, brokenGlass } = run.state;
  const signers = spec ? signersUnder(brokenGlass, run.spec.cutover.approval, run.now()) : [];
  return refusedToAct(by, signers, identity);
}

/** The worker has the keys; the workflow remembers which tokens were used. */
async function identityOf(run: Run, request: Claimed, token: string): Promise<Identity> {
  const { state } = run;
  const verified = await CancellationScope.nonCancellable(() =>
    call(
      'quick',
      'verifyToken',
      `Check the signature of ${request.approver}`,
      token,
      signedFor(run),
    ),
  );
  const identity = identify(request, verified, state.nonces);
  if (identity.authenticated && verified.valid)
    state.nonces = [...state.nonces, verified.claims.nonce];
  return identity;
}

function decide(run: Run, request: DecisionRequest, identity: Identity): Decision {
  const { state } = run;
  if (!state.spec) return { accepted: false, reason: 'the migration is not open yet' };
  const current = evidenceId(state);
  const approval = approvalUnder(state.brokenGlass, run.spec.cutover.approval, run.now());
  const decision = judge(request, gateState(state, starterOf()), approval, run.now(), identity);
  const { approver, comment } = request;
  const taken = {
    approver,
    decision: request.decision,
    evidenceId: request.evidenceId ?? (decision.accepted ? current : null),
    accepted: decision.accepted,
    reason: decision.reason,
    authenticated: identity.authenticated,
    at: run.now(),
    ...(comment ? { comment } : {}),
  };
  state.approvals = remembered([...state.approvals, taken]);
  const who = `${approver}${identity.authenticated ? '' : ' (unauthenticated)'}`;
  run.audit(
    request.decision,
    `${who}: ${decision.accepted ? 'accepted' : 'refused'}, ${decision.reason}${comment ? ` (${comment})` : ''}`,
  );
  if (decision.accepted && request.decision === 'approve') state.nextAttemptAt = null; // a person says: now
  if (decision.accepted && request.decision === 'reject')
    run.requestWayBack({ outcome: 'rejected', by: approver, reason: comment ?? 'rejected' });
  run.show();
  return decision;
}

/** One of the two people that ending the soak early, or breaking the glass, needs. Recorded, accepted or not. */
export async function takeCoSignature(run: Run, request: CoSignRequest): Promise<Decision> {
  const { decision, approver, token } = request;
  const identity =
    token === null
      ? UNSIGNED
      : await identityOf(run, { decision, approver, evidenceId: evidenceId(run.state) }, token);
  const { state } = run;
  if (!state.spec) return { accepted: false, reason: 'the migration is not open yet' };
  const signatures = state.coSignatures;
  const standing = { phase: state.phase, committed: state.committedAt !== null, signatures };
  const { accepted, reason, signature, pair } = coSign(
    request,
    standing,
    run.spec.cutover.approval,
    run.now(),
    identity,
  );
  const who = `${approver}${identity.authenticated ? '' : ' (unauthenticated)'}`;
  run.audit(
    decision,
    `${who}: ${accepted ? 'accepted' : 'refused'}, ${reason} (${request.reason})`,
  );
  if (signature) state.coSignatures = [...signatures, signature];
  if (pair && decision === 'complete-early') state.completesEarly = true;
  if (pair && decision === 'break-glass') {
    state.brokenGlass = breakGlass(pair, run.now());
    run.audit('glass-broken', glassNote(state.brokenGlass));
  }
  run.show();
  return { accepted, reason };
}
