// Registers the signals, updates and queries of a run. Other tools rely on them. A handler changes
// the state of the run, and the main path then acts on the change. A signal with a bad payload is
// recorded in the audit, and otherwise ignored; its handler does not throw.
import type { UpdateDefinition } from '@temporalio/common';
import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import {
  checkAskedWindow,
  checkBy,
  checkCoSign,
  checkDecision,
  checkEdit,
  checkExtension,
  checkRollBack,
  checkUpdate,
} from '../../domain/decisions/message-payloads.js';
import type { Decision } from '../../domain/decisions/gate.js';
import { auditLine, type AuditLine } from '../../domain/audit.js';
import type { OrReason } from '../../domain/values/or-reason.js';
import type {
  Rehearsed,
  SpecShown,
  Status,
  WindowAnswer,
} from '../../domain/evidence/ledger-rows.js';
import { askForWindow } from '../windows/asked-window.js';
import { takeEdit } from './edit.js';
import { namedApprovers, refusedUnsigned, takeCoSignature, takeDecision } from './decisions.js';
import { askForRehearsal } from '../cutover/rehearsal.js';
import { extendSoak, requestRetry, requestWayBack, setPaused } from '../run/requests.js';
import type { Run } from '../run/run.js';

export const approveCutoverSignal = defineSignal<[unknown]>('approveCutover');
export const rejectCutoverSignal = defineSignal<[unknown]>('rejectCutover');
export const pauseSignal = defineSignal('pause');
export const resumeSignal = defineSignal('resume');
export const retrySignal = defineSignal('retry');
export const rollBackSignal = defineSignal<[unknown]>('rollBack');
export const extendSoakSignal = defineSignal<[unknown]>('extendSoak');
export const decideCutoverUpdate = defineUpdate<Decision, [unknown]>('decideCutover');
export const coSignUpdate = defineUpdate<Decision, [unknown]>('coSign');
export const rehearseCutoverUpdate = defineUpdate<Rehearsed, [unknown]>('rehearseCutover');
export const editSpecUpdate = defineUpdate<Decision, [unknown]>('editSpec');
export const runWindowUpdate = defineUpdate<WindowAnswer, [unknown]>('runWindow');
export const statusQuery = defineQuery<Status>('status');
export const explainQuery = defineQuery<string>('explain');
export const specQuery = defineQuery<SpecShown>('spec');
export const evidenceQuery = defineQuery<unknown>('evidence');
export const auditQuery = defineQuery<readonly AuditLine[]>('audit');

/**
 * Registers the message handlers and starts to copy status and audit to the ledger. MUST be called
 * before the first await, so that no message is lost.
 */
export function registerMessages(run: Run): void {
  void run.mirror();
  setHandler(approveCutoverSignal, (payload) => onDecision(run, payload, 'approve'), {
    description: 'Approve the current evidence: {"approver": "you", "evidenceId": "ev-…"}',
  });
  setHandler(rejectCutoverSignal, (payload) => onDecision(run, payload, 'reject'), {
    description: 'Reject and roll back: {"approver": "you", "reason": "why"}',
  });
  setHandler(pauseSignal, () => setPaused(run, true), {
    description: 'Begin no new step (connector and guard continue)',
  });
  setHandler(resumeSignal, () => setPaused(run, false), { description: 'Continue after a pause' });
  setHandler(retrySignal, () => requestRetry(run), { description: 'Try the blocked step again' });
  setHandler(rollBackSignal, (payload) => onRollBack(run, payload), {
    description:
      'Roll back to the batch, in any phase before complete: {"by": "you", "reason": "why"}',
  });
  setHandler(extendSoakSignal, (payload) => onExtension(run, payload), {
    description: 'Soak at least this long from now on: {"by": "you", "for": "2h"}',
  });
  onUpdate(decideCutoverUpdate, checkUpdate, (request) => takeDecision(run, request), {
    description:
      'Approve or reject with an answer: {"decision": "approve", "approver": "you", "evidenceId": "ev-…"}',
  });
  onUpdate(coSignUpdate, checkCoSign, (request) => takeCoSignature(run, request), {
    description:
      'Sign a decision that needs two people: {"decision": "complete-early" or "break-glass", "approver": "you", "reason": "why"}',
  });
  onUpdate(
    rehearseCutoverUpdate,
    checkBy,
    async ({ by, token }) => {
      const refused = await refusedUnsigned(run, 'rehearse', by, token);
      if (refused === null) return askForRehearsal(run, by);
      run.audit({ kind: 'ignored', message: 'rehearsal', by, reason: refused });
      return { refused, holdMs: null };
    },
    {
      description: 'Rehearse the cut-over up to the commit, then release: {"by": "you"}',
    },
  );
  onUpdate(editSpecUpdate, checkEdit, (request) => takeEdit(run, request), {
    description:
      'Change the spec: {"by": "you", "reason": "why", "run": "…", "base": "…", "spec": {}}',
  });
  onUpdate(runWindowUpdate, checkAskedWindow, (asked) => askForWindow(run, asked), {
    description: 'Run a window now: {"by": "you", "full": true, "wait": false}',
  });
  registerQueries(run);
}

