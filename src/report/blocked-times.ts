// Describes when a migration was blocked, and the planned and the actual duration of the soak.
import { auditText, type AuditEvent } from '../domain/audit.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { durationMs, formatMs } from '../domain/values/duration.js';

/** A period in which the run waited for a person, or until a system answered again. */
export interface BlockedTime {
  readonly from: string;
  /** Null while it lasts. */
  readonly to: string | null;
  readonly code: string;
  readonly detail: string;
  /** True if the period began after the commit. Consumers may then have noticed the problem. */
  readonly isAfterCommit: boolean;
}

export interface Soak {
  /** The duration in the spec, such as `24h`. */
  readonly asked: string;
  readonly passes: number;
  /** The time at which Sluice confirmed that consumers read the stream side. */
  readonly from: string;
  /** Null while it lasts. */
  readonly to: string | null;
  /** Reasons, from the audit, why the soak lasted longer or shorter than planned. */
  readonly changes: readonly string[];
}

const ENDS = ['unblocked', 'way-back', 'outcome'];

export function blockedTimesOf(events: readonly AuditEvent[]): BlockedTime[] {
  const found: BlockedTime[] = [];
  let isCommitted = false;
  for (const event of events) {
    const { kind, at } = event;
    const code = event.kind === 'blocked' ? event.code : null;
    const last = found.at(-1);
    const open = last?.to === null ? last : null;
    if (open && code === open.code) continue; // a retry that did not help
    if (open && (code !== null || ENDS.includes(kind))) found.splice(-1, 1, { ...open, to: at });
    if (kind === 'committed') isCommitted = true;
    if (event.kind !== 'blocked') continue;
    const { problem: detail } = event;
    found.push({ from: at, to: null, code: event.code, detail, isAfterCommit: isCommitted });
  }
  return found;
}

/**
 * Returns the soak, or null if Sluice has not yet confirmed that consumers read the stream side.
 */
export function soakOf({ spec }: MigrationSpec, events: readonly AuditEvent[]): Soak | null {
  // the phase `complete` may observe the route again, and that does not begin another soak
  const retired = events.findIndex((e) => e.kind === 'phase' && e.phase === 'complete');
  const before = retired < 0 ? events : events.slice(0, retired);
  const confirmed = before.findLastIndex((e) => e.kind === 'route' && e.side === 'stream');
  if (confirmed < 0) return null;
  const after = before.slice(confirmed);
  // If consumers did not read the stream side for a while, the soak begins again after that.
  const wrongRoute = blockedTimesOf(after).findLast(
    (s) => s.code === 'route-unexpected' && s.to !== null,
  );
  const end = after.find((e) => e.kind === 'way-back') ?? events[retired];
  return {
    asked: spec.soak.for,
    passes: spec.soak.passes,
    from: wrongRoute?.to ?? events[confirmed]!.at,
    to: end?.at ?? null,
    changes: events
      .filter((e) => e.kind === 'extended' || (e.kind === 'complete-early' && e.accepted))
      .map(auditText),
  };
}

const tookMs = ({ from, to }: { from: string; to: string | null }): number | null =>
  to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from));

/** Returns one sentence that compares the planned and the actual duration. */
export function soakSentence(soak: Soak): string {
  const { asked, passes, from, changes } = soak;
  const served = tookMs(soak);
  const wanted = `The soak was planned to last ${asked} and ${passes} passed windows`;
  const why = changes.length > 0 ? ` (${changes.join('; ')})` : '';
  if (served === null) return `${wanted}; it began at ${from} and still lasts${why}.`;
  const short = served < durationMs(asked) ? ', which is less than planned' : '';
  return `${wanted}; it lasted ${formatMs(served)} from ${from}${short}${why}.`;
}

/**
 * Returns a sentence for the headline about the time in which the run was blocked after the commit.
 * Consumers may have noticed the problem during this time. Returns null if the run was never
 * blocked after the commit.
 */
export function blockedAfterCommit(blockedTimes: readonly BlockedTime[]): string | null {
  const after = blockedTimes.filter((s) => s.isAfterCommit);
  if (after.length === 0) return null;
  const codes = [...new Set(after.map((s) => s.code))].join(', ');
  const lasting = after.some((s) => s.to === null) ? ', and still is' : '';
  const ms = after.reduce((sum, s) => sum + (tookMs(s) ?? 0), 0);
  return `It was blocked for ${formatMs(ms)} after the commit (${codes})${lasting}.`;
}

export const BLOCKED_TIME_COLUMNS = ['from', 'for', 'after the commit', 'why', 'detail'] as const;

export const blockedTimeRow = (time: BlockedTime): string[] => {
  const ms = tookMs(time);
  return [
    time.from,
    ms === null ? 'still' : formatMs(ms),
    time.isAfterCommit ? 'yes' : 'no',
    time.code,
    time.detail,
  ];
};
