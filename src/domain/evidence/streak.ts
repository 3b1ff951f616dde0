// Decides whether enough windows have passed. The rule requires a number of passes in a row,
// certain kinds of day, and a full window after a harmless restart. It also limits the share of
// keys that may still be wrong.
import type { CoverageDay, ValidationSpec } from '../migration/spec.js';

/** Returns the kinds of day (UTC) that a window taken at `at` (ISO) covers. */
export function coverageOf(at: string): CoverageDay[] {
  const time = new Date(at);
  const weekday = time.getUTCDay();
  const isLastDay = new Date(time.getTime() + 86_400_000).getUTCDate() === 1;
  const days: CoverageDay[] = [weekday === 0 || weekday === 6 ? 'weekend' : 'weekday'];
  if (isLastDay) days.push('month-end');
  // Days on which daylight saving time changes. In the EU, these are the last Sundays of March and
  // October; in the US, the second Sunday of March and the first of November.
  const date = time.getUTCDate();
  const month = time.getUTCMonth();
  const isDst =
    weekday === 0 &&
    ((month === 2 && (date >= 25 || (date >= 8 && date <= 14))) ||
      (month === 9 && date >= 25) ||
      (month === 10 && date <= 7));
  if (isDst) days.push('dst-day');
  return days;
}

/** The windows that passed in a row in the current epoch, and the days that count as covered. */
export interface Streak {
  readonly passesInARow: number;
  readonly covered: readonly CoverageDay[];
  /** The harmless restart after which a full window must still pass. Null if there is none. */
  readonly restart: string | null;
  /** The sum of the keys that each of these windows compared. */
  readonly compared: number;
}

/**
 * Returns the largest share of wrong keys that is still possible after this many comparisons
 * without a difference. The confidence is 95 % (the rule of three).
 */
export const mismatchBound = (compared: number): number =>
  compared === 0 ? 1 : Math.min(1, 3 / compared);

/** Returns a clause about the full window that must follow a harmless restart. */
export const awaitsFullWindow = (restart: string): string =>
  `a full window must pass after a restart (${restart})`;

/** Returns a text that says what the streak still lacks. Null if the streak is long enough. */
export function stopRule(
  streak: Streak,
  rule: Pick<ValidationSpec, 'passesInARow' | 'coverage' | 'maxMismatchRate'>,
): string | null {
  if (streak.passesInARow < rule.passesInARow)
    return `windows that pass in a row (${streak.passesInARow} of ${rule.passesInARow} so far)`;
  const missing = rule.coverage.filter((day) => !streak.covered.includes(day));
  if (missing.length > 0) return `a passed window on ${missing.join(', ')}`;
  if (streak.restart !== null) return `a full window after a restart (${streak.restart})`;
  const bound = mismatchBound(streak.compared);
  if (rule.maxMismatchRate === undefined || bound <= Number(rule.maxMismatchRate)) return null;
  return `more comparisons, because ${streak.compared} prove only that at most ${bound.toPrecision(2)} of the keys are wrong, and ${rule.maxMismatchRate} is allowed`;
}