function registerQueries(run: Run): void {
  setHandler(
    specQuery,
    () => ({
      run: run.state.runKey,
      planHash: run.state.planHash,
      spec: run.state.spec,
      isCommitted: run.state.committedAt !== null,
    }),
    {
      description: 'The spec in force, and its plan hash',
    },
  );
  setHandler(statusQuery, () => run.status(), {
    description: 'The status that `sluice get` shows',
  });
  setHandler(explainQuery, () => run.details(), {
    description: 'The state, and what a person must do next',
  });
  setHandler(evidenceQuery, () => run.evidence(namedApprovers(run)), {
    description: 'The evidence that an approval would name',
  });
  setHandler(auditQuery, () => run.state.audit.map(auditLine), {
    description: 'Who did what, and the result',
  });
}

/**
 * Registers an update. The validator refuses only malformed payloads. A refused payload leaves no
 * trace in the history.
 */
function onUpdate<T, R>(
  update: UpdateDefinition<R, [unknown]>,
  check: (payload: unknown) => OrReason<T>,
  take: (value: T) => R | Promise<R>,
  { description }: { readonly description: string },
): void {
  const handler = (payload: unknown): R | Promise<R> => {
    const checked = check(payload);
    if (!checked.ok) throw ApplicationFailure.nonRetryable(checked.reason);
    return take(checked.value);
  };
  const validator = (payload: unknown): void => {
    const checked = check(payload);
    if (!checked.ok) throw new Error(checked.reason);
  };
  setHandler(update, handler, { description, validator });
}

function onDecision(
  run: Run,
  payload: unknown,
  decision: 'approve' | 'reject',
): void | Promise<void> {
  const checked = checkDecision(payload, decision);
  if (!checked.ok) return ignore(run, `${decision}Cutover`, checked.reason);
  const taken = takeDecision(run, checked.value);
  if (taken instanceof Promise) return surely(run, `${decision}Cutover`, taken);
}

/**
 * Handles the signal rollBack. If the spec names approvers, an unsigned signal is refused, and an
 * activity checks the signature of a signed one. Without approvers, the handler acts at once. A
 * signal can arrive before the spec was read, above all after a reset, which sends earlier signals
 * again. The approvers are then those that the input of the workflow names.
 */
function onRollBack(run: Run, payload: unknown): void | Promise<void> {
  const checked = checkRollBack(payload);
  if (!checked.ok) return ignore(run, 'rollBack', checked.reason);
  const { by, reason, token } = checked.value;
  const goBack = (): void => requestWayBack(run, { outcome: 'rolled-back', by, reason });
  if (namedApprovers(run).length === 0) return goBack();
  const asked = refusedUnsigned(run, 'rollback', by, token).then((refused) => {
    if (refused === null) goBack();
    else run.audit({ kind: 'ignored', message: 'rollBack', by, reason: refused });
  });
  return surely(run, 'rollBack', asked);
}

/**
 * Waits for a signal's handler. If the signature cannot be checked, the audit records that the
 * signal was ignored. Without this catch, a rejected promise would fail the whole run.
 */
function surely(run: Run, what: string, taken: Promise<unknown>): Promise<void> {
  return taken.then(
    () => undefined,
    (error: unknown) =>
      ignore(run, what, `the signature could not be checked (${(error as Error).message})`),
  );
}

function onExtension(run: Run, payload: unknown): void {
  const checked = checkExtension(payload);
  if (checked.ok) extendSoak(run, checked.value.by, checked.value.ms);
  else ignore(run, 'extendSoak', checked.reason);
}

/** Records an ignored message without its sender, because a bad payload may not name one. */
const ignore = (run: Run, message: string, reason: string): void =>
  run.audit({ kind: 'ignored', message, by: null, reason });
