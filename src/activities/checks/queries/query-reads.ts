// Checks that a query of the batch depends only on captured tables, not on other tables or the
// clock. The check only reads.
import type pg from 'pg';
import { analyseSql, loadParser, type SqlAnalysis } from '../../../assess/sql/analyse.js';
import type { FlagId } from '../../../assess/sql/flags.js';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { plainName } from '../../../clients/postgres/consumer-view.js';
import { qualified } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { stripSemicolon } from '../../../domain/values/strip-semicolon.js';
import type { Answer } from '../../runtime/make-finding.js';

interface Dependence {
  /** Relations that store rows, as `schema.name`. */
  readonly tables: readonly string[];
  /** Calls whose result depends on the clock, on chance or on the session's role, as SQL text. */
  readonly clock: readonly string[];
  /** The functions that could not be read, with the reason. */
  readonly unread: readonly string[];
}

const CLOCK: readonly FlagId[] = ['now', 'volatile', 'tablesample'];

/**
 * Finds what the query depends on, directly or through views and functions. Postgres plans the
 * query but does not run it.
 */
export async function dependenceOf(client: pg.ClientBase, query: string): Promise<Dependence> {
  await loadParser();
  const sql = stripSemicolon(query);
  const planned = await relationsOfPlan(client, sql);
  const [clock, unread, tables] = [new Set<string>(), new Set<string>(), new Set(planned)];
  const done = new Set<string>();
  const texts: { text: string; of: string | null }[] = [{ text: sql, of: null }];
  for (let next = texts.shift(); next; next = texts.shift()) {
    const { text, of } = next;
    const read = analyseSql(text);
    const where = of === null ? '' : ` in ${of}`;
    for (const flag of read.flags) {
      if (CLOCK.includes(flag.id)) clock.add(`${flag.found}${where}`);
      if (
        flag.id === 'unknown-function' &&
        /^(current_(user|role)|session_user|user)$/.test(flag.found)
      )
        clock.add(`${flag.found}${where}`);
    }
    for (const part of [...(read.error ? [read.error.message] : []), ...read.unread])
      if (of !== null) unread.add(`${of}: ${part}`);
    for (const found of await behind(client, read, done)) {
      if ('unread' in found) unread.add(found.unread);
      else texts.push(found);
    }
    for (const table of await holdingRows(client, read.tables)) tables.add(table);
  }
  return { tables: [...tables].sort(), clock: [...clock].sort(), unread: [...unread].sort() };
}

/**
 * Checks that the query reads only captured tables and nothing that changes by itself. Otherwise
 * the pipeline could not compute the same result from the topics.
 */
export async function checkReads(
  client: pg.ClientBase,
  { tables: planned, capture }: ResolvedPlan,
  query: string,
): Promise<Answer> {
  const { tables, clock, unread } = await dependenceOf(client, query);
  const captured = new Set(planned.map(({ text }) => plainName(text)));
  const foreign = capture.query ? [] : tables.filter((table) => !captured.has(table));
  const found: { detail: string; remedy: string }[] = [];
  if (foreign.length > 0)
    found.push({
      detail: `it reads ${foreign.join(', ')}, which source.tables does not name, so a change there changes the result without a record in any topic`,
      remedy:
        'add them to source.tables (for a view or a materialized view, its tables), or waive this check with the reason why they never change',
    });
  if (clock.length > 0)
    found.push({
      detail: `its result depends on ${clock.join(', ')}, so it can change although no row changed`,
      remedy:
        'derive the value from the rows, or make the date a column of the result, which then has rows for every date',
    });
  if (found.length > 0)
    return {
      detail: found.map((f) => f.detail).join('; '),
      remedy: found.map((f) => f.remedy).join('; '),
    };
  if (unread.length > 0)
    return {
      unknown: true,
      detail: `it calls functions that may read tables or the clock: ${unread.join('; ')}`,
      remedy:
        'write their SQL into the query, or check yourself what they read and waive this check',
    };
  return tables.length === 0
    ? 'it reads no table'
    : `it reads ${tables.join(', ')}, and all of it is captured`;
}

/**
 * Returns the relations that Postgres' query plan scans, directly or through views, inlined
 * functions and partitions.
 */
export async function relationsOfPlan(client: pg.ClientBase, sql: string): Promise<string[]> {
  const rows = await readLone(client, `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ${sql}`);
  const found: { schema: string; table: string }[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== 'object') return;
    const { Schema: schema, 'Relation Name': table } = node as Record<string, unknown>;
    if (typeof schema === 'string' && typeof table === 'string') found.push({ schema, table });
    Object.values(node).forEach(visit);
  };
  const plan = Object.values(rows[0] ?? {})[0];
  visit(typeof plan === 'string' ? JSON.parse(plan) : plan);
  return holdingRows(
    client,
    found.map((name) => qualified(name)),
    true,
  );
}

/**
 * Keeps only the relations that store rows, and sorts them. Replaces each partition by its root
 * table, and omits views.
 */
async function holdingRows(
  client: pg.ClientBase,
  names: readonly string[],
  isQuoted = false,
): Promise<string[]> {
  const quoted = isQuoted ? names : names.map(asQuoted);
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name
     FROM unnest($1::text[]) AS given, LATERAL (SELECT coalesce(pg_partition_root(to_regclass(given)), to_regclass(given)) AS oid) AS root
     JOIN pg_class c ON c.oid = root.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind <> 'v' ORDER BY 1`,
    [quoted],
  );
  return rows.map((row) => plainName(row.name));
}

/**
 * Quotes `schema.name`, which the parser prints without quotes. This fails for a name that contains
 * a dot. Such a table is found through the query plan instead.
 */
const asQuoted = (name: string): string => {
  const at = name.indexOf('.');
  return qualified({ schema: name.slice(0, at), table: name.slice(at + 1) });
};

/**
 * Returns the definitions of the views and functions that the analysed text names, except for those
 * in `done`. Skips functions of the server and of extensions.
 */
async function behind(
  client: pg.ClientBase,
  read: SqlAnalysis,
  done: Set<string>,
): Promise<({ text: string; of: string } | { unread: string })[]> {
  const calls = read.flags
    .filter((flag) => flag.id === 'unknown-function' && flag.found.endsWith('()'))
    .map((flag) => flag.found.slice(0, -2));
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT c.oid::regclass::text AS name, pg_get_viewdef(c.oid) AS text FROM unnest($1::text[]) AS given JOIN pg_class c ON c.oid = to_regclass(given) WHERE c.relkind = 'v'
     UNION ALL
     SELECT p.oid::regprocedure::text, CASE WHEN p.prokind = 'f' AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL THEN pg_get_functiondef(p.oid) END
     FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE (p.proname = ANY ($2) OR n.nspname || '.' || p.proname = ANY ($2)) AND n.nspname <> 'pg_catalog' AND NOT EXISTS (SELECT FROM pg_depend d
       WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
    [read.tables.map(asQuoted), calls],
  );
  return rows.flatMap(({ name, text }) => {
    if (done.has(name!)) return [];
    done.add(name!);
    return [
      text === null
        ? { unread: `${name} has no SQL or PL/pgSQL text to read` }
        : { text: text!, of: name! },
    ];
  });
}
