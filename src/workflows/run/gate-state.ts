// Asks the gate of domain/decisions about the state of a run.
import { workflowInfo } from '@temporalio/workflow';
import { approvalUnder } from '../../domain/decisions/cosign.js';
import { currentApprovals, waitingFor, type GateState } from '../../domain/decisions/gate.js';
import { evidenceIdOf } from '../../domain/evidence/epoch.js';
import type { ApprovalSpec } from '../../domain/migration/spec.js';
import type { State } from './state.js';

/**
 * Returns the evidence's id while the evidence is up for approval or was approved. Otherwise,
 * returns null.
 */
export function evidenceId(state: State): string | null {
  return state.needsApproval || state.phase === 'cut-over' || state.committedAt
    ? evidenceIdOf(state.iteration, state.epoch, state.evidencePlan)
    : null;
}

export function gateState(state: State): GateState {
  return {
    phase: state.phase,
    committed: state.committedAt !== null,
    needsApproval: state.needsApproval,
    evidenceId: evidenceId(state),
    evidenceAt: state.evidenceAt,
    voidedAt: state.voidedAt,
    approvals: state.approvals,
    starter: starterOf(),
    newest: state.lastWindow,
    restart: state.restart,
  };
}

/**
 * Returns the name of the person who started the run, which Sluice's CLI records. Returns null if
 * the run was started with the plain `temporal` command.
 */
function starterOf(): string | null {
  const starter = workflowInfo().memo?.['starter'];
  return typeof starter === 'string' ? starter : null;
}

/** Returns the approval rules in force at `now` (ISO). The spec MUST be known. */
const rulesOf = (state: State, now: string): ApprovalSpec =>
  approvalUnder(state.brokenGlass, state.spec!.spec.cutover.approval, now);

/** Returns why the cut-over must not begin at `now` (ISO), or null if it may begin. */
export const gateWaitsFor = (state: State, now: string): string | null =>
  waitingFor(gateState(state), rulesOf(state, now), now);

/** Returns how many approvals count at `now` (ISO), and how many are needed. */
export function quorumOf(state: State, now: string): { have: number; needed: number } {
  const rules = rulesOf(state, now);
  const { length } = currentApprovals(gateState(state), rules, now);
  return { have: length, needed: rules.quorum };
}
