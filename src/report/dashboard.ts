// Every migration on one page: where each stands, what it waits for, and what a person would type. PURE.
import type { Status } from '../domain/ledger.js';
import { escapeHtml as e } from './escape.js';
import { page, section, table } from './page.js';

const said = (s: Status): string =>
  s.outcome ?? (s.blocked ? `blocked: ${s.blocked.code}` : s.paused ? 'paused' : s.needsApproval ? 'waits for approval' : 'going on');
const colour = (s: Status): string =>
  s.outcome === 'migrated' ? 'passed' : s.blocked || s.leftovers.length > 0 ? 'failed' : s.outcome ? 'errored' : 'inconclusive';

/** `at` = ISO time of the look. */
export function renderDashboard(migrations: readonly Status[], at: string): string {
  const waiting = migrations.filter((s) => !s.outcome && (s.blocked !== null || s.needsApproval));
  const rows = migrations.map((s) => {
    const cells = [
      e(s.name),
      `<b class="${colour(s)}">${e(said(s))}</b>`,
      e(s.phase ?? 'not begun'),
      String(s.iteration),
      String(s.generation),
      s.lag.ms === null ? '-' : `${s.lag.ms} ms`,
      s.route ? e(s.route.side) : '-',
      e(s.next[0] ?? ''),
    ];
    return `<tr>${cells.map((c) => `<td>${c}</td>`).join('')}</tr>`;
  });
  const head = ['migration', 'state', 'phase', 'iteration', 'generation', 'lag', 'consumers read', 'next'].map((h) => `<th>${h}</th>`).join('');
  return page(
    'Migrations',
    [
      `<h1>Migrations</h1><p class="soft">As the ledger knew them at ${e(at)}</p>`,
      `<p class="verdict${waiting.length > 0 ? ' open' : ''}"><b>${waiting.length === 0 ? 'Nobody is waited for.' : `${waiting.length} wait for a person.`}</b></p>`,
      ...(waiting.length > 0
        ? [
            section(
              'Waiting for a person',
              table(
                ['migration', 'for', 'remedy'],
                waiting.map((s) => [s.name, s.blocked ? s.blocked.detail : `approval of ${s.evidenceId ?? '-'}`, s.blocked?.remedy ?? s.next[0] ?? '']),
              ),
            ),
          ]
        : []),
      section(
        'All',
        migrations.length === 0 ? '<p>None yet.</p>' : `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
      ),
    ].join('\n'),
    migrations,
  );
}
