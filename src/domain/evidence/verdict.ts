// A verdict has four values, not two, and its reason contains the numbers. Unknown never counts as
// passed.

export const VERDICTS = ['passed', 'failed', 'inconclusive', 'errored'] as const;
export type VerdictName = (typeof VERDICTS)[number];

export interface Verdict {
  readonly verdict: VerdictName;
  readonly reason: string;
}

// `failed` outranks the unknowns, because a proven difference matters even if something else could
// not be measured.
const SEVERITY: Record<VerdictName, number> = { passed: 0, inconclusive: 1, errored: 2, failed: 3 };

/**
 * Returns the worst of several verdicts. Without any verdict, the result is inconclusive, because
 * nothing was proven.
 */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const first = verdicts[0];
  if (!first) return { verdict: 'inconclusive', reason: 'no subject was compared' };
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
