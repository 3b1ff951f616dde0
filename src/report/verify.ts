// A report checked against the ledger: every digest computed from its document, every link of the chain, every verdict derived from its counts and proofs again,
// and the page's text against its data.
import { createHash } from 'node:crypto';
import type { AuditEvent, EvidenceLink } from '../domain/evidence/ledger-rows.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import {
  assessComparison,
  comparedOf,
  type Counts,
  type Proofs,
  type WindowRow,
} from '../domain/evidence/window.js';
import { buildReport, type Report, type ReportSource } from './build-report.js';
import { renderHtml } from './html.js';

export interface Finding {
  readonly what: string;
  /** Null = could not be looked at. */
  readonly holds: boolean | null;
  readonly detail: string;
}

/** Head of the chain after a window, as the run's own history holds it. */
export interface Anchor {
  readonly number: number;
  readonly chain: string;
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
    const report = JSON.parse(
      isPage
        ? embedded.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
        : embedded,
    ) as Report;
    if (
      report.kind !== 'Report' ||
      typeof report.name !== 'string' ||
      !Array.isArray(report.windows)
    )
      return 'holds JSON that is no report of a migration';
    return { report, html: isPage ? text : null };
  } catch (error) {
    return `holds no readable JSON: ${(error as Error).message}`;
  }
}

/** What a report says, held against the ledger up to the report's last window: a report is as old as that, but whole. */
export function lastWindowOf({
  windows,
  evidence,
  lags,
  differing,
  events,
  status,
}: Report): number {
  if (status.outcome !== null) return Infinity; // an ended run makes no more windows: all of them belong to its report
  const audited = events
    .filter((e) => e.kind === 'window')
    .map((e) => Number.parseInt(e.detail, 10) || 0);
  return Math.max(
    0,
    ...[...windows, ...evidence, ...lags].map((part) => part.number),
    ...differing.map((d) => d.last),
    ...audited,
  );
}

/** `version` of this sluice: a page written by another one may be worded differently. `source` MUST hold differences up to the report's last window only. */
export function verifyReport(
  { report, html }: ReadReport,
  whole: ReportSource,
  version: string,
): Finding[] {
  const { evidence } = whole;
  const last = lastWindowOf(report);
  const upToLast = <T extends { readonly number: number }>(parts: readonly T[]): T[] =>
    parts.filter((part) => part.number <= last);
  const source = {
    ...whole,
    windows: upToLast(whole.windows),
    evidence: upToLast(evidence),
    samples: upToLast(whole.samples),
  };
  return [
    finding(
      'digests',
      evidence.length,
      wrongDigests(evidence),
      'documents of the ledger hash to their digests',
    ),
    finding('chain', evidence.length, brokenLinks(evidence), 'links of the chain'),
    finding(
      'verdicts',
      evidence.length,
      wrongVerdicts(whole),
      'windows: verdicts follow from their counts and proofs',
    ),
    finding(
      'evidence',
      report.evidence.length,
      evidenceUnlike(report, source.evidence),
      'digests of the report are those of the ledger, none is left out',
    ),
    finding(
      'windows',
      report.windows.length,
      windowsUnlike(report, source.windows),
      'rows of the report are those of the ledger, none is left out',
    ),
    finding(
      'audit',
      report.events.length,
      unlike(report.events, source.events),
      'events of the report are the first of the ledger',
    ),
    statusLike(report, source),
    derived(report, source),
    ...(html === null ? [] : [pageSays(report, html, version)]),
  ];
}

/** The ledger against Temporal's history, which whoever may write to the ledger cannot change. A string = why the history could not be read. */
export function anchored(
  evidence: readonly EvidenceLink[],
  anchors: readonly Anchor[] | string,
): Finding {
  if (typeof anchors === 'string')
    return { what: 'history', holds: null, detail: `not compared: ${anchors}` };
  const known = new Map(evidence.map((e) => [e.number, e.chain]));
  const wrong = anchors.flatMap(({ number, chain }) => {
    const own = known.get(number);
    if (own === undefined) return [`window ${number} is in the history and not in the ledger`];
    return own === chain
      ? []
      : [`window ${number}: the ledger's chain is not the one that the run was answered`];
  });
  return finding(
    'history',
    anchors.length,
    wrong,
    "windows of Temporal's history have the ledger's chain",
  );
}

