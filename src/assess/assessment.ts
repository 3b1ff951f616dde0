// Assesses a portfolio: judges and ranks every process. Processes that share tables form a
// wave, because they should be migrated together.
import {
  adviceFor,
  effortOf,
  freshnessOf,
  type Advice,
  type Effort,
  type Freshness,
} from './advice.js';
import { factsOf, known, resultName, unknown, type Fact, type Measured } from './facts.js';
import type { Portfolio, Process } from './portfolio.js';
import { judge, type AssessVerdict, type Judgement } from './score.js';
import { analyseSql, type SqlAnalysis } from './sql/analyse.js';

export interface AssessedProcess extends Judgement {
  readonly rank: number;
  readonly name: string;
  readonly owner: string | null;
  readonly tables: readonly string[];
  readonly sql: SqlAnalysis | null;
  readonly advice: Advice;
  readonly effort: Effort;
  readonly freshness: Freshness;
}

export interface Wave {
  readonly number: number;
  readonly processes: readonly string[];
  readonly tables: readonly string[];
}

export interface Assessment {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Assessment';
  readonly name: string;
  readonly at: string;
  /** Says what was measured, or why nothing was measured. */
  readonly measured: string;
  readonly processes: readonly AssessedProcess[];
  readonly waves: readonly Wave[];
}

const ORDER: readonly AssessVerdict[] = ['migrate', 'migrate-after', 'do-not-migrate'];

/**
 * Returns the types of columns by the columns' names, without their tables. Omits a name that has
 * different types in these tables.
 */
export function columnTypes(measured: Measured, tables: readonly string[]): Map<string, string> {
  const types = new Map<string, string>();
  const torn = new Set<string>();
  for (const name of tables) {
    const fact = measured.tables.get(name);
    for (const column of fact?.known ? (fact.value?.columns ?? []) : []) {
      if ((types.get(column.name) ?? column.type) !== column.type) torn.add(column.name);
      types.set(column.name, column.type);
    }
  }
  for (const name of torn) types.delete(name);
  return types;
}

/** Analyzes the query of a process. Callers MUST await `loadParser` first. */
export function readQuery(
  process: Process,
  types: ReadonlyMap<string, string> = new Map(),
): Fact<SqlAnalysis> {
  if (!process.query) return unknown('the portfolio gives no query');
  return known(analyseSql(process.query.sql, { output: resultName(process), types }));
}

export function assess(portfolio: Portfolio, measured: Measured, at: string): Assessment {
  const judged = portfolio.spec.processes.map((process): Omit<AssessedProcess, 'rank'> => {
    const first = readQuery(process);
    const sql = first.known ? readQuery(process, columnTypes(measured, first.value.tables)) : first;
    const facts = factsOf(process, sql, measured);
    const judgement = judge(facts);
    return {
      ...judgement,
      name: process.name,
      owner: process.owner ?? null,
      tables: sql.known
        ? sql.value.tables.filter((t) => t !== resultName(process) && !sql.value.writes.includes(t))
        : [],
      sql: sql.known ? sql.value : null,
      advice: adviceFor(facts),
      effort: effortOf(facts, judgement),
      freshness: freshnessOf(facts),
    };
  });
  const ranked = judged
    .sort(
      (a, b) =>
        ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) ||
        b.score - a.score ||
        a.effort.days - b.effort.days ||
        (a.name < b.name ? -1 : 1),
    )
    .map((process, index) => ({ ...process, rank: index + 1 }));
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Assessment',
    name: portfolio.metadata.name,
    at,
    measured: measured.source.known
      ? `PostgreSQL ${measured.source.value.version}, ${measured.tables.size} tables`
      : measured.source.why,
    processes: ranked,
    waves: wavesOf(ranked),
  };
}

/**
 * Groups processes that share tables into waves. The wave with the best process comes first. Leaves
 * out processes with the verdict `do-not-migrate`.
 */
function wavesOf(ranked: readonly AssessedProcess[]): Wave[] {
  const waves: { processes: AssessedProcess[]; tables: Set<string> }[] = [];
  for (const process of ranked.filter((p) => p.verdict !== 'do-not-migrate')) {
    const sharing = waves.filter((w) => process.tables.some((t) => w.tables.has(t)));
    const wave = sharing[0] ?? { processes: [], tables: new Set<string>() };
    if (sharing.length === 0) waves.push(wave);
    for (const other of sharing.slice(1)) {
      wave.processes.push(...other.processes);
      for (const table of other.tables) wave.tables.add(table);
      waves.splice(waves.indexOf(other), 1);
    }
    wave.processes.push(process);
    for (const table of process.tables) wave.tables.add(table);
  }
  return waves.map((w, at) => ({
    number: at + 1,
    processes: w.processes.map((p) => p.name),
    tables: [...w.tables].sort(),
  }));
}
