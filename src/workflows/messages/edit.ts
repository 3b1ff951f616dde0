// Takes an edit of the running migration's spec. An activity parses the new spec, because workflow
// code has no parser. There is no await between the decision and its effect, so the state on which
// the decision depends cannot change before the edit takes effect.
import {
  decideEdit,
  signedEdit,
  type EditDecision,
  type EditRequest,
  type EditState,
} from '../../domain/decisions/edit-gate.js';
import { describeEdit, type SpecEdit } from '../../domain/decisions/spec-changes.js';
import { UNSIGNED, type Decision } from '../../domain/decisions/gate.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { workflowInfo } from '@temporalio/workflow';
import { call } from '../call.js';
import { identityOf } from './decisions.js';
import type { Run } from '../run/run.js';

/**
 * Handles the update editSpec. The audit gets every answer except two: a refusal while the
 * migration is still starting, and an accepted edit that changes nothing.
 */
export async function takeEdit(run: Run, request: EditRequest): Promise<Decision> {
  const { state } = run;
  if (!state.spec)
    return {
      accepted: false,
      reason: 'the migration is still starting; try again in a few seconds',
    };
  const read = await call('quick', 'readEdit', `Check the spec that ${request.by} wants`, {
    input: request.spec,
    workflowId: workflowInfo().workflowId,
  });
  if (read.refused !== null) return record(run, request, refusal(read.refused), false);
  const { spec, planHash } = read;
  const claimed = {
    decision: 'edit' as const,
    approver: request.by,
    evidenceId: signedEdit(planHash),
  };
  const identity =
    request.token === null ? UNSIGNED : await identityOf(run, claimed, request.token);
  // The code below has no await, so nothing can change between the decision and its effect.
  const decision = decideEdit(request, spec, planHash, editState(run), run.now(), identity);
  state.pendingEdit = decision.pending;
  if (decision.applies) apply(run, spec, planHash, decision.edit!);
  const answer = record(run, request, decision, identity.authenticated);
  if (decision.applies) await run.flush();
  return answer;
}

const refusal = (reason: string): Pick<EditDecision, 'accepted' | 'reason' | 'edit'> => ({
  accepted: false,
  reason,
  edit: null,
});

function editState(run: Run): EditState {
  const { state } = run;
  return {
    run: state.runKey,
    planHash: state.planHash,
    spec: state.spec!,
    isCommitted: state.committedAt !== null,
    closed: closedFor(run),
    pending: state.pendingEdit,
  };
}

/** Returns why no edit is possible now, or null. */
function closedFor(run: Run): string | null {
  const { state } = run;
  if (state.outcome !== null) return `the migration has ended: ${state.outcome}`;
  if (state.wayBack !== null) return 'the migration is being rolled back';
  if (run.isHolding)
    return 'a cut-over is under way; edit again after it is committed or has ended without a commit';
  return run.isBehind('soak') ? 'the soak is over, and the batch is being retired' : null;
}

/**
 * Puts the new spec into effect, and ends the wait for the next window, so that the new rules apply
 * at once.
 */
function apply(run: Run, spec: MigrationSpec, planHash: string, edit: SpecEdit): void {
  const { state } = run;
  state.spec = spec;
  state.planHash = planHash;
  if (edit.evidence.length > 0) {
    state.evidenceEdits += 1;
    run.newEpoch(`edited: ${edit.changes.map(describeEdit).join('; ')}`);
    run.withdrawEvidence();
    state.done = state.done.filter((p) => p !== 'validate' && p !== 'approve');
  }
  if (state.phase === 'prepare') run.retry(); // the edit may add the waiver that was missing
  run.renewGuard();
  run.wake();
}

function record(
  run: Run,
  { by, reason: comment }: EditRequest,
  { accepted, reason, edit }: Pick<EditDecision, 'accepted' | 'reason' | 'edit'>,
  authenticated: boolean,
): Decision {
  const isVoid = accepted && (edit?.changes.length ?? 0) === 0;
  if (!isVoid) run.audit({ kind: 'edit', by, authenticated, accepted, reason, comment });
  run.show();
  return { accepted, reason };
}
