// Renders the result of `sluice prove`: what was proven, on how much data, how fast, what differs,
// and what this predicts for all data. The HTML page and the Markdown always mask values of rows.
// The text for the terminal shows the values.
import { formatMs } from '../domain/values/duration.js';
import type { ShownProof } from '../domain/evidence/slice-proof.js';
import { comparedOf } from '../domain/evidence/counts.js';
import type { Difference } from '../domain/evidence/window.js';
import { columns, escapeHtml as e, escapeMarkdown as m } from './escape.js';
import { masked } from './mask.js';
import { page, section, table } from './page-frame.js';

const SHOWN = 30;
const MARK = { passed: '', failed: ' bad', inconclusive: ' open', errored: ' bad' } as const;

const n = (value: number): string => value.toLocaleString('en');
const keyOf = (d: Difference): string =>
  Object.entries(d.key)
    .map(([name, value]) => `${name}=${value ?? 'NULL'}`)
    .join(' ');
const cell = (value: string | null): string =>
  value === null ? '∅' : value.length > 60 ? `${value.slice(0, 57)}…` : value;

function facts(r: ShownProof): [string, string][] {
  const { replayed, counts, predicted } = r;
  return [
    ['slice', r.slice],
    ['subject', r.stage ?? 'result'],
    ...(replayed
      ? ([
          [
            'replayed',
            `${n(replayed.records)} rows (${(replayed.bytes / 2 ** 20).toFixed(1)} MiB) in ${formatMs(replayed.ms)}, read in one read-only snapshot at ${replayed.lsn}`,
          ],
          ['the batch returns', `${n(replayed.expected)} rows on the slice`],
        ] as [string, string][])
      : []),
    ...(r.pipelineMs === null
      ? []
      : ([
          [
            'through the pipeline in',
            `${formatMs(r.pipelineMs)}${replayed ? `, ${n(Math.round((replayed.records / Math.max(1, r.pipelineMs)) * 1000))} rows a second` : ''}`,
          ],
        ] as [string, string][])),
    ...(counts
      ? ([
          [
            'compared',
            `matched ${n(counts.matched)}, missing ${n(counts.missing)}, extraneous ${n(counts.extraneous)}, mismatched ${n(counts.mismatched)}, unknown ${n(counts.unknown)}`,
          ],
        ] as [string, string][])
      : []),
    ...(predicted
      ? ([
          [
            'prediction for all data',
            `${n(predicted.records)} rows: about ${formatMs(predicted.loadMs)} of initial load, caught up after about ${formatMs(predicted.catchUpMs)}`,
          ],
        ] as [string, string][])
      : []),
    ['left out', r.leftOut.length === 0 ? 'nothing' : r.leftOut.join('; ')],
    ['left behind', r.leftovers.length === 0 ? 'nothing' : r.leftovers.join(', ')],
  ];
}

const headline = (r: ShownProof): string => `${r.id}: ${r.verdict}. ${r.reason}`;
const tables = (r: ShownProof): string[][] =>
  (r.replayed?.tables ?? []).map((t) => [
    t.table,
    n(t.rows),
    n(t.of),
    t.of === 0 ? '-' : `${((100 * t.rows) / t.of).toFixed(1)} %`,
  ]);
const byColumn = (r: ShownProof): [string, number][] => {
  const tally = new Map<string, number>();
  for (const d of r.differences)
    tally.set(d.column ?? '(row)', (tally.get(d.column ?? '(row)') ?? 0) + 1);
  return [...tally].sort((a, b) => b[1] - a[1]);
};
const runs = (r: ShownProof): string[][] =>
  r.rehearsed.map((run) => [
    run.run,
    run.cut,
    run.verdict,
    n(run.counts.matched),
    n(comparedOf(run.counts) - run.counts.matched),
    n(run.batchWasWrong),
    run.reason,
  ]);
const RUN_COLUMNS = [
  'run',
  'cut',
  'verdict',
  'matched',
  'differ',
  'batch was wrong',
  'reason',
] as const;
const differences = (r: ShownProof): string[][] =>
  r.differences
    .slice(0, SHOWN)
    .map((d) => [d.class, keyOf(d), d.column ?? '(row)', cell(d.batch), cell(d.stream)]);

