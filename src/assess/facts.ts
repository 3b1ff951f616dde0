// Collects the facts about a batch process. A fact is declared by the owner, read from the SQL, or
// measured in the database. An unknown fact has the reason why it is unknown.
import { durationMs } from '../domain/values/duration.js';
import { parseTableName, specName } from '../domain/migration/names.js';
import type { Process } from './portfolio.js';
import { intervalMs } from './schedule.js';
import type { SqlAnalysis } from './sql/analyse.js';

/** The time (ms) between two reads, for each frequency at which a consumer can read. */
export const READ_EVERY_MS = {
  continuous: 1000,
  minutely: 60_000,
  hourly: 3_600_000,
  daily: 86_400_000,
  weekly: 7 * 86_400_000,
  monthly: 30 * 86_400_000,
} as const;

export type Fact<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly why: string };
export const known = <T>(value: T): Fact<T> => ({ known: true, value });
export const unknown = (why: string): Fact<never> => ({ known: false, why });

export interface SourceFacts {
  readonly version: string;
  readonly walLevel: string;
  readonly slotsFree: number;
  readonly mayReplicate: boolean;
  readonly isPrimary: boolean;
  readonly encoding: string;
}

export interface ColumnFacts {
  readonly name: string;
  /** Base type, such as `numeric`. */
  readonly type: string;
  /** The type with its modifier, such as `numeric(14,4)`. */
  readonly declared: string;
}

export interface TableFacts {
  readonly table: string;
  readonly kind: string;
  readonly rows: number;
  readonly bytes: number;
  readonly key: readonly string[];
  readonly replicaIdentity: string;
  readonly mayRead: boolean;
  /** The reasons, besides a missing key, why the log would not carry each change of the table. */
  readonly obstacles: readonly string[];
  /** The columns whose type the comparison cannot prove. */
  readonly unprovable: readonly string[];
  readonly columns: readonly ColumnFacts[];
  /**
   * Rows inserted, updated and deleted since the statistics began. Null if there are no statistics.
   */
  readonly total: Changes | null;
  /** Rows inserted, updated and deleted per day. Null if the statistics do not show these rates. */
  readonly perDay: Changes | null;
}

/**
 * Returns whether a connector can capture the relation. It can capture only tables, partitioned or
 * not.
 */
export const isCapturable = ({ kind }: Pick<TableFacts, 'kind'>): boolean =>
  kind === 'r' || kind === 'p';

export interface Changes {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Returns how many inserted rows are gone although no delete of them was counted. Postgres does not
 * count the rows that TRUNCATE removes as deleted. A few of these rows may be inserts that were
 * rolled back.
 */
export const uncountedRemovals = ({ rows, total }: Pick<TableFacts, 'rows' | 'total'>): number =>
  total === null ? 0 : Math.max(0, total.inserted - total.deleted - rows);

const TOO_FEW_TO_SAY = 100;

/**
 * Returns whether TRUNCATE seems to have emptied the table: it lost more rows without a counted
 * delete than it has now, and more than 100.
 */
export const isTruncated = (table: Pick<TableFacts, 'rows' | 'total'>): boolean =>
  uncountedRemovals(table) > Math.max(table.rows, TOO_FEW_TO_SAY);

/** Returns whether rows of the table were removed since the statistics began. */
export const losesRows = (table: Pick<TableFacts, 'rows' | 'total'>): boolean =>
  (table.total?.deleted ?? 0) > 0 || isTruncated(table);

export interface RunFacts {
  readonly count: number;
  readonly medianMs: number;
  readonly lastFinishedAt: string;
  readonly unfinished: number;
}

/** Everything that was measured. Any part of it may be unknown. */
export interface Measured {
  readonly source: Fact<SourceFacts>;
  /** Tables by `schema.name`. Null means that there is no such relation. */
  readonly tables: ReadonlyMap<string, Fact<TableFacts | null>>;
  readonly runs: ReadonlyMap<string, Fact<RunFacts>>;
}

export const NOT_MEASURED = (why: string): Measured => ({
  source: unknown(why),
  tables: new Map(),
  runs: new Map(),
});

export interface ProcessFacts {
  readonly process: Process;
  readonly sql: Fact<SqlAnalysis>;
  readonly source: Fact<SourceFacts>;
  /** The tables that the batch reads, without the tables that it writes. */
  readonly tables: Fact<readonly TableFacts[]>;
  readonly runs: Fact<RunFacts>;
  readonly interval: Fact<number>;
  readonly runTime: Fact<number>;
}

export function factsOf(
  process: Process,
  sql: Fact<SqlAnalysis>,
  measured: Measured,
): ProcessFacts {
  const runs = process.runs
    ? (measured.runs.get(process.runs.table) ?? unknown('the run log was not read'))
    : unknown('the portfolio names no run log');
  const every = process.schedule ? intervalMs(process.schedule) : null;
  return {
    process,
    sql,
    source: measured.source,
    tables: tablesOf(sql, measured, resultName(process)),
    runs,
    interval: every === null ? unknown('no schedule is declared') : known(every),
    runTime: runs.known
      ? known(runs.value.medianMs)
      : process.runTime
        ? known(durationMs(process.runTime))
        : unknown('neither a run log nor runTime says how long a run takes'),
  };
}

/** Returns the name of the process's result in the form in which an analysis writes names. */
export const resultName = ({ result }: Process): string | null =>
  result ? specName(parseTableName(result.table)) : null;

function tablesOf(
  sql: Fact<SqlAnalysis>,
  measured: Measured,
  output: string | null,
): ProcessFacts['tables'] {
  if (!sql.known) return unknown(sql.why);
  if (sql.value.error) return unknown(`the query cannot be parsed: ${sql.value.error.message}`);
  const own = new Set([...sql.value.writes, ...(output ? [output] : [])]);
  const names = sql.value.tables.filter((t) => !own.has(t));
  if (names.length === 0) return unknown('the query reads no table');
  const found: TableFacts[] = [];
  for (const name of names) {
    const fact =
      measured.tables.get(name) ??
      unknown(measured.source.known ? `${name} was not measured` : measured.source.why);
    if (!fact.known) return fact;
    if (fact.value === null) return unknown(`table ${name} does not exist`);
    found.push(fact.value);
  }
  return known(found);
}
