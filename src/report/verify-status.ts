// Checks the status in a report against the status and the events in the ledger.
import { eventsOf, type AuditEvent } from '../domain/audit.js';
import type { Approval } from '../domain/evidence/ledger-rows.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import type { Report, ReportSource } from './build-report.js';
import { finding, type Finding } from './verify-links.js';

/**
 * Checks the whole status of a run that has ended, because this status never changes again. For a
 * live run, checks only the decisions, the phase, the epoch and the route. The report must contain
 * the events that led to this phase, epoch and route.
 */
export function statusLike(
  { status, events }: Report,
  { status: now, events: all }: ReportSource,
): Finding {
  const changed =
    status.outcome === null
      ? [...decisionsUnlike(status, now, all), ...aheadOfEvents({ status, events }, all)]
      : partsUnlike(status, now).map((part) => `${part} of the status`);
  return finding(
    'decisions',
    status.approvals.length,
    changed,
    status.outcome === null
      ? 'approvals, rejections, phase, epoch and route agree with the ledger'
      : 'every part of the status equals that of the ledger',
  );
}

/**
 * Returns the report's decisions that the ledger does not have. The status in the ledger may have
 * later decisions. It may also lack decisions that Sluice refused long ago: only the audit keeps
 * those (see `remembered` in domain/decisions/gate.ts).
 */
function decisionsUnlike(
  said: Report['status'],
  known: ReportSource['status'],
  all: readonly AuditEvent[],
): string[] {
  const inLedger = known.approvals.map(canonicalJson);
  const isForgotten = (a: Approval): boolean =>
    !a.accepted &&
    !inLedger.includes(canonicalJson(a)) &&
    eventsOf(all, a.decision).some(
      (e) => !e.accepted && e.by === a.approver && e.reason === a.reason && e.at === a.at,
    );
  return said.approvals
    .filter((a) => !isForgotten(a))
    .filter((a, at) => canonicalJson(a) !== inLedger[at])
    .map((a) => `${a.decision} by ${a.approver}`);
}

/** Returns the parts in which two statuses differ. */
function partsUnlike(said: Report['status'], known: ReportSource['status']): string[] {
  const text = (part: unknown): string => canonicalJson(JSON.parse(JSON.stringify(part ?? null)));
  const parts = [
    ...new Set([...Object.keys(said), ...Object.keys(known)]),
  ] as (keyof typeof said)[];
  return parts.filter((part) => text(said[part]) !== text(known[part]));
}

/** Returns the parts of the status for which the report or the ledger has no event. */
function aheadOfEvents(
  { status: { phase, epoch, route }, events }: Pick<Report, 'status' | 'events'>,
  all: readonly AuditEvent[],
): string[] {
  const ahead: string[] = [];
  const phases = (list: readonly AuditEvent[]): string[] =>
    eventsOf(list, 'phase').map((e) => e.phase);
  if (phase !== null && !phases(all).includes(phase)) ahead.push(`phase ${phase} has not begun`);
  else if (phase !== null && !phases(events).includes(phase))
    ahead.push(`events up to phase ${phase} are missing`);
  const epochs = (list: readonly AuditEvent[]): number =>
    Math.max(1, ...eventsOf(list, 'epoch').map((e) => e.epoch));
  if (epoch > epochs(all)) ahead.push(`epoch ${epoch} has not begun`);
  else if (epochs(events) < epoch) ahead.push(`events up to epoch ${epoch} are missing`);
  const isOnStream = (e: AuditEvent): boolean =>
    e.kind === 'committed' || (e.kind === 'route' && e.side === 'stream');
  // in the phase roll-back, the run puts the observed route into its status without an event
  if (route?.side === 'stream' && phase !== 'roll-back' && !events.some(isOnStream))
    ahead.push('consumers have not read the stream side');
  return ahead;
}
