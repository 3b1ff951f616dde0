// sluice diff ID [--window N]: prints the differences with the values of both sides. Without
// --window, it uses the newest failed window. If no window failed, it uses the newest window with
// unknown or unstable keys.
import { byColumn, type ColumnSummary } from '../domain/evidence/by-column.js';
import type { Ledger } from '../clients/ledger/ledger.js';
import type { Difference, WindowRow } from '../domain/evidence/window.js';
import { resultSubjects } from '../domain/plan/planned-subjects.js';
import { withLedger } from './support/migration-source.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { CliError, EXIT, asLines, print, table, type Format } from './support/output.js';

export async function diff(
  id: string,
  options: { window?: string; subject?: string; limit: string; output: Format; exitCode?: boolean },
): Promise<number> {
  const name = nameOf(id);
  if (!/^\d+$/.test(options.limit))
    throw new CliError(EXIT.usage, 'usage', `--limit ${options.limit} is not a number`);
  if (options.window !== undefined && !/^\d{1,9}$/.test(options.window))
    throw new CliError(EXIT.usage, 'usage', `--window ${options.window} is not a number`);
  const found = await withLedger((ledger) => differencesOf(ledger, name, options));
  if (!found) {
    await print(
      {
        window: null,
        subject: null,
        failed: [],
        equalBefore: [],
        differences: [],
        counts: {},
        columns: [],
      },
      options.output,
      () => 'no failed window',
    );
    return EXIT.ok;
  }
  const { row, ...result } = found;
  await print(result, options.output, () =>
    render(result, Number(options.limit), row?.reason ?? ''),
  );
  const isClean = result.differences.length === 0 && row?.verdict === 'passed';
  return options.exitCode && !isClean ? EXIT.findings : EXIT.ok;
}

/**
 * Returns the differences of one subject in one window. Returns null if no window is named, and
 * `newestUnproven` finds none. Throws CliError for an unknown migration, window or subject.
 */
async function differencesOf(
  ledger: Ledger,
  name: string,
  wanted: { readonly window?: string; readonly subject?: string },
) {
  const latest = (await ledger.migrations(name))[0];
  if (!latest)
    throw new CliError(EXIT.failed, 'not-found', `no migration ${name} is in the ledger`, [
      'sluice list',
    ]);
  const all = await ledger.windows(name, latest.iteration);
  const number = wanted.window ? Number(wanted.window) : newestUnproven(all)?.number;
  refuseUnknownSubject(all, number, name, wanted.subject);
  if (number === undefined) return null;
  const rows = all.filter((w) => w.number === number);
  if (rows.length === 0)
    throw new CliError(EXIT.failed, 'not-found', `${name} has no window ${wanted.window}`, [
      `sluice windows ${name}`,
    ]);
  const stored = await ledger.differences(name, latest.iteration, number);
  const subject = wanted.subject ?? firstUnproven(rows).subject;
  const differences = stored.filter((d) => d.subject === subject).map((d) => d.difference);
  const at = rows.findIndex((w) => w.subject === subject);
  const results = resultSubjects(latest.spec).map((s) => s.subject);
  const before = rows
    .slice(0, at)
    .filter((w) => results.includes(w.subject) && w.verdict === 'passed');
  return {
    window: number,
    subject,
    failed: rows.filter((w) => w.verdict === 'failed').map((w) => w.subject),
    equalBefore: before.map((w) => w.subject),
    differences,
    counts: countClasses(differences),
    columns: byColumn(differences),
    row: rows[at],
  };
}

/**
 * Returns the newest failed row. If no row failed, it returns the newest row with keys that are
 * unknown, or unstable (their row changed in every round).
 */
function newestUnproven(all: readonly WindowRow[]): WindowRow | undefined {
  return (
    all.findLast((w) => w.verdict === 'failed') ??
    all.findLast((w) => w.verdict === 'inconclusive' && (w.unknown ?? 0) + (w.unstable ?? 0) > 0)
  );
}

/**
 * Returns the first row that failed, or else the first row that did not pass. If all rows passed,
 * returns the first row. The rows are in this order: tables, then stages, result and sink as the
 * pipeline has them, then the batch's stored result. A mistake in the pipeline often makes several
 * subjects fail, and the first of them is nearest to the mistake.
 */
function firstUnproven(rows: readonly WindowRow[]): WindowRow {
  return (
    rows.find((w) => w.verdict === 'failed') ?? rows.find((w) => w.verdict !== 'passed') ?? rows[0]!
  );
}

function refuseUnknownSubject(
  all: readonly WindowRow[],
  number: number | undefined,
  name: string,
  subject: string | undefined,
): void {
  const compared = all.filter((w) => number === undefined || w.number === number);
  if (subject === undefined || compared.some((w) => w.subject === subject)) return;
  const subjects = [...new Set(compared.map((w) => w.subject))];
  throw new CliError(
    EXIT.usage,
    'usage',
    `no window compared "${subject}"; subjects are ${subjects.join(', ') || 'none yet'}`,
    [`sluice windows ${name}`],
  );
}

function countClasses(differences: readonly Difference[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { class: kind } of differences) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function render(
  result: {
    window: number;
    subject: string;
    failed: readonly string[];
    equalBefore: readonly string[];
    differences: readonly Difference[];
    counts: Record<string, number>;
    columns: readonly ColumnSummary[];
  },
  limit: number,
  reason: string,
): string {
  const head = [
    `Window ${result.window}, ${result.subject}: ${reason}`,
    ...(result.failed.length > 1 && result.failed[0] === result.subject
      ? [
          `This is the first subject that differs. Later ones differ too: ${result.failed.slice(1).join(', ')} (--subject shows them)`,
        ]
      : []),
    ...(result.equalBefore.length > 0 && result.failed[0] === result.subject
      ? [
          `Earlier subjects are equal: ${result.equalBefore.join(', ')}. The mistake is between ${result.equalBefore.at(-1)} and ${result.subject}`,
        ]
      : []),
    `Stored: ${
      Object.entries(result.counts)
        .map(([kind, n]) => `${n} ${kind}`)
        .join(', ') || 'no differences'
    }`,
    ...(result.columns.length > 0
      ? [
          `Columns: ${result.columns.map(({ column, rows, always }) => `${column} ${rows}${always ? ` (always: ${always})` : ''}`).join(', ')}`,
        ]
      : []),
  ];
  return [
    asLines(head),
    '',
    differenceTable(result.differences.slice(0, limit)),
    ...(result.differences.length > limit
      ? [`… ${result.differences.length - limit} more (--limit N, or -o json)`]
      : []),
  ].join('\n');
}

/**
 * Formats differences with the values of both sides. Cuts long values. For a record that could not
 * be decoded, the text has the whole place and the whole reason.
 */
export function differenceTable(differences: readonly Difference[]): string {
  const key = (d: Difference): string =>
    Object.entries(d.key)
      .map(([name, value]) => `${name}=${value ?? 'NULL'}`)
      .join(' ');
  const cell = (value: string | null): string =>
    value === null ? '∅' : value.length > 60 ? `${value.slice(0, 57)}…` : value;
  const stream = (d: Difference): string =>
    d.class === 'undecodable' && d.column === null && d.stream !== null ? d.stream : cell(d.stream);
  return table(
    ['CLASS', 'KEY', 'COLUMN', 'BATCH', 'STREAM'],
    differences.map((d) => [d.class, key(d), d.column ?? '(row)', cell(d.batch), stream(d)]),
  );
}
