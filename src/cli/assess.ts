// sluice assess -f PORTFOLIO: every batch process judged and ranked, with reasons. Reads only; without a database what is measured is unknown.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { measure } from '../activities/checks/measure.js';
import { assess as assessAll, readQuery, type Assessment } from '../assess/assessment.js';
import { NOT_MEASURED, type Measured } from '../assess/facts.js';
import { parsePortfolio, type Portfolio } from '../assess/portfolio.js';
import { loadParser } from '../assess/sql/analyse.js';
import { resolveSecret } from '../config.js';
import { formatProblem } from '../spec/document.js';
import { CliError, EXIT, say, write } from './output.js';

export interface AssessOptions {
  readonly file: string;
  readonly output: 'text' | 'json' | 'md' | 'html';
  readonly process?: string;
  readonly offline?: boolean;
  readonly exitCode?: boolean;
}

export async function assess(options: AssessOptions): Promise<number> {
  const portfolio = readPortfolio(options.file, options.process);
  await loadParser();
  const measured = await measureAll(portfolio, options.offline ?? false);
  const assessment = assessAll(portfolio, measured, new Date().toISOString());
  write(await render(assessment, options));
  const hasFindings = assessment.processes.some((p) => p.verdict !== 'migrate');
  return options.exitCode && hasFindings ? EXIT.findings : EXIT.ok;
}

function readPortfolio(file: string, only: string | undefined): Portfolio {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.usage, 'portfolio-unreadable', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const parsed = parsePortfolio(text, file, (path) => readFileSync(resolve(dirname(file), path), 'utf8'));
  if (!parsed.ok) {
    for (const problem of parsed.problems) say(formatProblem(problem));
    throw new CliError(EXIT.usage, 'portfolio-invalid', `${file} has ${parsed.problems.length} problem(s): ${formatProblem(parsed.problems[0]!)}`);
  }
  if (only === undefined) return parsed.value;
  const processes = parsed.value.spec.processes.filter((p) => p.name === only);
  if (processes.length === 0) throw new CliError(EXIT.usage, 'not-found', `${file} names no process ${only}`, [`sluice assess -f ${file}`]);
  return { ...parsed.value, spec: { ...parsed.value.spec, processes } };
}

async function measureAll({ spec }: Portfolio, isOffline: boolean): Promise<Measured> {
  if (isOffline) return NOT_MEASURED('not measured: --offline');
  if (!spec.source) return NOT_MEASURED('not measured: the portfolio names no source');
  const queries = spec.processes.map((process) => readQuery(process));
  const tables = new Set(queries.flatMap((q) => (q.known ? q.value.tables : [])));
  const runs = new Set(spec.processes.flatMap((p) => (p.runs ? [p.runs.table] : [])));
  say(`measuring ${tables.size} tables and ${runs.size} run logs, read-only …`);
  const measured = await measure(spec.source.postgres, resolveSecret, [...tables], [...runs]);
  if (!measured.source.known) say(`nothing was measured: ${measured.source.why}`);
  return measured;
}

async function render(assessment: Assessment, { output, process }: AssessOptions): Promise<string> {
  if (output === 'json') return JSON.stringify(assessment, null, 2);
  if (output === 'html') return (await import('../report/assessment-html.js')).renderAssessmentHtml(assessment);
  const text = await import('../report/assessment-text.js');
  return output === 'md' ? text.assessmentMarkdown(assessment) : process ? text.oneProcess(assessment.processes[0]!) : text.ranking(assessment);
}
