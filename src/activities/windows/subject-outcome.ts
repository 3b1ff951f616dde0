// Defines what a window found for one subject (a table, a stage or the result), before it becomes a
// row in the ledger.
import {
  type Verdict,
  judgeComparison,
  provenEarlierOf,
  rowsReadOf,
  type Proofs,
} from '../../domain/evidence/verdict.js';
import { comparedOf, type Counts } from '../../domain/evidence/counts.js';
import type { Difference, WindowRow } from '../../domain/evidence/window.js';

export interface SubjectOutcome {
  readonly subject: string;
  readonly mode: WindowRow['mode'];
  readonly verdict: Verdict;
  readonly counts: Counts | null;
  /**
   * Everything that the verdict depends on in addition to the counts. Counts and proofs together
   * reproduce the verdict. Null if nothing was compared.
   */
  readonly proofs: Proofs | null;
  readonly differences: readonly Difference[];
  readonly position: string | null;
  readonly durationMs: number;
  /** The part of the duration in which the topic was read. */
  readonly foldMs?: number;
  /** Further fields of the evidence, such as the snapshot and the offsets that were read. */
  readonly proof?: object;
}

export type Measured = Pick<
  SubjectOutcome,
  'subject' | 'mode' | 'differences' | 'durationMs' | 'proof'
> & {
  readonly counts: Counts;
  readonly proofs: Proofs;
  readonly position: string;
};

/** Adds the verdict to the result of a comparison. */
export function measured(result: Measured): SubjectOutcome {
  return { ...result, verdict: judgeComparison(result.counts, result.proofs) };
}

/** Builds the result of a subject that was not compared. Its counts are null, never zero. */
export function unmeasured(
  subject: string,
  mode: WindowRow['mode'],
  verdict: Verdict,
  position: string | null = null,
  durationMs = 0,
): SubjectOutcome {
  return {
    subject,
    mode,
    verdict,
    counts: null,
    proofs: null,
    differences: [],
    position,
    durationMs,
  };
}

/**
 * Makes the verdicts of tables inconclusive if all tables are empty on both sides, because that
 * proves nothing. An empty table among other tables is fine.
 */
export function refuseAllEmpty(subjects: SubjectOutcome[]): SubjectOutcome[] {
  const isEmpty = subjects.every(
    (s) => s.verdict.verdict === 'passed' && s.counts !== null && comparedOf(s.counts) === 0,
  );
  if (!isEmpty) return subjects;
  return subjects.map((s) => ({
    ...s,
    verdict: {
      verdict: 'inconclusive',
      reason: 'compared 0 keys: two empty sides prove nothing',
    },
  }));
}

export function toRow(result: SubjectOutcome, number: number, at: string): WindowRow {
  const { counts, proofs } = result;
  return {
    number,
    subject: result.subject,
    verdict: result.verdict.verdict,
    reason: result.verdict.reason,
    mode: result.mode,
    at,
    durationMs: result.durationMs,
    position: result.position,
    compared: counts ? comparedOf(counts) : null,
    matched: counts?.matched ?? null,
    missing: counts?.missing ?? null,
    extraneous: counts?.extraneous ?? null,
    mismatched: counts?.mismatched ?? null,
    unstable: counts?.unstable ?? null,
    unknown: counts?.unknown ?? null,
    rowsRead: proofs ? rowsReadOf(proofs) : null,
    provenEarlier: proofs ? provenEarlierOf(proofs) : null,
  };
}
