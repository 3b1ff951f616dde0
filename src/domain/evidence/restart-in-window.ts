// Decides whether a restart is the only reason why a window proves nothing.
import { factsChange, type Facts, type FactsChange } from './epoch.js';
import type { VerdictName } from './verdict.js';

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
 * Returns the part that restarted during the window, if nothing else changed and no subject shows a
 * difference, an error or an unreadable record. Such a window says nothing about earlier evidence.
 * Null otherwise. `standing` has the last known values of parts that did not run at a reading.
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
