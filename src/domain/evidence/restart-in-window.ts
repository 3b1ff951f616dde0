// Says what a change of the facts means for one window. Facts are the settings and states that
// evidence depends on. Some changes make the window read every row. A restart can also be the only
// reason why the window proves nothing.
import { factsChange, storageFact, type Facts, type FactsChange } from './epoch.js';
import type { Verdict, VerdictName } from './verdict.js';

/** The facts before and after a window. */
export interface AroundWindow {
  readonly before: Facts;
  readonly after: Facts;
}

/** The result of one subject. `unknown` counts the keys whose records cannot be read. */
export interface SubjectFound {
  readonly verdict: VerdictName;
  readonly unknown: number;
}

const CHANGED = 'changed during the window: ';
const VOID = `, but this proves nothing: ${CHANGED}`;

/** Returns whether `reason` says that a change of the facts voided a failed verdict. */
export const isVoidedFailure = (reason: string): boolean => reason.includes(VOID);

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
 * Returns the verdict of a subject after the facts changed during the window. A passed subject
 * proves nothing: some rows may be from before the change, and some records from after it. A failed
 * subject proves nothing if a table got new files. TRUNCATE and some forms of ALTER TABLE replace
 * the files. A snapshot that is older than such a statement then sees an empty table.
 */
export function voidedBy(verdict: Verdict, { before, after }: AroundWindow): Verdict {
  const during = factsChange(before, after);
  if (!during) return verdict;
  const change = describeChange(during);
  if (verdict.verdict === 'passed')
    return { verdict: 'inconclusive', reason: `${CHANGED}${change}` };
  if (verdict.verdict !== 'failed' || !hasMoved(before, after)) return verdict;
  return { verdict: 'inconclusive', reason: `${verdict.reason}${VOID}${change}` };
}

/** Returns whether a table lost one of its files during the window. */
const hasMoved = (before: Facts, after: Facts): boolean =>
  Object.entries(before).some(
    ([name, files]) =>
      name.startsWith(storageFact('')) &&
      [files].flat().some((file) => ![after[name] ?? []].flat().includes(file)),
  );

/**
 * Returns the part (a connector task or the members of a group) that restarted during the window,
 * if nothing else happened. Returns null if nothing restarted, if something else changed, or if a
 * subject shows a difference, an error or an unreadable record. A restart alone leaves earlier
 * evidence as it is. `standing` has the last known values of parts that were not running when the
 * facts were read.
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
