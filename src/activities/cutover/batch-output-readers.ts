// Finds the readers of the batch's table that the database knows: views, open sessions, and
// statements that pg_stat_statements counted.
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import type pg from 'pg';
import { grantSight } from '../../clients/postgres/open-writers.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { targetPostgres } from '../../domain/migration/databases.js';
import { quoteLiteral, type TableName } from '../../domain/migration/names.js';
import type { BatchPlan, ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { RoutePlan } from '../../domain/routes/route.js';
import type { Deps } from '../runtime/deps.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

/**
 * A time by the database's clock. `calls` has the number of calls up to that time for each
 * statement that reads the batch's table.
 */
export interface ReaderMark {
  readonly at: string;
  readonly calls: Readonly<Record<string, number>>;
}

export function createConsumerActivities({ secret }: Pick<Deps, 'secret'>) {
  return withPlan({
    /** Marks the time from which `readersOfBatch` counts readers. */
    async markReaders({ plan }: Planned): Promise<ReaderMark> {
      return withTarget(plan, secret, async (client) => {
        const { rows } = await client.query<{ at: string }>('SELECT clock_timestamp()::text AS at');
        const calls = Object.fromEntries(
          (await statements(client, plan)).map(({ id, calls: count }) => [id, count]),
        );
        return { at: rows[0]!.at, calls };
      });
    },

    /**
     * Returns the views that read the batch's table (`view public.report`), and the sessions and
     * statements that have read it since the mark. Without a batch, or with a shared table, returns
     * an empty list. A reader whose session has ended is found only if pg_stat_statements counted
     * its statement.
     */
    async readersOfBatch({ plan }: Planned, mark: ReaderMark | null = null): Promise<string[]> {
      const { batch, route } = plan;
      // consumers should still read a shared table after the cut-over
      if (!batch || route.sharesTable) return [];
      return withTarget(plan, secret, async (client) => [
        ...(await views(client, batch, route)),
        ...(mark ? await sessions(client, batch, mark.at) : []),
        ...(mark ? await hiddenSessions(client, batch, targetPostgres(plan).user) : []),
        ...(mark ? calledSince(mark, await statements(client, plan)).map(({ said }) => said) : []),
      ]);
    },
  });
}

/**
 * Returns the views, materialized views and rules that read the table, except for the view that was
 * switched.
 */
async function views(
  client: pg.ClientBase,
  { resultTable }: BatchPlan,
  { consumersView }: RoutePlan,
): Promise<string[]> {
  const table = quoteLiteral(resultTable.sql);
  const switched =
    consumersView === null
      ? ''
      : ` AND c.oid IS DISTINCT FROM to_regclass(${quoteLiteral(consumersView.sql)})`;
  const { rows } = await client.query<Record<string, string>>(
    `SELECT DISTINCT CASE c.relkind WHEN 'm' THEN 'materialized view ' WHEN 'v' THEN 'view ' ELSE 'rule of ' END || c.oid::regclass AS reader
       FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(${table}) AND c.oid <> d.refobjid${switched} ORDER BY 1`,
  );
  return rows.map((row) => row['reader']!);
}

/** Returns a regular expression for a name in a statement, where quotes in a name are doubled. */
const asPattern = (name: string): string =>
  name.replaceAll('"', '""').replaceAll(/[^a-zA-Z0-9_]/g, (character) => `\\${character}`);

/**
 * Returns regular expressions for Postgres' `~*`. `names` matches statements that name the table.
 * `writes` matches statements that write to the table, as the batch itself still does after the
 * cut-over.
 */
export function mentions({ schema, table }: TableName): {
  readonly names: string;
  readonly writes: string;
} {
  const name = `("?${asPattern(schema)}"?\\.)?"?${asPattern(table)}"?`;
  return {
    names: `(^|[^[:alnum:]_$."])${name}($|[^[:alnum:]_$"])`,
    writes: `^\\s*(insert\\s+into|delete\\s+from|update|truncate(\\s+table)?|merge\\s+into|copy)\\s+(only\\s+)?${name}(\\s*\\([^)]*\\))?(\\s+(?!to\\y)|\\s*$|;)`,
  };
}

/**
 * Returns sessions whose newest statement names the table and began after `since`. Statements that
 * write do not count, and neither do Sluice's sessions. The batch's sessions are omitted if the
 * spec names their application (`batch.runs.application`).
 */
async function sessions(
  client: pg.ClientBase,
  { resultTable, runs }: BatchPlan,
  since: string,
): Promise<string[]> {
  const { names, writes } = mentions(resultTable);
  const { rows } = await client.query<{ reader: string }>(
    `SELECT DISTINCT format('session of %s%s', usename, CASE WHEN application_name <> '' THEN ' (' || application_name || ')' ELSE '' END) AS reader
       FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND query_start > $1::timestamptz
        AND query ~* $2 AND query !~* $3 AND application_name NOT LIKE 'sluice/%' AND application_name IS DISTINCT FROM $4::text ORDER BY 1`,
    [since, names, writes, runs && 'application' in runs ? runs.application : null],
  );
  return rows.map((row) => row.reader);
}

/**
 * Reports sessions of other roles whose statements Sluice's role cannot see. Such a session may
 * read the table, so it is reported as unknown.
 */
async function hiddenSessions(
  client: pg.ClientBase,
  { runs }: BatchPlan,
  user: string,
): Promise<string[]> {
  const { rows } = await client.query<{ n: string; roles: string | null }>(
    `SELECT count(*)::text AS n, string_agg(DISTINCT usename::text, ', ' ORDER BY usename::text) AS roles FROM pg_stat_activity
      WHERE datname = current_database() AND usesysid IS NOT NULL AND backend_start IS NULL AND application_name NOT LIKE 'sluice/%' AND application_name IS DISTINCT FROM $1::text`,
    [runs && 'application' in runs ? runs.application : null],
  );
  const { n, roles } = rows[0]!;
  return n === '0'
    ? []
    : [
        `unknown: ${n} session(s) of ${roles}, because Sluice's role cannot see their statements (${grantSight(user)})`,
      ];
}

export interface Counted {
  readonly id: string;
  readonly calls: number;
  readonly said: string;
}

/** The workflow's state has the counts of the mark, so their number is limited. */
const MOST_LISTED = 100;
const HIDDEN = 'hidden';
const OTHERS = 'others';

/**
 * Returns the statements that were called since the mark. A count that is smaller than at the mark
 * also shows a call. Such a count was reset or evicted, and only a call begins a new count. The sum
 * of the hidden statements also shrinks without a call, so for this sum only an increase counts.
 * The sum of all statements (`others`) can also shrink without a call. Every change of it counts,
 * because its entry only says that readers are unknown.
 */
export const calledSince = (
  mark: Pick<ReaderMark, 'calls'>,
  counted: readonly Counted[],
): Counted[] =>
  counted.filter(({ id, calls }) => {
    const before = mark.calls[id] ?? 0;
    return id === HIDDEN ? calls > before : calls !== before;
  });

/**
 * Returns the statements of other roles that read the table, as pg_stat_statements counted them.
 * This information is optional. If Sluice's role cannot read pg_stat_statements, the result has one
 * entry with the count 1. `readersOfBatch` omits this entry if the mark has the same count.
 */
async function statements(
  client: pg.ClientBase,
  { batch, spec }: ResolvedPlan,
): Promise<Counted[]> {
  if (!batch) return [];
  const { rows: found } = await client.query<{ view: string }>(
    `SELECT quote_ident(n.nspname) || '.pg_stat_statements' AS view FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'pg_stat_statements'`,
  );
  const view = found[0]?.view;
  if (!view) return [];
  try {
    return await countedIn(client, view, batch, targetPostgres({ spec }).user);
  } catch (error) {
    const { message } = error as Error;
    // the server does not load pg_stat_statements, so nothing was counted
    if (hasState(error, SQLSTATE.notInPrerequisiteState)) return [];
    if (hasState(error, SQLSTATE.insufficientPrivilege))
      return [
        {
          id: 'refused',
          calls: 1,
          said: `unknown: the statements in ${view}, which could not be read (${message})`,
        },
      ];
    throw error;
  }
}

async function countedIn(
  client: pg.ClientBase,
  view: string,
  { resultTable }: BatchPlan,
  user: string,
): Promise<Counted[]> {
  const { names, writes } = mentions(resultTable);
  const { rows } = await client.query<Record<string, string>>(
    `SELECT s.userid || '/' || s.queryid AS id, sum(s.calls)::text AS calls, sum(sum(s.calls)) OVER ()::text AS total, count(*) OVER ()::text AS n, format('statement of %s: %s', min(r.rolname), left(regexp_replace(min(s.query), '\\s+', ' ', 'g'), 80)) AS said
       FROM ${view} s JOIN pg_roles r ON r.oid = s.userid JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND r.rolname <> current_user AND s.query ~* $1 AND s.query !~* $2 GROUP BY s.userid, s.queryid ORDER BY sum(s.calls) DESC LIMIT ${MOST_LISTED}`,
    [names, writes],
  );
  const { rows: hidden } = await client.query<Record<string, string>>(
    `SELECT coalesce(sum(s.calls), 0)::text AS calls, count(*)::text AS n FROM ${view} s JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND s.queryid IS NULL`,
  );
  const { calls, n } = hidden[0]!;
  const said = `unknown: ${n} statement(s) of other roles, because Sluice's role cannot see them (${grantSight(user)})`;
  return [
    ...rows.map((row) => ({ id: row['id']!, calls: Number(row['calls']), said: row['said']! })),
    ...othersIn(rows),
    { id: HIDDEN, calls: Number(calls), said },
  ];
}

/** Returns one entry for all statements, if there are more of them than the list may have. */
function othersIn(rows: readonly Record<string, string>[]): Counted[] {
  const { total, n } = rows[0] ?? {};
  if (n === undefined || Number(n) <= MOST_LISTED) return [];
  const said = `unknown: ${n} statements name the table, and only the ${MOST_LISTED} with the most calls are listed`;
  return [{ id: OTHERS, calls: Number(total), said }];
}