const finding = (what: string, of: number, wrong: readonly string[], said: string): Finding => ({
  what,
  holds: wrong.length === 0,
  detail:
    wrong.length === 0
      ? `${of} ${said}`
      : `${wrong.length} of ${of}: ${wrong.slice(0, SHOWN).join('; ')}`,
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function wrongDigests(evidence: readonly EvidenceLink[]): string[] {
  return evidence.flatMap((e) =>
    sha256(canonicalJson(e.document)) === e.digest
      ? []
      : [`window ${e.number}: the document was changed after it was recorded`],
  );
}

function brokenLinks(evidence: readonly EvidenceLink[]): string[] {
  return evidence.flatMap((e, at) => {
    const expected = sha256(`${evidence[at - 1]?.chain ?? ''}${e.digest}`);
    return expected === e.chain
      ? []
      : [`window ${e.number} does not follow window ${evidence[at - 1]?.number ?? '(none)'}`];
  });
}

/** A verdict may be weaker than its counts (something changed during the window), never stronger; and it MUST be the one that the rows show. */
function wrongVerdicts({ evidence, windows }: ReportSource): string[] {
  const rows = new Map(windows.map((w) => [`${w.number} ${w.subject}`, w]));
  return evidence.flatMap(({ number, document }) =>
    (document as { subjects: readonly EvidenceSubject[] }).subjects.flatMap(
      ({ subject, verdict, counts, proofs }) => {
        const where = `window ${number}, ${subject}`;
        const row = rows.get(`${number} ${subject}`);
        if (row?.verdict !== verdict)
          return [`${where}: evidence says ${verdict}, its row ${row?.verdict ?? 'is missing'}`];
        if (counts && (row.compared !== comparedOf(counts) || row.mismatched !== counts.mismatched))
          return [`${where}: the row's counts are not the evidence's`];
        if (!counts || !proofs)
          return verdict === 'passed'
            ? [`${where}: passed, but the evidence holds nothing that it follows from`]
            : [];
        const follows = assessComparison(counts, proofs).verdict;
        return follows === verdict || (follows === 'passed' && verdict === 'inconclusive')
          ? []
          : [`${where}: says ${verdict}, its counts and proofs say ${follows}`];
      },
    ),
  );
}

function evidenceUnlike(report: Report, evidence: readonly EvidenceLink[]): string[] {
  const known = new Map(evidence.map((e) => [e.number, e]));
  const said = new Set(report.evidence.map((e) => e.number));
  return [
    ...report.evidence.flatMap((e) => {
      const own = known.get(e.number);
      return own?.digest === e.digest && own.chain === e.chain ? [] : [`window ${e.number}`];
    }),
    ...evidence.filter((e) => !said.has(e.number)).map((e) => `window ${e.number} is left out`),
  ];
}

function windowsUnlike(report: Report, windows: readonly WindowRow[]): string[] {
  const known = new Map(windows.map((w) => [`${w.number} ${w.subject}`, canonicalJson(w)]));
  const said = new Set(report.windows.map((w) => `${w.number} ${w.subject}`));
  return [
    ...report.windows
      .filter((w) => known.get(`${w.number} ${w.subject}`) !== canonicalJson(w))
      .map((w) => `window ${w.number}, ${w.subject}`),
    ...windows
      .filter((w) => !said.has(`${w.number} ${w.subject}`))
      .map((w) => `window ${w.number}, ${w.subject} is left out`),
  ];
}

function unlike(events: Report['events'], known: ReportSource['events']): string[] {
  return events.flatMap((e, at) =>
    canonicalJson(e) === canonicalJson(known[at]) ? [] : [`${e.at} ${e.kind}`],
  );
}

/** Decisions are never taken back, and an outcome is final; the rest of a status moves on. Events that the status needs MUST be in the report. */
function statusLike(
  { status, events }: Report,
  { status: now, events: all }: ReportSource,
): Finding {
  const changed = status.approvals
    .filter((a, at) => canonicalJson(a) !== canonicalJson(now.approvals[at]))
    .map((a) => `${a.decision} by ${a.approver}`);
  if (status.outcome !== null && status.outcome !== now.outcome)
    changed.push(`outcome ${status.outcome}, the ledger says ${now.outcome ?? 'none yet'}`);
  if (status.outcome !== null && status.approvals.length < now.approvals.length)
    changed.push('decisions are left out');
  const phases = (list: readonly AuditEvent[]): string[] =>
    list.filter((e) => e.kind === 'phase').map((e) => e.detail);
  if (
    status.phase !== null &&
    phases(all).includes(status.phase) &&
    !phases(events).includes(status.phase)
  )
    changed.push(`events up to phase ${status.phase} are left out`);
  const epochs = (list: readonly AuditEvent[]): number =>
    Math.max(
      1,
      ...list.filter((e) => e.kind === 'epoch').map((e) => Number.parseInt(e.detail, 10) || 0),
    );
  if (epochs(events) < Math.min(status.epoch, epochs(all)))
    changed.push(`events up to epoch ${status.epoch} are left out`);
  return finding(
    'decisions',
    status.approvals.length,
    changed,
    'approvals and rejections, and the outcome, are those of the ledger',
  );
}

/** What the report says beside windows and events (tallies, freshness, differing rows, samples, phases, the hold) MUST be what the ledger gives. */
function derived(report: Report, source: ReportSource): Finding {
  const again = (showValues: boolean): Report =>
    buildReport(
      { ...source, status: report.status, events: report.events },
      { version: report.writtenBy, showValues },
    );
  const [masked, open] = [again(false), again(true)];
  const { evidence: _evidence, ...own } = report;
  const text = (part: unknown): string => canonicalJson(JSON.parse(JSON.stringify(part ?? null)));
  const keys = [...new Set([...Object.keys(own), ...Object.keys(masked)])].filter(
    (key) => key !== 'evidence',
  ) as (keyof typeof own)[];
  const wrong = keys.filter(
    (key) =>
      text(own[key]) !== text(masked[key]) &&
      !(key === 'samples' && text(own[key]) === text(open[key])),
  );
  return finding('derived', keys.length, wrong, 'parts follow from the ledger and the spec');
}

function pageSays(report: Report, html: string, version: string): Finding {
  const isSame = renderHtml(report).trim() === html.trim();
  const other =
    report.writtenBy === version
      ? ''
      : ` (written by sluice ${report.writtenBy}, this is ${version}: it may word the same differently)`;
  return {
    what: 'page',
    holds: isSame,
    detail: isSame
      ? 'the page says what its data says'
      : `the page's text is not what its data gives${other}`,
  };
}
