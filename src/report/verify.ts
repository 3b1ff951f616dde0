// Checks a report against the ledger. It computes the digest of every evidence document again,
// follows the chain, and derives verdicts from their counts and proofs. If the report is an HTML
// page, it also compares the text of the page with the data in it.
import { eventsOf } from '../domain/audit.js';
import type { EvidenceLink } from '../domain/evidence/ledger-rows.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import { because, ok, type OrReason } from '../domain/values/or-reason.js';
import type { WindowRow } from '../domain/evidence/window.js';
import { buildReport, type Report, type ReportSource } from './build-report.js';
import { renderHtml } from './report-page.js';
import {
  wrongDigests,
  brokenLinks,
  wrongVerdicts,
  type Finding,
  finding,
  evidenceUnlike,
} from './verify-links.js';
import { statusLike } from './verify-status.js';

/** The end of the evidence chain after a window, as Temporal's history records it. */
export interface Anchor {
  readonly number: number;
  readonly chain: string;
}

export interface ReadReport {
  readonly report: Report;
  /** The page that contained the report. Null for plain JSON. */
  readonly html: string | null;
}

const EMBEDDED = /<details><summary>This data as JSON<\/summary><pre>([\s\S]*)<\/pre><\/details>/;

/** Reads a report from JSON or an HTML page. Returns the reason if the text is no report. */
export function readReport(text: string): OrReason<ReadReport> {
  const isPage = text.trimStart().startsWith('<');
  const embedded = isPage ? EMBEDDED.exec(text)?.[1] : text;
  if (embedded === undefined) return because('is not a report: it has no embedded JSON');
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
      return because('contains JSON that is not a report of a migration');
    if (!isPage && keysIn(text) !== keysOf(report))
      return because(
        'contains the same key twice in one object, so a person may read a different value',
      );
    return ok({ report, html: isPage ? text : null });
  } catch (error) {
    return because(`contains no readable JSON: ${(error as Error).message}`);
  }
}

/** Counts the keys in a JSON text. JSON.parse keeps only the last of several equal keys. */
const keysIn = (text: string): number =>
  [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((match) => match[1] !== undefined).length;

/** Counts the keys of all objects in a value. */
function keysOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  const parts = Object.values(value);
  return parts.reduce((sum, part) => sum + keysOf(part), Array.isArray(value) ? 0 : parts.length);
}

/** Returns the number of a report's last window, up to which the report must be complete. */
export function lastWindowOf({
  windows,
  evidence,
  lags,
  differing,
  events,
  status,
}: Report): number {
  // a run that has ended gets no more windows, so its report must contain all
  if (status.outcome !== null) return Infinity;
  const audited = eventsOf(events, 'window').map((e) => e.number);
  return Math.max(
    0,
    ...[...windows, ...evidence, ...lags].map((part) => part.number),
    ...differing.map((d) => d.last),
    ...audited,
  );
}

/**
 * Returns all findings about a report. `version` is this version of sluice. A different version may
 * word the page differently. `whole` is what the ledger has now, but it MUST contain differences
 * only up to the report's last window.
 */
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
      'documents of the ledger match their digests',
    ),
    finding('chain', evidence.length, brokenLinks(evidence), 'links of the chain are intact'),
    finding(
      'verdicts',
      evidence.length,
      wrongVerdicts(whole),
      'windows have verdicts that follow from their counts and proofs',
    ),
    finding(
      'evidence',
      report.evidence.length,
      evidenceUnlike(report, source.evidence),
      'digests of the report equal those of the ledger, and no digest is missing',
    ),
    finding(
      'windows',
      report.windows.length,
      windowsUnlike(report, source.windows),
      'rows of the report equal those of the ledger, and no row is missing',
    ),
    finding(
      'audit',
      report.events.length,
      unlike(report.events, source.events),
      'events of the report equal the first events of the ledger',
    ),
    statusLike(report, source),
    derived(report, source),
    ...(html === null ? [] : [pageSays(report, html, version)]),
  ];
}

/**
 * Compares the ledger with Temporal's history, because write access to the ledger is not enough to
 * change the history. If the history could not be read, `anchors` is the reason. If only the ledger
 * has a window, the check is not possible (`holds` is null). The cause may be a reset of the run,
 * the death of a worker, or a forgery.
 */
export function anchored(
  evidence: readonly EvidenceLink[],
  anchors: OrReason<readonly Anchor[]>,
): Finding {
  if (!anchors.ok)
    return { what: 'history', holds: null, detail: `not compared: ${anchors.reason}` };
  const known = new Map(evidence.map((e) => [e.number, e.chain]));
  const wrong = anchors.value.flatMap(({ number, chain }) => {
    const own = known.get(number);
    if (own === undefined) return [`window ${number} is in the history but not in the ledger`];
    return own === chain
      ? []
      : [`window ${number}: the ledger and the run's history have different chains`];
  });
  const inHistory = new Set(anchors.value.map(({ number }) => number));
  const more = [...known.keys()].filter((number) => !inHistory.has(number));
  if (wrong.length === 0 && more.length > 0)
    return {
      what: 'history',
      holds: null,
      detail: `not compared for ${more.length} of ${known.size} windows (the first is window ${more[0]}): Temporal's history lacks them, because the run was reset or had just recorded them, or because a person added them to the ledger`,
    };
  return finding(
    'history',
    anchors.value.length,
    wrong,
    "windows of Temporal's history have the same chain in the ledger, and the ledger has no other window",
  );
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
      .map((w) => `window ${w.number}, ${w.subject} is missing`),
  ];
}

/**
 * Returns the report's events whose fields differ from the ledger's. `derived` checks that the
 * texts of the events follow from the fields.
 */
function unlike(events: Report['events'], known: ReportSource['events']): string[] {
  return events.flatMap(({ detail: _detail, ...event }, at) =>
    canonicalJson(event) === canonicalJson(known[at]) ? [] : [`${event.at} ${event.kind}`],
  );
}

/**
 * Builds the report again, and checks that the computed parts are equal, such as tallies,
 * freshness, samples, phases and the hold. Samples may be masked or not. `evidence` has its own
 * finding.
 */
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
      : ` (sluice ${report.writtenBy} wrote it, and this version, ${version}, may word it differently)`;
  return {
    what: 'page',
    holds: isSame,
    detail: isSame
      ? 'the text of the page matches its data'
      : `the text of the page does not match its data${other}`,
  };
}
