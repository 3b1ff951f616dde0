// Renders a report as one self-contained HTML page for stakeholders. The page has no script and
// loads nothing. Every text from outside is escaped.
import { formatBytes, formatMs } from '../domain/values/duration.js';
import type { Difference } from '../domain/evidence/window.js';
import type { Report } from './build-report.js';
import { lagChart, phaseChart, windowChart } from './charts.js';
import { escapeHtml as e } from './escape.js';
import { notCompared } from './not-compared.js';
import { page, section, table } from './page-frame.js';
import {
  BLOCKED_TIME_COLUMNS,
  blockedAfterCommit,
  soakSentence,
  blockedTimeRow,
} from './blocked-times.js';
import { subjectTable, windowTable, phaseTable, objects } from './report-page-tables.js';
import { wayBack } from './way-back.js';

const MOST_LAGS = 60;

/** `items` is escaped HTML. */
const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;

export function renderHtml(report: Report): string {
  const { status } = report;
  const sections = [
    section('Who decided', decisions(report)),
    section(
      'What was compared',
      `${windowChart(report.windows)}<p class="soft">The counts of the newest measured window of each subject:</p>${subjectTable(report.windows)}`,
    ),
    section(
      'What was not compared',
      list(notCompared(report, { text: e, name: (name) => `<code>${e(name)}</code>` })),
    ),
    ...(report.differing.length > 0 ? [section('What differed', differing(report))] : []),
    section('Freshness and cost', freshness(report)),
    section(
      'Phases',
      `${phaseChart(report.phases)}${phaseTable(report)}${cutover(report)}${hold(report)}${standing(report)}`,
    ),
    section('Rollback', `<p>${wayBack(report, e)}</p>`),
    section('Windows', windowTable(report)),
    section('Remaining objects', objects(report)),
    section(
      'Audit',
      table(
        ['at', 'what', 'detail'],
        report.events.map((v) => [v.at, v.kind, v.detail]),
      ),
    ),
  ];
  return page(
    `${report.name}: ${status.outcome ?? status.phase ?? 'not begun'}`,
    `<h1>${e(report.name)}</h1>
<p class="soft">Iteration ${status.iteration}, generation ${status.generation} · plan <code>${e(report.planHash)}</code> · started ${e(report.startedAt)} · written by sluice ${e(report.writtenBy)}</p>
${headline(report)}
${sections.join('\n')}`,
    report,
  );
}

function headline({ status, hasBatch, verdicts, windows, blockedTimes }: Report): string {
  const said = status.outcome
    ? {
        migrated: 'Migrated',
        'rolled-back': 'Rolled back',
        rejected: 'Rejected',
        aborted: 'Aborted',
      }[status.outcome]
    : status.blocked
      ? `Blocked (${status.blocked.code}) in ${status.phase}`
      : `In phase ${status.phase}`;
  const kind =
    status.outcome === 'migrated' ? '' : status.outcome || status.blocked ? ' bad' : ' open';
  const numbers = new Set(windows.map((w) => w.number)).size;
  // without a batch, only the lease row changes, and no consumer is observed
  const route =
    status.route && hasBatch
      ? ` Consumers read the <b>${status.route.side}</b> side, observed ${e(status.route.observedAt)}.`
      : '';
  const why = status.blocked
    ? ` ${e(status.blocked.detail)}. <b>Remedy:</b> ${e(status.blocked.remedy)}.`
    : '';
  const held = blockedAfterCommit(blockedTimes);
  const count = Object.entries(verdicts)
    .filter(([, n]) => n > 0)
    .map(([verdict, n]) => `${n} ${verdict}`)
    .join(', ');
  return `<p class="verdict${kind}"><b>${e(said)}.</b>${why}${route}${held ? ` ${e(held)}` : ''} ${numbers} validation windows (${count || 'none yet'}, counted per subject).</p>`;
}

function decisions({ status }: Report): string {
  if (status.approvals.length === 0) return '<p>No approval or rejection is recorded.</p>';
  const rows = status.approvals.map((a) => [
    a.at,
    a.approver,
    a.decision,
    a.accepted ? 'accepted' : 'refused',
    a.evidenceId ?? '-',
    a.authenticated ? 'yes' : 'no: everyone who may signal the workflow can do this',
    a.comment ?? '-',
    a.reason,
  ]);
  return table(
    [
      'at',
      'who',
      'decision',
      'answer',
      'evidence',
      'authenticated',
      'their reason',
      'the gate said',
    ],
    rows,
  );
}

