// sluice assess -f PORTFOLIO: judges and ranks every batch process, with reasons. It only reads the
// database. If the database is not asked or does not answer, everything that must be measured is
// unknown. With --out, it also writes drafts of a pipeline (starting points).
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { measure } from './support/measure-portfolio.js';
import { assess as assessAll, readQuery, type Assessment } from '../assess/assessment.js';
import { NOT_MEASURED, type Measured, type TableFacts } from '../assess/facts.js';
import { parsePortfolio, type Portfolio } from '../assess/portfolio.js';
import { loadParser } from '../assess/sql/analyse.js';
import { resolveSecret } from '../wiring/config.js';
import { formatProblem } from '../manifest/document.js';
import { fileText, readText, writing } from './support/file-text.js';
import { CliError, EXIT, say, write } from './support/output.js';

export interface AssessOptions {
  readonly file: string;
  readonly output: 'text' | 'json' | 'md' | 'html';
  readonly process?: string;
  readonly offline?: boolean;
  readonly exitCode?: boolean;
  /** The folder for starting points of the pipeline. Needs `process`. */
  readonly out?: string;
}

export async function assess(options: AssessOptions): Promise<number> {
  if (options.out && !options.process)
    throw new CliError(
      EXIT.usage,
      'usage',
      '--out needs --process, because starting points are written for one process',
    );
  const portfolio = readPortfolio(options.file, options.process);
  await loadParser();
  const measured = await measureAll(portfolio, options.offline ?? false);
  const assessment = assessAll(portfolio, measured, new Date().toISOString());
  write(await render(assessment, options));
  if (options.out) await writeStartingPoints(portfolio, measured, options.out);
  const hasFindings = assessment.processes.some((p) => p.verdict !== 'migrate');
  // Exit 4 if the database did not answer: without measurements, the ranking is not complete.
  if (portfolio.spec.source && !options.offline && !measured.source.known) return EXIT.unreachable;
  return options.exitCode && hasFindings ? EXIT.findings : EXIT.ok;
}

function readPortfolio(file: string, only: string | undefined): Portfolio {
  const text = fileText(
    file,
    (reason) => new CliError(EXIT.usage, 'portfolio-unreadable', `cannot read ${file}: ${reason}`),
  );
  const parsed = parsePortfolio(text, file, (path) => readText(resolve(dirname(file), path)));
  if (!parsed.ok) {
    for (const problem of parsed.problems) say(formatProblem(problem));
    throw new CliError(
      EXIT.usage,
      'portfolio-invalid',
      `${file} has ${parsed.problems.length} problem(s): ${formatProblem(parsed.problems[0]!)}`,
    );
  }
  if (only === undefined) return parsed.value;
  const processes = parsed.value.spec.processes.filter((p) => p.name === only);
  if (processes.length === 0)
    throw new CliError(EXIT.usage, 'not-found', `${file} does not contain a process ${only}`, [
      `sluice assess -f ${file}`,
    ]);
  return { ...parsed.value, spec: { ...parsed.value.spec, processes } };
}

async function measureAll({ spec }: Portfolio, isOffline: boolean): Promise<Measured> {
  if (isOffline) return NOT_MEASURED('not measured: --offline');
  if (!spec.source) return NOT_MEASURED('not measured: the portfolio has no source');
  const queries = spec.processes.map((process) => readQuery(process));
  const results = spec.processes.flatMap((p) => (p.result ? [p.result.table] : []));
  const tables = new Set([...queries.flatMap((q) => (q.known ? q.value.tables : [])), ...results]);
  const runs = new Set(spec.processes.flatMap((p) => (p.runs ? [p.runs.table] : [])));
  say(`measuring ${tables.size} tables and ${runs.size} run logs, read-only …`);
  const measured = await measure(spec.source.postgres, resolveSecret, [...tables], [...runs]);
  if (!measured.source.known) say(`nothing was measured: ${measured.source.why}`);
  return measured;
}

async function render(assessment: Assessment, { output, process }: AssessOptions): Promise<string> {
  if (output === 'json') return JSON.stringify(assessment, null, 2);
  if (output === 'html')
    return (await import('../report/assessment-page.js')).renderAssessmentHtml(assessment);
  const text = await import('../report/assessment-text.js');
  return output === 'md'
    ? text.assessmentMarkdown(assessment)
    : process
      ? text.oneProcess(assessment.processes[0]!)
      : text.ranking(assessment);
}

/**
 * Writes drafts of the pipeline of one process to `folder`. Throws an error with exit code 1 if the
 * columns of one of its tables are not known, or if its query is not one SELECT. Also throws one if
 * a file exists already or cannot be written.
 */
async function writeStartingPoints(
  { spec }: Portfolio,
  measured: Measured,
  folder: string,
): Promise<void> {
  const { startingPoints } = await import('../assess/starting-points/index.js');
  const process = spec.processes[0]!;
  const names = readQuery(process);
  const factsOf = (table: string): TableFacts[] => {
    const fact = measured.tables.get(table);
    return fact?.known && fact.value ? [fact.value] : [];
  };
  const tables = (names.known ? names.value.tables : []).flatMap(factsOf);
  const [result = null] = process.result ? factsOf(process.result.table) : [];
  const missing = (names.known ? names.value.tables : []).filter(
    (t) => !tables.some((f) => f.table === t),
  );
  if (missing.length > 0)
    throw new CliError(
      EXIT.failed,
      'not-measured',
      `starting points need the columns of ${missing.join(', ')}, which could not be read`,
      ['add spec.source and omit --offline'],
    );
  let points;
  try {
    points = startingPoints(process, tables, result);
  } catch (error) {
    throw new CliError(EXIT.failed, 'not-one-select', (error as Error).message);
  }
  writePoints(points, folder);
}

/** Writes all files, or none if one of them exists, because that file may contain manual work. */
export function writePoints(
  points: readonly {
    readonly file: string;
    readonly text: string;
    readonly open: readonly string[];
  }[],
  folder: string,
): void {
  const there = points.map(({ file }) => resolve(folder, file)).filter((path) => existsSync(path));
  if (there.length > 0)
    throw new CliError(
      EXIT.failed,
      'exists',
      `${there.join(', ')} already exists; nothing was written`,
      ['sluice assess --out ANOTHER_FOLDER, or move the files away'],
    );
  writing(folder, () => mkdirSync(folder, { recursive: true }));
  for (const { file, text, open } of points) {
    const path = resolve(folder, file);
    writing(path, () => writeFileSync(path, text));
    say(`${path}${open.length > 0 ? `: ${open.length} to do` : ''}`);
    for (const what of open) say(`  ${what}`);
  }
}
