// Checks a report's evidence: digests, links of the chain, and verdicts.
import { judgeComparison, type Proofs } from '../domain/evidence/verdict.js';
import { createHash } from 'node:crypto';
import type { EvidenceLink } from '../domain/evidence/ledger-rows.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import { comparedOf, type Counts } from '../domain/evidence/counts.js';
import { isVoidedFailure } from '../domain/evidence/restart-in-window.js';
import type { WindowRow } from '../domain/evidence/window.js';
import type { Report, ReportSource } from './build-report.js';

export interface Finding {
  readonly what: string;
  /** Null means that the check was not possible. */
  readonly holds: boolean | null;
  readonly detail: string;
}

interface EvidenceSubject {
  readonly subject: string;
  readonly verdict: WindowRow['verdict'];
  readonly counts: Counts | null;
  readonly proofs?: Proofs | null;
}

const SHOWN = 3;

export const finding = (
  what: string,
  of: number,
  wrong: readonly string[],
  said: string,
): Finding => ({
  what,
  holds: wrong.length === 0,
  detail:
    wrong.length === 0
      ? `${of} ${said}`
      : `${wrong.length} of ${of}: ${wrong.slice(0, SHOWN).join('; ')}`,
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function wrongDigests(evidence: readonly EvidenceLink[]): string[] {
  return evidence.flatMap((e) =>
    sha256(canonicalJson(e.document)) === e.digest
      ? []
      : [`window ${e.number}: the document was changed after it was recorded`],
  );
}

export function brokenLinks(evidence: readonly EvidenceLink[]): string[] {
  return evidence.flatMap((e, at) => {
    const expected = sha256(`${evidence[at - 1]?.chain ?? ''}${e.digest}`);
    return expected === e.chain
      ? []
      : [`window ${e.number} does not follow window ${evidence[at - 1]?.number ?? '(none)'}`];
  });
}

/**
 * Checks that each verdict in the evidence equals the verdict in the row of its window and subject,
 * that both have the same numbers of compared and of mismatched keys, and that the verdict follows
 * from the counts and proofs. A verdict without counts or proofs must not be `passed`. One weaker
 * verdict is allowed: `inconclusive` although the counts mean `passed`. If the counts mean
 * `failed`, `inconclusive` is allowed only if the row's reason names a change during the window,
 * because a failure must not be hidden.
 */
export function wrongVerdicts({ evidence, windows }: ReportSource): string[] {
  const rows = new Map(windows.map((w) => [`${w.number} ${w.subject}`, w]));
  return evidence.flatMap(({ number, document }) =>
    (document as { subjects: readonly EvidenceSubject[] }).subjects.flatMap(
      ({ subject, verdict, counts, proofs }) => {
        const where = `window ${number}, ${subject}`;
        const row = rows.get(`${number} ${subject}`);
        if (row?.verdict !== verdict)
          return [
            `${where}: the evidence says ${verdict}, and its row ${row ? `says ${row.verdict}` : 'is missing'}`,
          ];
        if (counts && (row.compared !== comparedOf(counts) || row.mismatched !== counts.mismatched))
          return [`${where}: the row and the evidence have different counts`];
        if (!counts || !proofs)
          return verdict === 'passed'
            ? [`${where}: passed, but nothing in the evidence supports it`]
            : [];
        const follows = judgeComparison(counts, proofs).verdict;
        const isVoided =
          verdict === 'inconclusive' &&
          (follows === 'passed' || (follows === 'failed' && isVoidedFailure(row.reason)));
        return follows === verdict || isVoided
          ? []
          : [`${where}: the evidence says ${verdict}, but its counts and proofs mean ${follows}`];
      },
    ),
  );
}

export function evidenceUnlike(report: Report, evidence: readonly EvidenceLink[]): string[] {
  const known = new Map(evidence.map((e) => [e.number, e]));
  const said = new Set(report.evidence.map((e) => e.number));
  return [
    ...report.evidence.flatMap((e) => {
      const own = known.get(e.number);
      return own?.digest === e.digest && own.chain === e.chain ? [] : [`window ${e.number}`];
    }),
    ...evidence.filter((e) => !said.has(e.number)).map((e) => `window ${e.number} is missing`),
  ];
}