const withoutValues = (r: ShownProof): ShownProof => ({
  ...r,
  differences: r.differences.slice(0, SHOWN).map(masked),
});

export function renderProofText(r: ShownProof): string {
  return [
    headline(r),
    '',
    columns(['', ''], facts(r)).trimStart(),
    '',
    columns(['TABLE', 'ROWS', 'OF', ''], tables(r)),
    ...(r.rehearsed.length > 0
      ? [
          '',
          columns(
            RUN_COLUMNS.map((c) => c.toUpperCase()),
            runs(r),
          ),
        ]
      : []),
    ...(r.differences.length > 0
      ? [
          '',
          `Columns: ${byColumn(r)
            .map(([name, count]) => `${name} ${count}`)
            .join(', ')}`,
          '',
          columns(['CLASS', 'KEY', 'COLUMN', 'BATCH', 'STREAM'], differences(r).slice(0, 12)),
        ]
      : []),
  ].join('\n');
}

export function renderProofMarkdown(r: ShownProof): string {
  const rows = (list: readonly (readonly string[])[]): string[] =>
    list.map((row) => `| ${row.map(m).join(' | ')} |`);
  return [
    `# ${m(headline(r))}`,
    '',
    ...facts(r).map(([name, value]) => `- **${name}**: ${m(value)}`),
    '',
    '| table | rows | of | share |',
    '|---|---|---|---|',
    ...rows(tables(r)),
    ...(r.rehearsed.length > 0
      ? [
          '',
          `| ${RUN_COLUMNS.join(' | ')} |`,
          `|${'---|'.repeat(RUN_COLUMNS.length)}`,
          ...rows(runs(r)),
        ]
      : []),
    ...(r.differences.length > 0
      ? [
          '',
          '| class | key | column | batch | stream |',
          '|---|---|---|---|---|',
          ...rows(differences(withoutValues(r))),
        ]
      : []),
  ].join('\n');
}

export function renderProofHtml(r: ShownProof): string {
  const body = [
    `<h1>Proof of ${e(r.name)}</h1><p class="soft">${e(r.id)} · ${e(r.at)} · by ${e(r.by)}</p>`,
    `<p class="verdict${MARK[r.verdict]}"><b>${r.verdict}.</b> ${e(r.reason)}</p>`,
    section('What was proven', table(['', ''], facts(r))),
    section(
      'On how much data',
      `${shares(r)}${table(['table', 'rows in the slice', 'rows in all', 'share'], tables(r), 1, 4)}`,
    ),
    ...(r.rehearsed.length > 0
      ? [section('Results of earlier batch runs', table(RUN_COLUMNS, runs(r), 3, 6))]
      : []),
    ...(r.differences.length > 0
      ? [
          section(
            'What differs',
            `${table(
              ['column', 'differences kept'],
              byColumn(r).map(([name, count]) => [name, String(count)]),
              1,
              2,
            )}${table(['class', 'key', 'column', 'batch', 'stream'], differences(withoutValues(r)))}`,
          ),
        ]
      : []),
    section(
      'What this proof does not show',
      '<ul><li>Changes after the snapshot. A migration compares while both sides change.</li><li>Rows outside the slice.</li><li>The load on the pipeline when all data arrives at once.</li></ul>',
    ),
  ];
  return page(`Proof of ${r.name}`, body.join('\n'), withoutValues(r));
}

/** Draws the share of each table that was in the slice. */
function shares(r: ShownProof): string {
  const list = r.replayed?.tables ?? [];
  if (list.length === 0) return '';
  const rows = list.map((t, at) => {
    const width = t.of === 0 ? 0 : (620 * t.rows) / t.of;
    return `<text x="0" y="${at * 22 + 14}">${e(t.table.length > 40 ? `${t.table.slice(0, 39)}…` : t.table)}</text><rect x="280" y="${at * 22 + 3}" width="620" height="13" fill="var(--shade)" stroke="var(--line)"/><rect class="bar" x="280" y="${at * 22 + 3}" width="${Math.max(1, width).toFixed(1)}" height="13"/>`;
  });
  return `<svg viewBox="0 0 960 ${list.length * 22 + 6}" role="img" aria-label="Share of each table in the slice">${rows.join('')}</svg>`;
}
