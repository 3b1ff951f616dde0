// Decides whether a later window can rest on the results of a window. Also builds the results of
// such a later window, which compares only the tables.
import type { FactsChange } from '../../../domain/evidence/epoch.js';
import type { RecentResult } from '../../../domain/plan/final-result.js';
import { resultSubjects } from '../../../domain/plan/planned-subjects.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { describeChange } from '../../../domain/evidence/restart-in-window.js';
import type { ResultCompared } from './compare-results.js';
import { unmeasured, type SubjectOutcome } from '../subject-outcome.js';

/**
 * Returns true if every result of the plan passed, and none was compared in settled mode. Returns
 * false if the plan has no results.
 */
export function areResultsExact(plan: ResolvedPlan, subjects: readonly SubjectOutcome[]): boolean {
  const results = resultSubjects(plan);
  return (
    results.length > 0 &&
    results.every(({ subject, mode }) =>
      subjects.some(
        (found) =>
          found.subject === subject &&
          found.verdict.verdict === 'passed' &&
          found.mode === mode &&
          mode !== 'settled',
      ),
    )
  );
}

/**
 * Returns the results of a window that rests on an earlier window. If no fact has changed since the
 * earlier window, there are no results to add. If a fact has changed, every result is inconclusive,
 * because the change may have affected that result.
 */
export function restedResults(
  plan: ResolvedPlan,
  { number }: RecentResult,
  change: FactsChange | null,
): ResultCompared {
  if (change === null) return { subjects: [], pathMs: null };
  const reason = `the results cannot rest on window ${number}, because something changed since: ${describeChange(change)}`;
  const verdict = { verdict: 'inconclusive', reason } as const;
  return {
    subjects: resultSubjects(plan).map(({ subject, mode }) =>
      unmeasured(subject, mode, verdict, null, 0),
    ),
    pathMs: null,
  };
}
