// Renders tables of the HTML report.
import { formatMs } from '../domain/values/duration.js';
import type { WindowRow } from '../domain/evidence/window.js';
import type { Report } from './build-report.js';
import { escapeHtml as e } from './escape.js';
import { table } from './page-frame.js';

/**
 * Shows, for each subject, how many of its windows passed, and the counts of its newest window that
 * has counts.
 */
export function subjectTable(windows: readonly WindowRow[]): string {
  const subjects = [...new Set(windows.map((w) => w.subject))];
  const rows = subjects.map((subject) => {
    const own = windows.filter((w) => w.subject === subject);
    const last = own.findLast((w) => w.compared !== null) ?? own.at(-1)!;
    const passed = own.filter((w) => w.verdict === 'passed').length;
    return [
      subject,
      last.mode,
      `${passed} of ${own.length}`,
      ...counts(last),
      cell(last.rowsRead),
      last.position ?? '-',
    ];
  });
  return table(
    ['subject', 'mode', 'passed', ...COUNTS, 'rows read', 'at position'],
    rows,
    3,
    4 + COUNTS.length,
  );
}

const COUNTS = [
  'compared',
  'matched',
  'missing',
  'extraneous',
  'mismatched',
  'unstable',
  'unknown',
] as const;

const cell = (value: number | null): string => (value === null ? '-' : String(value));

export const counts = (w: WindowRow): string[] => COUNTS.map((name) => cell(w[name]));

export const phaseTable = ({ phases }: Report): string =>
  table(
    ['phase', 'entered', 'took'],
    phases.map((p) => [p.phase, p.at, p.ms === null ? 'still running' : formatMs(p.ms)]),
  );

export function windowTable({ windows, evidence }: Report): string {
  const digest = new Map(evidence.map((link) => [link.number, link.digest.slice(0, 12)]));
  const body = windows.map((w) => {
    const cells = [
      String(w.number),
      w.subject,
      null,
      w.at,
      ...counts(w),
      w.reason,
      digest.get(w.number) ?? '-',
    ];
    return `<tr>${cells.map((c, at) => (c === null ? `<td class="${w.verdict}"><b>${w.verdict}</b></td>` : `<td${at > 3 && at < 11 ? ' class="n"' : ''}>${e(c)}</td>`)).join('')}</tr>`;
  });
  const head = ['#', 'subject', 'verdict', 'at', ...COUNTS, 'reason', 'digest'].map(
    (h, at) => `<th${at > 3 && at < 11 ? ' class="n"' : ''}>${h}</th>`,
  );
  return `<div class="wide"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

export function objects({ status }: Report): string {
  const rows = [
    ...status.handedOver.map((o) => [o.kind, o.name, 'handed over, running']),
    ...status.leftovers.map((o) => [o.kind, o.name, 'LEFT OVER: remove it']),
  ];
  if (rows.length === 0)
    return `<p>${status.outcome ? 'No object of this migration is left.' : 'This list is complete when the migration has ended.'}</p>`;
  const advice = status.handedOver.some((o) => o.kind === 'slot')
    ? '<p>The replication slot is yours now: watch <code>pg_replication_slots.wal_status</code> and its retained WAL, and drop the slot as soon as you have stopped the connector permanently.</p>'
    : '';
  return `${table(['kind', 'name', ''], rows)}${advice}`;
}
