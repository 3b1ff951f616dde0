// Says what a change of the facts means for one window. Some changes make the window read every
// row. A restart can also be the only reason why the window proves nothing.
import { factsChange, type Facts, type FactsChange } from './epoch.js';
import type { Verdict, VerdictName } from './verdict.js';

/** The facts before and after a window. */
export interface AroundWindow {
  readonly before: Facts;
  readonly after: Facts;
}

/** The finding about one subject. `unknown` counts the keys whose records cannot be read. */
export interface SubjectFound {
  readonly verdict: VerdictName;
  readonly unknown: number;
}

/** Returns all parts of a change as one text. */
export const describeChange = ({ epoch, fullWindow, restart }: FactsChange): string =>
  [epoch, fullWindow, restart].filter((part) => part !== null).join('; ');

/**
 * If a change made the window read every row, adds that change to the reason of a passed verdict.
 */
export function withCauseOfFull(verdict: Verdict, change: FactsChange | null): Verdict {
  if (change === null || verdict.verdict !== 'passed') return verdict;
  return {
    ...verdict,
    reason: `${verdict.reason}; every row was read, because ${describeChange(change)}`,
  };
}

/**
 * Returns the part that restarted during the window, if the restart is the only thing that
 * happened. Otherwise, returns null: nothing restarted, something else changed, or a subject shows
 * a difference, an error or an unreadable record. A restart alone leaves earlier evidence as it is.
 * `standing` has the last known values of parts that were not running when the facts were read.
 */
export function restartedDuring(
  read: AroundWindow,
  standing: AroundWindow,
  subjects: readonly SubjectFound[],
): string | null {
  const during = factsChange(read.before, read.after);
  if (!during) return null;
  const real = factsChange(standing.before, standing.after);
  if (real?.epoch || real?.fullWindow) return null;
  const isOnlyUnproven = subjects.every(
    ({ verdict, unknown }) => verdict === 'inconclusive' && unknown === 0,
  );
  return isOnlyUnproven ? describeChange(real ?? during) : null;
}
