// Renders all migrations on one HTML page: the state of each, what it waits for, and the command
// that helps.
import type { Status } from '../domain/evidence/ledger-rows.js';
import type { Standing } from '../domain/migration/run-standing.js';
import { escapeHtml as e } from './escape.js';
import { page, section, table } from './page-frame.js';
import { stateOf } from './state-words.js';

/**
 * `standing` is the run's state at Temporal, if Temporal was asked. `recordedAt` (ISO) is when the
 * ledger's status was written.
 */
export type Shown = Status & { readonly standing?: Standing; readonly recordedAt: string };

const isTroubled = (s: Shown): boolean => !s.outcome && (s.standing?.problem ?? null) !== null;
const color = (s: Shown): string =>
  s.outcome === 'migrated'
    ? 'passed'
    : s.blocked || s.leftovers.length > 0 || isTroubled(s)
      ? 'failed'
      : s.outcome
        ? 'errored'
        : 'inconclusive';
const reason = (s: Shown): string =>
  isTroubled(s)
    ? s.standing!.problem!
    : s.blocked
      ? s.blocked.detail
      : `approval of ${s.evidenceId ?? '-'}`;
const remedy = (s: Shown): string =>
  isTroubled(s) ? s.standing!.remedy.join('; ') : (s.blocked?.remedy ?? s.next[0] ?? '');

/** Returns the page. `at` is when the states were read (ISO time). */
export function renderDashboard(migrations: readonly Shown[], at: string): string {
  const waiting = migrations.filter(
    (s) => !s.outcome && (s.blocked !== null || s.needsApproval || isTroubled(s)),
  );
  const rows = migrations.map((s) => {
    const cells = [
      e(s.name),
      `<b class="${color(s)}">${e(stateOf(s))}</b>`,
      e(s.phase ?? 'not begun'),
      String(s.iteration),
      String(s.generation),
      s.lag.ms === null ? '-' : `${s.lag.ms} ms`,
      s.route ? e(s.route.side) : '-',
      e(s.recordedAt),
      e(s.next[0] ?? ''),
    ];
    return `<tr>${cells.map((c) => `<td>${c}</td>`).join('')}</tr>`;
  });
  const head = [
    'migration',
    'state',
    'phase',
    'iteration',
    'generation',
    'lag',
    'consumers read',
    'as of',
    'next',
  ]
    .map((h) => `<th>${h}</th>`)
    .join('');
  return page(
    'Migrations',
    [
      `<h1>Migrations</h1><p class="soft">From the ledger and from Temporal, at ${e(at)}</p>`,
      `<p class="verdict${waiting.length > 0 ? ' open' : ''}"><b>${waiting.length === 0 ? 'No migration waits for a person.' : `${waiting.length} wait for a person.`}</b></p>`,
      ...(waiting.length > 0
        ? [
            section(
              'Waiting for a person',
              table(
                ['migration', 'for', 'remedy'],
                waiting.map((s) => [s.name, reason(s), remedy(s)]),
              ),
            ),
          ]
        : []),
      section(
        'All',
        migrations.length === 0
          ? '<p>None yet.</p>'
          : `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
      ),
    ].join('\n'),
    migrations,
  );
}
