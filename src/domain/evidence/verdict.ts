// Decides the verdict of a subject from its counts and proofs, and the verdict of a window from its
// subjects. A verdict has one of four values, and its reason contains the numbers. Unknown never
// counts as passed.
import { comparedOf, type Counts } from './counts.js';

export const VERDICTS = ['passed', 'failed', 'inconclusive', 'errored'] as const;
export type VerdictName = (typeof VERDICTS)[number];

export interface Verdict {
  readonly verdict: VerdictName;
  readonly reason: string;
}

/**
 * Conditions that must hold before a comparison counts as proof. The counts alone are not enough.
 */
export interface Proofs {
  /** The reason why the barrier was not proven. Null if it was. */
  readonly barrier: string | null;
  /**
   * The result of an independent `count(*)` in the same snapshot. Null if the window did not count.
   */
  readonly countedRows: number | null;
  /** The number of rows that the comparison read in this snapshot. */
  readonly readRows: number;
  /**
   * The number of keys that the window did not read in this snapshot. An earlier window or this
   * window's range scan proved them equal. Neither side has changed them since. Absent means 0.
   */
  readonly provenEarlier?: number | undefined;
  /**
   * The number of rows that this window read before its snapshot, in shorter snapshots (the range
   * scan of a long table). Absent means that there was no range scan.
   */
  readonly walkedRows?: number | undefined;
  /**
   * True if the comparison stopped early because most of the rows that it read differ. Such a
   * window never passes.
   */
  readonly isStopped?: boolean | undefined;
  /** The number of corruptions that the window planted in memory. */
  readonly canaryPlanted: number;
  /** The number of planted corruptions that the comparator reported. */
  readonly canaryFound: number;
  /** Mismatches that a waiver of the spec allows, and the waiver's text. */
  readonly waived?: { readonly mismatched: number; readonly by: string } | undefined;
}

/** Returns the number of rows that a window read, in its snapshot and before it. */
export const rowsReadOf = ({ readRows, walkedRows = 0 }: Proofs): number => readRows + walkedRows;

/** Returns how many keys of `matched` are proven although this window did not read their rows. */
export const provenEarlierOf = ({ provenEarlier = 0, walkedRows }: Proofs): number =>
  walkedRows === undefined ? provenEarlier : 0;

function stopped(counts: Counts, { readRows, countedRows }: Proofs): Verdict {
  const where = `stopped after ${readRows} of ${countedRows} rows, most of which differ; did not search for rows that only the stream has`;
  if (counts.mismatched + counts.missing === 0)
    return {
      verdict: 'inconclusive',
      reason: `unknown ${counts.unknown} keys > 0 allowed: ${where}`,
    };
  return { verdict: 'failed', reason: `${describeDifferences(counts)}: ${where}` };
}

/**
 * Turns counts and conditions into a verdict. The verdict is `passed` only on proof: every
 * condition that cannot be shown to hold makes the verdict inconclusive or errored.
 */
export function judgeComparison(counts: Counts, proofs: Proofs): Verdict {
  if (proofs.canaryFound !== proofs.canaryPlanted) {
    return {
      verdict: 'errored',
      reason: `the canary found ${proofs.canaryFound} of ${proofs.canaryPlanted} planted corruptions, so the comparator of this window does not see every difference`,
    };
  }
  if (proofs.barrier !== null) return { verdict: 'inconclusive', reason: proofs.barrier };
  if (proofs.isStopped) return stopped(counts, proofs);
  const { countedRows, readRows, provenEarlier = 0 } = proofs;
  if (countedRows !== null && countedRows !== readRows + provenEarlier) {
    const accounted =
      provenEarlier > 0
        ? `${readRows} rows were read and ${provenEarlier} were proven earlier`
        : `${readRows} rows were read`;
    return {
      verdict: 'errored',
      reason: `${accounted}, but the same snapshot has ${countedRows} rows`,
    };
  }
  const { waived } = proofs;
  const unwaived = { ...counts, mismatched: counts.mismatched - (waived?.mismatched ?? 0) };
  for (const kind of ['mismatched', 'missing', 'extraneous'] as const) {
    if (unwaived[kind] > 0) return { verdict: 'failed', reason: describeDifferences(unwaived) };
  }
  if (counts.unknown > 0)
    return { verdict: 'inconclusive', reason: `unknown ${counts.unknown} keys > 0 allowed` };
  if (counts.unstable > 0)
    return {
      verdict: 'inconclusive',
      reason: `unstable ${counts.unstable} keys > 0 allowed: they changed, or were written again, in every round`,
    };
  return {
    verdict: 'passed',
    reason: `0 differences in ${comparedOf(counts)} keys${waived ? ` but ${waived.mismatched} ${waived.by}` : ''}`,
  };
}

function describeDifferences(counts: Counts): string {
  return (['mismatched', 'missing', 'extraneous'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${kind} ${counts[kind]} rows > 0 allowed`)
    .join(', ');
}

// `failed` outranks `inconclusive` and `errored`, because a proven difference matters even if
// something else could not be measured.
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
