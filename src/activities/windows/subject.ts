// What a window found about one subject, on its way to a row of the ledger.
import type { Verdict } from '../../domain/verdict.js';
import { comparedOf, type Counts, type Difference, type WindowRow } from '../../domain/window.js';

export interface SubjectResult {
  readonly subject: string;
  readonly mode: WindowRow['mode'];
  readonly verdict: Verdict;
  readonly counts: Counts | null;
  readonly differences: readonly Difference[];
  readonly position: string | null;
  readonly durationMs: number;
  /** Of it: reading the topic. */
  readonly foldMs?: number;
  /** What else the evidence names: snapshot, offsets read, digest of the rows. */
  readonly proof?: object;
}

export function measured(
  subject: string,
  mode: WindowRow['mode'],
  verdict: Verdict,
  counts: Counts,
  differences: readonly Difference[],
  position: string,
  durationMs: number,
  proof: object = {},
): SubjectResult {
  return { subject, mode, verdict, counts, differences, position, durationMs, proof };
}

/** Nothing was compared: all numbers stay null, never zero. */
export function unmeasured(subject: string, mode: WindowRow['mode'], verdict: Verdict, position: string | null = null, durationMs = 0): SubjectResult {
  return { subject, mode, verdict, counts: null, differences: [], position, durationMs };
}

export function toRow(result: SubjectResult, number: number, at: string): WindowRow {
  const { counts } = result;
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
  };
}
