// Renders all migrations on one HTML page: the state of each, what it waits for, and the command
// that helps.
import type { Status } from '../domain/evidence/ledger-rows.js';
import type { Standing } from '../domain/migration/run-standing.js';
import { escapeHtml as e } from './escape.js';
import { page, section, table } from './page-frame.js';
import { REMOVE_LEFTOVERS, stateOf } from './state-words.js';

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
const namesOf = (objects: Shown['leftovers']): string =>
  objects.map(({ kind, name }) => `${kind} ${name}`).join(', ');

/** The reason why a run waits for a person, and what the person must do. */
interface Waiting {
  readonly reason: string;
  readonly remedy: string;
}

/** Returns null if the run continues without a person, or has ended and left nothing to remove. */
function waitsFor(s: Shown): Waiting | null {
  if (s.outcome)
    return s.leftovers.length === 0
      ? null
      : { reason: `left over: ${namesOf(s.leftovers)}`, remedy: REMOVE_LEFTOVERS };
  if (isTroubled(s)) return { reason: s.standing!.problem!, remedy: s.standing!.remedy.join('; ') };
  if (s.blocked) return { reason: s.blocked.detail, remedy: s.blocked.remedy };
  const remedy = s.next[0] ?? '';
  if (s.paused) return { reason: 'a person paused it', remedy };
  if (!s.needsApproval || s.approved) return null;
  return { reason: `approval of ${s.evidenceId ?? '-'}`, remedy };
}

/** Returns the page. `at` is when the states were read (ISO time). */
export function renderDashboard(migrations: readonly Shown[], at: string): string {
  const waiting = migrations.flatMap((s) => {
    const found = waitsFor(s);
    return found ? [[s.name, found.reason, found.remedy]] : [];
  });
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
        ? [section('Waiting for a person', table(['migration', 'for', 'remedy'], waiting))]
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
