// Report model → one self-contained page for a stakeholder: no script, nothing loaded, every text from outside escaped. PURE.
import { formatMs } from '../domain/duration.js';
import type { WindowRow } from '../domain/window.js';
import type { Report } from './build-report.js';
import { phaseChart, windowChart } from './charts.js';
import { escapeHtml as e } from './escape.js';
import { page, section, table } from './page.js';

export function renderHtml(report: Report): string {
  const { status } = report;
  const sections = [
    section('Who decided', decisions(report)),
    section(
      'What was compared',
      `${windowChart(report.windows)}<p class="soft">Per subject, the counts of its newest measured window:</p>${subjectTable(report.windows)}`,
    ),
    section('What was not', notCompared(report)),
    section('Phases', `${phaseChart(report.phases)}${phaseTable(report)}`),
    section('Windows', windowTable(report)),
    section('What is left and whose it is', objects(report)),
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
<p class="soft">Iteration ${status.iteration}, generation ${status.generation} · plan <code>${e(report.planHash)}</code> · started ${e(report.startedAt)}</p>
${headline(report)}
${sections.join('\n')}`,
    report,
  );
}

function headline({ status, verdicts, windows }: Report): string {
  const said = status.outcome
    ? { migrated: 'Migrated', 'rolled-back': 'Rolled back', rejected: 'Rejected', aborted: 'Aborted' }[status.outcome]
    : status.blocked
      ? `Blocked (${status.blocked.code}) in ${status.phase}`
      : `In phase ${status.phase}`;
  const kind = status.outcome === 'migrated' ? '' : status.outcome || status.blocked ? ' bad' : ' open';
  const numbers = new Set(windows.map((w) => w.number)).size;
  const route = status.route ? ` Consumers read the <b>${status.route.side}</b> side, observed ${e(status.route.observedAt)}.` : '';
  const why = status.blocked ? ` ${e(status.blocked.detail)}. <b>Remedy:</b> ${e(status.blocked.remedy)}.` : '';
  const count = Object.entries(verdicts)
    .filter(([, n]) => n > 0)
    .map(([verdict, n]) => `${n} ${verdict}`)
    .join(', ');
  return `<p class="verdict${kind}"><b>${e(said)}.</b>${why}${route} ${numbers} validation windows (${count || 'none yet'}, counted per subject).</p>`;
}

function decisions({ status }: Report): string {
  if (status.approvals.length === 0) return '<p>No approval and no rejection is on record.</p>';
  const rows = status.approvals.map((a) => [
    a.at,
    a.approver,
    a.decision,
    a.accepted ? 'accepted' : 'refused',
    a.evidenceId ?? '-',
    a.authenticated ? 'yes' : 'no: anybody who may signal the workflow can do this',
    a.reason,
  ]);
  return table(['at', 'who', 'decision', 'answer', 'evidence', 'authenticated', 'reason'], rows);
}

/** The newest measured window of each subject, and its tally over all windows. */
function subjectTable(windows: readonly WindowRow[]): string {
  const subjects = [...new Set(windows.map((w) => w.subject))];
  const rows = subjects.map((subject) => {
    const own = windows.filter((w) => w.subject === subject);
    const last = own.findLast((w) => w.compared !== null) ?? own.at(-1)!;
    const passed = own.filter((w) => w.verdict === 'passed').length;
    return [subject, last.mode, `${passed} of ${own.length}`, ...counts(last), last.position ?? '-'];
  });
  return table(['subject', 'mode', 'passed', ...COUNTS, 'at position'], rows, 3, 3 + COUNTS.length);
}

const COUNTS = ['compared', 'matched', 'missing', 'extraneous', 'mismatched', 'unstable', 'unknown'] as const;
const counts = (w: WindowRow): string[] => COUNTS.map((name) => (w[name] === null ? '-' : String(w[name])));

function notCompared({ windows, status }: Report): string {
  const unmeasured = windows.filter((w) => w.compared === null);
  const items = [
    ...(unmeasured.length > 0 ? [`${unmeasured.length} times a subject could not be measured (inconclusive or errored windows below say why).`] : []),
    'Columns and checks that the plan leaves out by name: see the plan (<code>sluice plan</code>) with the hash above.',
    'Keys that changed in every round of a window count as unstable, values that cannot be decoded as unknown: neither is ever counted as equal.',
    ...(status.outcome === 'migrated' ? ['What happens after the hand-over is no longer watched by this migration.'] : []),
  ];
  return `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

const phaseTable = ({ phases }: Report): string =>
  table(
    ['phase', 'entered', 'took'],
    phases.map((p) => [p.phase, p.at, p.ms === null ? 'going on' : formatMs(p.ms)]),
  );

function windowTable({ windows, evidence }: Report): string {
  const digest = new Map(evidence.map((link) => [link.number, link.digest.slice(0, 12)]));
  const body = windows.map((w) => {
    const cells = [String(w.number), w.subject, null, w.at, ...counts(w), w.reason, digest.get(w.number) ?? '-'];
    return `<tr>${cells.map((c, at) => (c === null ? `<td class="${w.verdict}"><b>${w.verdict}</b></td>` : `<td${at > 3 && at < 11 ? ' class="n"' : ''}>${e(c)}</td>`)).join('')}</tr>`;
  });
  const head = ['#', 'subject', 'verdict', 'at', ...COUNTS, 'reason', 'digest'].map((h, at) => `<th${at > 3 && at < 11 ? ' class="n"' : ''}>${h}</th>`);
  return `<div class="wide"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function objects({ status }: Report): string {
  const rows = [
    ...status.handedOver.map((o) => [o.kind, o.name, 'handed over, running']),
    ...status.leftovers.map((o) => [o.kind, o.name, 'LEFT OVER: remove it']),
  ];
  if (rows.length === 0) return `<p>${status.outcome ? 'Nothing of ours is left.' : 'Known at the end.'}</p>`;
  const advice = status.handedOver.some((o) => o.kind === 'slot')
    ? '<p>The replication slot is yours now: watch <code>pg_replication_slots.wal_status</code> and its retained WAL, and drop the slot before you stop the connector for good.</p>'
    : '';
  return `${table(['kind', 'name', ''], rows)}${advice}`;
}
