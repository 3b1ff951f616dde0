// Renders the result of `sluice compare`, which compares tables with topics without a migration.
// The formats are an HTML page and Markdown. Both always mask the values of rows.
import type { ComparisonDocument } from '../domain/evidence/comparison-document.js';
import { formatMs } from '../domain/values/duration.js';
import { escapeHtml as e, escapeMarkdown as m } from './escape.js';
import { masked } from './mask.js';
import { page, section, table } from './page-frame.js';

const SHOWN = 30;
const MARK = { passed: '', failed: ' bad', inconclusive: ' open', errored: ' bad' } as const;
const SUBJECTS = ['table', 'verdict', 'compared', 'matched', 'reason'] as const;
const DIFFERENCES = ['table', 'class', 'key', 'column', 'batch', 'stream'] as const;

const count = (n: number | null): string => n?.toLocaleString('en') ?? '-';

/** Returns the document with at most `SHOWN` differences, whose values are masked. */
export const maskedComparison = (found: ComparisonDocument): ComparisonDocument => ({
  ...found,
  differences: found.differences
    .slice(0, SHOWN)
    .map(({ subject, ...difference }) => ({ subject, ...masked(difference) })),
});

const facts = (found: ComparisonDocument): string[][] => {
  const { barrier, evidence, tookMs, differences: kept, leftOut } = found;
  return [
    ['barrier', `${barrier.kind}: ${barrier.proves}`],
    ['left out', leftOut.join('; ') || 'nothing'],
    ['evidence', `sha256 ${evidence.digest}`],
    ['took', formatMs(tookMs)],
    ['differences kept', count(kept.length)],
    ['left behind', 'nothing'],
  ];
};

const subjects = ({ windows }: ComparisonDocument): string[][] =>
  windows.map((w) => [w.subject, w.verdict, count(w.compared), count(w.matched), w.reason]);

const differences = (found: ComparisonDocument): string[][] =>
  maskedComparison(found).differences.map((d) => [
    d.subject,
    d.class,
    Object.entries(d.key)
      .map(([name, value]) => `${name}=${value ?? 'NULL'}`)
      .join(' '),
    d.column ?? '(row)',
    d.batch ?? '∅',
    d.stream ?? '∅',
  ]);

export function renderComparisonMarkdown(found: ComparisonDocument): string {
  const rows = (header: readonly string[], list: readonly (readonly string[])[]): string[] =>
    list.length === 0
      ? []
      : [
          '',
          `| ${header.join(' | ')} |`,
          `|${'---|'.repeat(header.length)}`,
          ...list.map((row) => `| ${row.map(m).join(' | ')} |`),
        ];
  return [
    `# ${m(`${found.name}: ${found.verdict}. ${found.reason}`)}`,
    '',
    ...facts(found).map(([name, value]) => `- **${name}**: ${m(value!)}`),
    ...rows(SUBJECTS, subjects(found)),
    ...rows(DIFFERENCES, differences(found)),
  ].join('\n');
}

export function renderComparisonHtml(found: ComparisonDocument): string {
  const differing = differences(found);
  const body = [
    `<h1>Comparison of ${e(found.name)}</h1>`,
    `<p class="verdict${MARK[found.verdict]}"><b>${found.verdict}.</b> ${e(found.reason)}</p>`,
    section('What was compared', table(SUBJECTS, subjects(found), 2, 4)),
    section('How', table(['', ''], facts(found))),
    ...(differing.length > 0 ? [section('What differs', table(DIFFERENCES, differing))] : []),
  ];
  return page(`Comparison of ${found.name}`, body.join('\n'), maskedComparison(found));
}
