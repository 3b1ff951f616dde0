// Four verdicts, never two. Each carries a reason that holds the inequality. Unknown never counts
// as passed.

export const VERDICTS = ['passed', 'failed', 'inconclusive', 'errored'] as const;
export type VerdictName = (typeof VERDICTS)[number];

export interface Verdict {
  readonly verdict: VerdictName;
  readonly reason: string;
}

// failed outranks the unknowns: a proven difference is news even when something else could not be
// measured.
const SEVERITY: Record<VerdictName, number> = { passed: 0, inconclusive: 1, errored: 2, failed: 3 };

/**
 * The overall verdict of several is the worst one. No verdict at all is inconclusive: nothing was
 * proven.
 */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const first = verdicts[0];
  if (!first) return { verdict: 'inconclusive', reason: '0 subjects compared < 1 required' };
  const overall = verdicts.reduce(
    (a, b) => (SEVERITY[b.verdict] > SEVERITY[a.verdict] ? b : a),
    first,
  );
  if (overall.verdict === 'passed')
    return {
      verdict: 'passed',
      reason: `${verdicts.length} of ${verdicts.length} subjects passed`,
    };
  return overall;
}
