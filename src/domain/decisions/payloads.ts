// Checks message payloads without a schema library, because any client can send a signal and
// workflow code must not load one.
import type { CoSignRequest } from './cosign.js';
import { DURATION_PATTERN, durationMs } from '../values/duration.js';
import type { DecisionRequest } from './gate.js';
import { CO_SIGNED, TOKEN_MAX_LENGTH, type CoSigned } from './signed-decision.js';

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const MAX_TEXT = TOKEN_MAX_LENGTH;

function text(
  record: Record<string, unknown>,
  field: string,
  required: boolean,
): Checked<string | null> {
  const value = record[field];
  if (value === undefined || value === null || value === '')
    return required ? { ok: false, problem: `${field} is missing` } : { ok: true, value: null };
  if (typeof value !== 'string') return { ok: false, problem: `${field} must be a string` };
  if (value.length > MAX_TEXT)
    return { ok: false, problem: `${field} has ${value.length} characters > ${MAX_TEXT}` };
  return { ok: true, value };
}

function asRecord(payload: unknown): Record<string, unknown> | null {
  return payload !== null && typeof payload === 'object' && !Array.isArray(payload)
    ? (payload as Record<string, unknown>)
    : null;
}

/**
 * Checks `{approver, evidenceId?, comment?, token?}` of approveCutover, or `{approver, reason,
 * token?}` of rejectCutover.
 */
export function checkDecision(
  payload: unknown,
  decision: 'approve' | 'reject',
): Checked<DecisionRequest> {
  const record = asRecord(payload);
  if (!record)
    return { ok: false, problem: 'the payload must be an object like {"approver": "you"}' };
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
  return {
    ok: true,
    value: {
      decision,
      approver: approver.value!,
      evidenceId: evidenceId.value,
      comment: comment.value,
      token: token.value,
    },
  };
}

/** Checks `{decision, approver, evidenceId, comment?, token?}` of the decideCutover update. */
export function checkUpdate(payload: unknown): Checked<DecisionRequest> {
  const decision = asRecord(payload)?.['decision'];
  if (decision !== 'approve' && decision !== 'reject')
    return { ok: false, problem: 'decision must be approve or reject' };
  const checked = checkDecision(payload, decision);
  if (!checked.ok || decision === 'reject') return checked;
  return checked.value.evidenceId === null
    ? { ok: false, problem: 'evidenceId is missing' }
    : checked;
}

/** Checks `{by, for}` of extendSoak. `for` is a duration, counted from now. */
export function checkExtension(payload: unknown): Checked<{ by: string; ms: number }> {
  const record = asRecord(payload);
  if (!record)
    return { ok: false, problem: 'the payload must be an object like {"by": "you", "for": "2h"}' };
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  const duration = text(record, 'for', true);
  if (!duration.ok) return duration;
  if (!DURATION_PATTERN.test(duration.value!))
    return { ok: false, problem: 'for must be a duration like 30m, 2h or 7d' };
  return { ok: true, value: { by: by.value!, ms: durationMs(duration.value!) } };
}

/** Checks `{by, reason, token?}` of rollBack. */
export function checkRollBack(
  payload: unknown,
): Checked<{ by: string; reason: string; token: string | null }> {
  const record = asRecord(payload);
  if (!record)
    return {
      ok: false,
      problem: 'the payload must be an object like {"by": "you", "reason": "why"}',
    };
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  const reason = text(record, 'reason', true);
  if (!reason.ok) return reason;
  const token = text(record, 'token', false);
  return token.ok
    ? { ok: true, value: { by: by.value!, reason: reason.value!, token: token.value } }
    : token;
}

/** Checks `{by, token?}` of rehearseCutover. */
export function checkBy(payload: unknown): Checked<{ by: string; token: string | null }> {
  const record = asRecord(payload);
  if (!record) return { ok: false, problem: 'the payload must be an object like {"by": "you"}' };
  const by = text(record, 'by', true);
  if (!by.ok) return by;
  const token = text(record, 'token', false);
  return token.ok ? { ok: true, value: { by: by.value!, token: token.value } } : token;
}

/**
 * Checks `{decision, approver, reason, token?}` of the coSign update, which is one of the two
 * signatures that the decision needs.
 */
export function checkCoSign(payload: unknown): Checked<CoSignRequest> {
  const record = asRecord(payload);
  const decision = record?.['decision'];
  if (!record || !(CO_SIGNED as readonly unknown[]).includes(decision))
    return { ok: false, problem: `decision must be ${CO_SIGNED.join(' or ')}` };
  const approver = text(record, 'approver', true);
  if (!approver.ok) return approver;
  const reason = text(record, 'reason', true);
  if (!reason.ok) return reason;
  const token = text(record, 'token', false);
  if (!token.ok) return token;
  return {
    ok: true,
    value: {
      decision: decision as CoSigned,
      approver: approver.value!,
      reason: reason.value!,
      token: token.value,
    },
  };
}
