// One validation window: rows per subject, and the rules that turn counts into a verdict.
import type { Mode } from './subjects.js';
import type { Verdict, VerdictName } from './verdict.js';

/** Row per window × subject, as `sluice windows` prints it (contract). Null where not measured. */
export interface WindowRow {
  readonly number: number;
  readonly subject: string;
  readonly verdict: VerdictName;
  readonly reason: string;
  readonly mode: Mode;
  readonly at: string;
  readonly durationMs: number;
  readonly position: string | null;
  readonly compared: number | null;
  readonly matched: number | null;
  readonly missing: number | null;
  readonly extraneous: number | null;
  readonly mismatched: number | null;
  readonly unstable: number | null;
  readonly unknown: number | null;
  /** Rows that the window read; the rest of `matched` is `provenEarlier`. */
  readonly rowsRead: number | null;
  /** Keys of `matched` that an earlier window proved equal, and that neither side changed since. */
  readonly provenEarlier: number | null;
}

export type DifferenceClass =
  | 'missing'
  | 'extraneous'
  | 'mismatched'
  | 'stale'
  | 'late'
  | 'duplicate'
  | 'type'
  | 'undecodable'
  | 'unstable'
  | 'not-capturable'
  | 'batch-was-wrong';

export interface Difference {
  readonly class: DifferenceClass;
  readonly key: Readonly<Record<string, string | null>>;
  /** Null when the whole row is the difference. */
  readonly column: string | null;
  readonly batch: string | null;
  readonly stream: string | null;
}

export interface Counts {
  readonly matched: number;
  readonly missing: number;
  readonly extraneous: number;
  readonly mismatched: number;
  readonly unstable: number;
  readonly unknown: number;
}

export const NO_COUNTS: Counts = {
  matched: 0,
  missing: 0,
  extraneous: 0,
  mismatched: 0,
  unstable: 0,
  unknown: 0,
};

/** Rows that a window read, ahead of its snapshot and in it. */
export const rowsReadOf = ({ readRows, walkedRows = 0 }: Proofs): number => readRows + walkedRows;

/** Keys of `matched` that no row read by this window speaks for. */
export const provenEarlierOf = ({ provenEarlier = 0, walkedRows }: Proofs): number =>
  walkedRows === undefined ? provenEarlier : 0;

export const comparedOf = (c: Counts): number =>
  c.matched + c.missing + c.extraneous + c.mismatched + c.unstable + c.unknown;

/** Conditions that must hold beside the counts before a comparison is believed. */
export interface Proofs {
  /** Null = proven; else why the barrier was not. */
  readonly barrier: string | null;
  /** Rows that an independent `count(*)` in the same snapshot gave; null where none was made. */
  readonly countedRows: number | null;
  /** Rows that the comparison read in this snapshot. */
  readonly readRows: number;
  /**
   * Keys that it did not read: an earlier window, or a walk of this one, proved them equal, and
   * neither side changed them since. Absent = none.
   */
  readonly provenEarlier?: number | undefined;
  /**
   * Rows that this window read ahead of its snapshot, in shorter ones (a walk over a long table).
   * Absent = no walk.
   */
  readonly walkedRows?: number | undefined;
  /**
   * The comparison ended before it had read every row, because most of those it read differ: it can
   * only fail.
   */
  readonly isStopped?: boolean | undefined;
  /** Corruptions planted in memory, and how many the comparator reported. */
  readonly canaryPlanted: number;
  readonly canaryFound: number;
  /** Mismatches that a named waiver of the spec allows, and what it says. */
  readonly waived?: { readonly mismatched: number; readonly by: string } | undefined;
}

function stopped(counts: Counts, { readRows, countedRows }: Proofs): Verdict {
  const where = `stopped after ${readRows} of ${countedRows} rows, most of which differ; stream-only rows were not looked for`;
  if (counts.mismatched + counts.missing === 0)
    return {
      verdict: 'inconclusive',
      reason: `unknown ${counts.unknown} keys > 0 allowed: ${where}`,
    };
  return { verdict: 'failed', reason: `${describeDifferences(counts)}: ${where}` };
}

/**
 * Evidence → verdict. `passed` only on proof: every rule that cannot be shown to hold makes the
 * window inconclusive or errored.
 */
export function judgeComparison(counts: Counts, proofs: Proofs): Verdict {
  if (proofs.canaryFound !== proofs.canaryPlanted) {
    return {
      verdict: 'errored',
      reason: `canary found ${proofs.canaryFound} ≠ ${proofs.canaryPlanted} planted: the comparator of this run is blind`,
    };
  }
  if (proofs.barrier !== null) return { verdict: 'inconclusive', reason: proofs.barrier };
  if (proofs.isStopped) return stopped(counts, proofs);
  const { countedRows, readRows, provenEarlier = 0 } = proofs;
  if (countedRows !== null && countedRows !== readRows + provenEarlier) {
    const accounted =
      provenEarlier > 0 ? `${readRows} + proven earlier ${provenEarlier}` : String(readRows);
    return {
      verdict: 'errored',
      reason: `rows read ${accounted} ≠ ${countedRows} counted in the same snapshot`,
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
      reason: `unstable ${counts.unstable} keys > 0 allowed: they changed in every round`,
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
