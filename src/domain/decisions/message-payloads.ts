// Checks the payloads of signals and updates, because any client can send them. Uses no schema
// library, because workflow code must not load such a library.
import type { CoSignRequest } from './cosign.js';
import { DURATION_PATTERN, durationMs } from '../values/duration.js';
import { because, ok, type OrReason } from '../values/or-reason.js';
import type { AskedWindow } from '../evidence/ledger-rows.js';
import type { EditRequest } from './edit-gate.js';
import type { DecisionRequest } from './gate.js';
import { CO_SIGNED, TOKEN_MAX_LENGTH, type CoSigned } from './signed-decision.js';

const MAX_TEXT = TOKEN_MAX_LENGTH;

function text(
  record: Record<string, unknown>,
  field: string,
  required: boolean,
): OrReason<string | null> {
  const given = record[field];
  // Spaces around a name are removed, so that one person cannot count as two.
  const value = typeof given === 'string' ? given.trim() : given;
  if (value === undefined || value === null || value === '')
    return required ? because(`${field} is missing`) : ok(null);
  if (typeof value !== 'string') return because(`${field} must be a string`);
  if (value.length > MAX_TEXT)
    return because(`${field} has ${value.length} characters, and at most ${MAX_TEXT} are allowed`);
  return ok(value);
}

function asRecord(payload: unknown): Record<string, unknown> | null {
  return payload !== null && typeof payload === 'object' && !Array.isArray(payload)
    ? (payload as Record<string, unknown>)
    : null;
}

/**
 * Checks `{approver, evidenceId?, comment?, token?}` of approveCutover, or `{approver, reason?,
 * token?}` of rejectCutover.
 */
export function checkDecision(
  payload: unknown,
  decision: 'approve' | 'reject',
): OrReason<DecisionRequest> {
  const record = asRecord(payload);
  if (!record) return because('the payload must be an object like {"approver": "you"}');
  const approver = text(record, 'approver', true);
  if (!approver.ok) return approver;
  const evidenceId = text(record, 'evidenceId', false);
  if (!evidenceId.ok) return evidenceId;
  const comment = text(
    record,
    decision === 'reject' && record['comment'] === undefined ? 'reason' : 'comment',
    false,
  );
  if (!comment.ok) return comment;
  const token = text(record, 'token', false);
  if (!token.ok) return token;
  return ok({
    decision,
    approver: approver.value!,
    evidenceId: evidenceId.value,
    comment: comment.value,
    token: token.value,
  });
}

/**
 * Checks `{decision, approver, evidenceId, comment?, token?}` of the decideCutover update. A
 * rejection needs no `evidenceId`.
 */
export function checkUpdate(payload: unknown): OrReason<DecisionRequest> {
  const decision = asRecord(payload)?.['decision'];
  if (decision !== 'approve' && decision !== 'reject')
    return because('decision must be approve or reject');
  const checked = checkDecision(payload, decision);
  if (!checked.ok || decision === 'reject') return checked;
  return checked.value.evidenceId === null ? because('evidenceId is missing') : checked;
}

/** Checks `{by, for}` of extendSoak. `for` is a duration, counted from now. */
export function checkExtension(payload: unknown): OrReason<{ by: string; ms: number }> {
  const record = asRecord(payload);
  if (!record) return because('the payload must be an object like {"by": "you", "for": "2h"}');
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  const duration = text(record, 'for', true);
  if (!duration.ok) return duration;
  if (!DURATION_PATTERN.test(duration.value!))
    return because('for must be a duration like 30m, 2h or 7d');
  return ok({ by: by.value!, ms: durationMs(duration.value!) });
}

/** Checks `{by, reason, token?}` of rollBack. */
export function checkRollBack(
  payload: unknown,
): OrReason<{ by: string; reason: string; token: string | null }> {
  const record = asRecord(payload);
  if (!record) return because('the payload must be an object like {"by": "you", "reason": "why"}');
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  const reason = text(record, 'reason', true);
  if (!reason.ok) return reason;
  const token = text(record, 'token', false);
  return token.ok ? ok({ by: by.value!, reason: reason.value!, token: token.value }) : token;
}

/**
 * Returns the approvers in a spec that was not parsed yet. Returns an empty list if the spec names
 * none, or is wrong. A wrong spec needs no approver, because it is refused before anything is made.
 */
export function approversIn(spec: unknown): readonly string[] {
  const fields = ['spec', 'cutover', 'approval', 'approvers'];
  const found = fields.reduce<unknown>((value, field) => asRecord(value)?.[field], spec);
  return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : [];
}

/** Checks `{by, reason, run, base, spec, token?}` of editSpec. The spec itself is parsed later. */
export function checkEdit(payload: unknown): OrReason<EditRequest> {
  const record = asRecord(payload);
  if (!record) return because('the payload must be an object like {"by": "you", "spec": {}}');
  const texts: Record<string, string> = {};
  for (const field of ['by', 'reason', 'run', 'base']) {
    const value = text(record, field, true);
    if (!value.ok) return value;
    texts[field] = value.value!;
  }
  const spec = asRecord(record['spec']);
  if (!spec) return because('spec must be an object that contains the whole new spec');
  const token = text(record, 'token', false);
  if (!token.ok) return token;
  const { by, reason, run, base } = texts as Record<'by' | 'reason' | 'run' | 'base', string>;
  return ok({ by, reason, run, base, spec, token: token.value });
}

/** Checks `{by, full?, wait?}` of runWindow. */
export function checkAskedWindow(payload: unknown): OrReason<AskedWindow> {
  const record = asRecord(payload);
  if (!record) return because('the payload must be an object like {"by": "you", "full": true}');
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  for (const field of ['full', 'wait'])
    if (record[field] !== undefined && typeof record[field] !== 'boolean')
      return because(`${field} must be true or false`);
  return ok({ by: by.value!, isFull: record['full'] === true, waits: record['wait'] !== false });
}

/** Checks `{by, token?}` of rehearseCutover. */
export function checkBy(payload: unknown): OrReason<{ by: string; token: string | null }> {
  const record = asRecord(payload);
  if (!record) return because('the payload must be an object like {"by": "you"}');
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  const token = text(record, 'token', false);
  return token.ok ? ok({ by: by.value!, token: token.value }) : token;
}

/**
 * Checks `{decision, approver, reason, token?}` of the coSign update. Each update gives one of the
 * two signatures that the decision needs.
 */
export function checkCoSign(payload: unknown): OrReason<CoSignRequest> {
  const record = asRecord(payload);
  const decision = record?.['decision'];
  if (!record || !(CO_SIGNED as readonly unknown[]).includes(decision))
    return because(`decision must be ${CO_SIGNED.join(' or ')}`);
  const approver = text(record, 'approver', true);
  if (!approver.ok) return approver;
  const reason = text(record, 'reason', true);
  if (!reason.ok) return reason;
  const token = text(record, 'token', false);
  if (!token.ok) return token;
  return ok({
    decision: decision as CoSigned,
    approver: approver.value!,
    reason: reason.value!,
    token: token.value,
  });
}
