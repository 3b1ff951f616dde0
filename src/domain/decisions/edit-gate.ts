// Decides whether a person may change the spec of a running migration. If the spec names approvers,
// a change of the approval rules or of `maxHold` needs as many signatures as the `quorum` before
// the change. Any other change then needs one signature.
import type { Decision, Identity } from './gate.js';
import { refusedToAct } from './gate.js';
import type { ApprovalSpec, MigrationSpec } from '../migration/spec.js';
import { durationMs } from '../values/duration.js';
import { describeEdit, specEdit, type SpecEdit } from './spec-changes.js';

export interface EditRequest {
  readonly by: string;
  readonly reason: string;
  /** Temporal's first run id, as the person saw it. The edit applies only to this run. */
  readonly run: string;
  /** The plan hash that the person saw. The edit applies only to this plan. */
  readonly base: string;
  readonly spec: unknown;
  readonly token: string | null;
}

/** An accepted edit that waits for more signatures. */
export interface PendingEdit {
  /** The plan hash of the wanted spec. */
  readonly wanted: string;
  readonly by: readonly string[];
  readonly at: string;
}

export interface EditState {
  readonly run: string;
  readonly planHash: string;
  readonly spec: MigrationSpec;
  readonly isCommitted: boolean;
  /**
   * The reason why edits are refused now, for example that a cut-over is under way. Null if
   * edits are allowed.
   */
  readonly closed: string | null;
  readonly pending: PendingEdit | null;
}

export interface EditDecision extends Decision {
  readonly edit: SpecEdit | null;
  /** True if the edit takes effect now. */
  readonly applies: boolean;
  /** The edit that waits for signatures after this decision. */
  readonly pending: PendingEdit | null;
}

/** The other signatures of an edit must follow the first one within this time. */
const SIGNED_WITHIN = '1h';

/** The text that a signature names, so that the signature is valid for this spec only. */
export const signedEdit = (wanted: string): string => `spec-${wanted}`;

/**
 * Decides whether `wanted` may replace the spec of the run. `hash` is the plan hash of `wanted`.
 * `now` is an ISO time.
 */
export function decideEdit(
  request: Pick<EditRequest, 'by' | 'run' | 'base'>,
  wanted: MigrationSpec,
  hash: string,
  state: EditState,
  now: string,
  identity: Identity,
): EditDecision {
  const standing = stillPending(state.pending, now);
  const refuse = (reason: string, edit: SpecEdit | null = null): EditDecision => ({
    accepted: false,
    reason,
    edit,
    applies: false,
    pending: standing,
  });
  const { approval } = state.spec.spec.cutover;
  if (request.run !== state.run)
    return refuse(`the edit is for run ${request.run}, but the current run is ${state.run}`);
  if (request.base !== state.planHash)
    return refuse(
      `the spec has changed since you read it: you read plan ${request.base}, but the current plan is ${state.planHash}; run sluice edit again`,
    );
  if (state.closed) return refuse(state.closed);
  const edit = specEdit(state.spec, wanted, state);
  if (edit.refused.length > 0)
    return refuse(
      edit.refused.map(({ path, reason, remedy }) => `${path}: ${reason} (${remedy})`).join('; '),
      edit,
    );
  const unsigned = refusedToAct(request.by, approval.approvers, identity);
  if (unsigned) return refuse(unsigned, edit);
  if (edit.changes.length === 0)
    return { ...refuse('nothing changes', edit), accepted: true, pending: standing };
  if (standing && standing.wanted !== hash)
    return refuse(
      `another edit by ${standing.by.join(' and ')} waits for signatures until ${until(standing)}; sign that edit, or wait`,
      edit,
    );
  if (standing?.by.includes(request.by))
    return refuse(`${request.by} has signed this edit already`, edit);
  return signed(request.by, hash, edit, standing, approval, now);
}

function signed(
  by: string,
  wanted: string,
  edit: SpecEdit,
  standing: PendingEdit | null,
  { approvers, quorum }: ApprovalSpec,
  now: string,
): EditDecision {
  const signers = [...(standing?.by ?? []), by];
  const needed = edit.changesGate && approvers.length > 0 ? quorum : 1;
  const what = edit.changes.map(describeEdit).join('; ');
  if (signers.length >= needed)
    return { accepted: true, reason: what, edit, applies: true, pending: null };
  const pending = { wanted, by: signers, at: standing?.at ?? now };
  return {
    accepted: true,
    reason: `signature ${signers.length} of ${needed}; a change of the approval's rules or of maxHold needs ${needed} signatures. Sign the same file until ${until(pending)}: ${what}`,
    edit,
    applies: false,
    pending,
  };
}

const until = ({ at }: PendingEdit): string =>
  new Date(Date.parse(at) + durationMs(SIGNED_WITHIN)).toISOString();

const stillPending = (pending: PendingEdit | null, now: string): PendingEdit | null =>
  pending !== null && until(pending) > now ? pending : null;
