// Decides whether the final window may use an earlier comparison of the results. The final window
// then does not compare the results again under the fence.
import { durationMs } from '../values/duration.js';
import type { MigrationSpec } from '../migration/spec.js';
import { resultSubjects } from './planned-subjects.js';

/** A window that compared all results exactly, and passed. */
export interface RecentResult {
  readonly number: number;
  /**
   * The time at which the window began (ISO), by the workflow's clock. The still point came later.
   */
  readonly began: string;
}

/**
 * Returns the age that an earlier comparison may have at the commit, as text. Null if the final
 * window compares the results itself.
 */
export function allowedAge(spec: Pick<MigrationSpec, 'spec'>): string | null {
  const { finalResult } = spec.spec.cutover;
  const isRecent = typeof finalResult === 'object' && resultSubjects(spec).length > 0;
  return isRecent ? finalResult.recent : null;
}

/** Returns the largest possible age of the comparison, in ms. `now` is a time in ISO form. */
export const ageOf = ({ began }: RecentResult, now: string): number =>
  Date.parse(now) - Date.parse(began);

/**
 * Returns why a commit that happens `aheadMs` after `now` could not use the earlier comparison.
 * Returns null if it could.
 */
export function tooOld(
  allowed: string,
  recent: RecentResult | null,
  now: string,
  aheadMs = 0,
): string | null {
  if (recent === null)
    return 'no window has compared the results exactly and passed since the facts last changed';
  const age = ageOf(recent, now) + aheadMs;
  if (age <= durationMs(allowed)) return null;
  return `the results of window ${recent.number} would be ${Math.ceil(age / 1000)} s old at the commit, and finalResult allows ${allowed}`;
}

/** Returns an age that leaves room for a query of this duration (ms), the hold and some waiting. */
export const recommendedAge = (queryMs: number): string =>
  `${Math.max(15, Math.ceil((3 * queryMs) / 60_000))}m`;