function differing({ differing: columns, samples }: Report): string {
  const byColumn = table(
    ['subject', 'class', 'column', 'differences kept', 'last seen in window'],
    columns.map((d) => [
      d.subject,
      d.class,
      d.column ?? '(whole row)',
      String(d.kept),
      String(d.last),
    ]),
    3,
    5,
  );
  const keyOf = (d: Difference): string =>
    Object.entries(d.key)
      .map(([name, value]) => `${name}=${value ?? 'NULL'}`)
      .join(' ');
  const rows = samples.map((d) => [
    d.class,
    keyOf(d),
    d.column ?? '(whole row)',
    d.batch ?? 'NULL',
    d.stream ?? 'NULL',
  ]);
  return `${byColumn}<h3>Samples of the newest window that found differences</h3>${table(['class', 'key', 'column', 'batch', 'stream'], rows)}`;
}

function freshness({ freshness: f, lags }: Report): string {
  const facts = [
    ...(f.stream
      ? [
          `A change reaches the end of the path in <b>${formatMs(f.stream.medianMs)}</b> (median of ${f.stream.windows} windows; worst ${formatMs(f.stream.worstMs)}).`,
        ]
      : ['The time that a change takes through the whole path was not measured yet.']),
    ...(f.batch
      ? [
          `The batch's numbers are <b>${formatMs(f.batch.averageMs)}</b> old on average and up to ${formatMs(f.batch.worstMs)}, over its newest ${f.batch.runs} runs${f.stream ? `; that is ${Math.round(f.batch.averageMs / Math.max(1, f.stream.medianMs)).toLocaleString('en')} times the delay of the stream` : ''}.`,
        ]
      : []),
    ...(f.cost
      ? [
          `Cost of comparing at the plan's pace: ${f.cost.windowsPerDay.toLocaleString('en')} windows a day keep at most two backends of the source busy for ${formatMs(f.cost.sourceMsPerDay)} a day and read ${f.cost.rowsPerDay.toLocaleString('en')} rows${f.cost.retainedBytes === null ? '' : `; at most ${formatBytes(f.cost.retainedBytes)} of WAL was retained`}.`,
        ]
      : []),
  ];
  const rows = lags.map((l) => [
    String(l.number),
    l.at,
    l.lag.ms === null ? '-' : formatMs(l.lag.ms),
    l.lag.bytes === null ? '-' : formatBytes(l.lag.bytes),
    l.lag.records === null ? '-' : String(l.lag.records),
  ]);
  const detail =
    lags.length === 0
      ? ''
      : `${lagChart(lags, f.thresholdMs)}${table(['window', 'at', 'lag', 'WAL not acknowledged', 'records not read'], rows.slice(-MOST_LAGS), 2, 5)}`;
  return `${list(facts)}${detail}`;
}

function cutover({ cutover: steps }: Report): string {
  const rows = steps.map((s) => [s.name, s.does, s.undo ?? '-', s.at ?? 'not yet']);
  return `<h3>The cut-over, step by step</h3>${table(['step', 'does', 'undo', 'begun'], rows, 3, 4)}`;
}

function hold({ hold: held }: Report): string {
  if (!held) return '';
  const rows = [
    ...held.steps.map((s) => [s.what, s.at, formatMs(s.ms)]),
    ['fence to commit', '', formatMs(held.totalMs)],
  ];
  const proofs =
    held.proofs.length === 0 ? '' : `<p>Proven during the fence:</p>${list(held.proofs.map(e))}`;
  return `<h3>From the fence to the commit</h3>${table(['step', 'done', 'took'], rows, 2, 3)}${proofs}`;
}

function standing({ soak, blockedTimes }: Report): string {
  const rows = blockedTimes.map(blockedTimeRow);
  return `${soak ? `<h3>Soak</h3><p>${e(soakSentence(soak))}</p>` : ''}${
    rows.length > 0 ? `<h3>Times when it was blocked</h3>${table(BLOCKED_TIME_COLUMNS, rows)}` : ''
  }`;
}
