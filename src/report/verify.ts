// A report checked against the ledger: every digest computed from its document, every link of the chain, every verdict derived from its counts and proofs again,
// and the page's text against its data.
import { createHash } from 'node:crypto';
import type { EvidenceLink } from '../domain/ledger.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { assessComparison, comparedOf, type Counts, type Proofs, type WindowRow } from '../domain/window.js';
import { buildReport, type Report, type ReportSource } from './build-report.js';
import { renderHtml } from './html.js';

export interface Finding {
  readonly what: string;
  readonly holds: boolean;
  readonly detail: string;
}

export interface ReadReport {
  readonly report: Report;
  /** The page it was embedded in; null for plain JSON. */
  readonly html: string | null;
}

interface EvidenceSubject {
  readonly subject: string;
  readonly verdict: WindowRow['verdict'];
  readonly counts: Counts | null;
  readonly proofs?: Proofs | null;
}

const EMBEDDED = /<details><summary>The same as JSON<\/summary><pre>([\s\S]*)<\/pre><\/details>/;
const SHOWN = 3;

/** A string = why the file is no report. */
export function readReport(text: string): ReadReport | string {
  const isPage = text.trimStart().startsWith('<');
  const embedded = isPage ? EMBEDDED.exec(text)?.[1] : text;
  if (embedded === undefined) return 'is no report: it has no embedded JSON';
  try {
    const report = JSON.parse(isPage ? embedded.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&') : embedded) as Report;
    if (report.kind !== 'Report' || typeof report.name !== 'string' || !Array.isArray(report.windows)) return 'holds JSON that is no report of a migration';
    return { report, html: isPage ? text : null };
  } catch (error) {
    return `holds no readable JSON: ${(error as Error).message}`;
  }
}

/** `version` of this sluice: a page written by another one may be worded differently. */
export function verifyReport({ report, html }: ReadReport, source: ReportSource, version: string): Finding[] {
  const { evidence } = source;
  return [
    finding('digests', evidence.length, wrongDigests(evidence), 'documents of the ledger hash to their digests'),
    finding('chain', evidence.length, brokenLinks(evidence), 'links of the chain'),
    finding('verdicts', evidence.length, wrongVerdicts(source), 'windows: verdicts follow from their counts and proofs'),
    finding('evidence', report.evidence.length, evidenceUnlike(report, evidence), 'digests of the report are those of the ledger'),
    finding('windows', report.windows.length, windowsUnlike(report, source.windows), 'rows of the report are those of the ledger'),
    finding('audit', report.events.length, unlike(report.events, source.events), 'events of the report are the first of the ledger'),
    statusLike(report, source),
    derived(report, source),
    ...(html === null ? [] : [pageSays(report, html, version)]),
  ];
}

const finding = (what: string, of: number, wrong: readonly string[], said: string): Finding => ({
  what,
  holds: wrong.length === 0,
  detail: wrong.length === 0 ? `${of} ${said}` : `${wrong.length} of ${of}: ${wrong.slice(0, SHOWN).join('; ')}`,
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function wrongDigests(evidence: readonly EvidenceLink[]): string[] {
  return evidence.flatMap((e) =>
    sha256(canonicalJson(e.document)) === e.digest ? [] : [`window ${e.number}: the document was changed after it was recorded`],
  );
}

function brokenLinks(evidence: readonly EvidenceLink[]): string[] {
  return evidence.flatMap((e, at) => {
    const expected = sha256(`${evidence[at - 1]?.chain ?? ''}${e.digest}`);
    return expected === e.chain ? [] : [`window ${e.number} does not follow window ${evidence[at - 1]?.number ?? '(none)'}`];
  });
}

/** A verdict may be weaker than its counts (something changed during the window), never stronger; and it MUST be the one that the rows show. */
function wrongVerdicts({ evidence, windows }: ReportSource): string[] {
  const rows = new Map(windows.map((w) => [`${w.number} ${w.subject}`, w]));
  return evidence.flatMap(({ number, document }) =>
    (document as { subjects: readonly EvidenceSubject[] }).subjects.flatMap(({ subject, verdict, counts, proofs }) => {
      const where = `window ${number}, ${subject}`;
      const row = rows.get(`${number} ${subject}`);
      if (row?.verdict !== verdict) return [`${where}: evidence says ${verdict}, its row ${row?.verdict ?? 'is missing'}`];
      if (counts && (row.compared !== comparedOf(counts) || row.mismatched !== counts.mismatched)) return [`${where}: the row's counts are not the evidence's`];
      if (!counts || !proofs) return verdict === 'passed' ? [`${where}: passed, but the evidence holds nothing that it follows from`] : [];
      const follows = assessComparison(counts, proofs).verdict;
      return follows === verdict || (follows === 'passed' && verdict === 'inconclusive')
        ? []
        : [`${where}: says ${verdict}, its counts and proofs say ${follows}`];
    }),
  );
}

function evidenceUnlike(report: Report, evidence: readonly EvidenceLink[]): string[] {
  const known = new Map(evidence.map((e) => [e.number, e]));
  return report.evidence.flatMap((e) => {
    const own = known.get(e.number);
    return own?.digest === e.digest && own.chain === e.chain ? [] : [`window ${e.number}`];
  });
}

function windowsUnlike(report: Report, windows: readonly WindowRow[]): string[] {
  const known = new Map(windows.map((w) => [`${w.number} ${w.subject}`, canonicalJson(w)]));
  const shown = new Set(report.windows.map((w) => w.number));
  const said = new Set(report.windows.map((w) => `${w.number} ${w.subject}`));
  return [
    ...report.windows.filter((w) => known.get(`${w.number} ${w.subject}`) !== canonicalJson(w)).map((w) => `window ${w.number}, ${w.subject}`),
    ...windows.filter((w) => shown.has(w.number) && !said.has(`${w.number} ${w.subject}`)).map((w) => `window ${w.number}, ${w.subject} is left out`),
  ];
}

function unlike(events: Report['events'], known: ReportSource['events']): string[] {
  return events.flatMap((e, at) => (canonicalJson(e) === canonicalJson(known[at]) ? [] : [`${e.at} ${e.kind}`]));
}

/** Decisions are never taken back, and an outcome is final; the rest of a status moves on. */
function statusLike({ status }: Report, { status: now }: ReportSource): Finding {
  const changed = status.approvals.filter((a, at) => canonicalJson(a) !== canonicalJson(now.approvals[at])).map((a) => `${a.decision} by ${a.approver}`);
  if (status.outcome !== null && status.outcome !== now.outcome) changed.push(`outcome ${status.outcome}, the ledger says ${now.outcome ?? 'none yet'}`);
  return finding('decisions', status.approvals.length, changed, 'approvals and rejections, and the outcome, are those of the ledger');
}

/** What the report says of its own data (tallies, phases, the hold) MUST be what its windows and events give. */
function derived(report: Report, source: ReportSource): Finding {
  const { samples } = source;
  const again = buildReport(
    {
      ...source,
      status: report.status,
      startedAt: report.startedAt,
      windows: report.windows,
      events: report.events,
      samples: samples.filter((s) => report.lags.some((l) => l.number === s.number)),
      differing: report.differing,
      differences: [],
    },
    { version: report.writtenBy, showValues: false },
  );
  const { evidence: _evidence, samples: _samples, ...own } = report;
  const wrong = Object.keys(own).filter((key) => canonicalJson(own[key as keyof typeof own]) !== canonicalJson(again[key as keyof Report]));
  return finding('derived', Object.keys(own).length, wrong, 'parts follow from windows, events and the spec');
}

function pageSays(report: Report, html: string, version: string): Finding {
  const isSame = renderHtml(report).trim() === html.trim();
  const other = report.writtenBy === version ? '' : ` (written by sluice ${report.writtenBy}, this is ${version}: it may word the same differently)`;
  return { what: 'page', holds: isSame, detail: isSame ? 'the page says what its data says' : `the page's text is not what its data gives${other}` };
}
