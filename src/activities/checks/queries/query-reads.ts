// Checks that a query of the batch depends only on captured tables, and not on other tables, the
// clock, chance or the session's role. The check only reads.
import type pg from 'pg';
import { analyseSql, loadParser, type SqlAnalysis } from '../../../assess/sql/analyse.js';
import { clockFlags } from '../../../assess/sql/not-aligned.js';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { plainName } from '../../../clients/postgres/consumer-view.js';
import { parseTableName, qualified, quoteIdent } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { stripSemicolon } from '../../../domain/values/strip-semicolon.js';
import type { Answer } from '../../runtime/make-finding.js';
import { calledBy, lacksText, whyForeignIsUnsafe } from './called-functions.js';
import { clockConstants } from './clock-constants.js';
import { clockZones, functionMayConvertTime, type ClockZones } from './clock-zones.js';

interface Dependence {
  /** Relations that store rows, as `schema.name`. */
  readonly tables: readonly string[];
  /** Calls whose result depends on the clock, on chance or on the session's role, as SQL text. */
  readonly clock: readonly string[];
  /** The functions and conversions of times that could not be judged, with the reason. */
  readonly unread: readonly string[];
}

/**
 * Finds what the query depends on, directly or through views and functions. Postgres plans the
 * query but does not run it.
 */
export async function dependenceOf(client: pg.ClientBase, query: string): Promise<Dependence> {
  await loadParser();
  const sql = stripSemicolon(query);
  const [clock, unread] = [new Set<string>(), new Set<string>()];
  const tables = new Set(await relationsOfPlan(client, sql));
  const done = new Set<string>();
  const texts: Text[] = [{ text: sql, of: null, isView: false }];
  for (let next = texts.shift(); next; next = texts.shift()) {
    const { text, of, isView } = next;
    const read = analyseSql(text);
    const where = of === null ? '' : ` in ${of}`;
    const roles = read.flags.filter(
      ({ id, found }) => id === 'unknown-function' && ROLE.test(found),
    );
    for (const found of [...clockFlags(read), ...roles.map((flag) => flag.found)])
      clock.add(`${found}${where}`);
    if (of === null) for (const constant of await clockConstants(client, text)) clock.add(constant);
    // in the stored text of a view, Postgres has already replaced a constant such as 'today'
    else if (!isView)
      for (const moment of read.moments)
        unread.add(`${of}: '${moment.text}' may stand for the current time`);
    const zones = await zonesOf(client, next, read);
    for (const found of zones.clock) clock.add(`${found}${where}`);
    for (const found of zones.unread) unread.add(`${found}${where}`);
    for (const part of [...(read.error ? [read.error.message] : []), ...read.unread])
      if (of !== null) unread.add(`${of}: ${part}`);
    for (const found of await behind(client, read, done)) {
      if ('unread' in found) unread.add(found.unread);
      else texts.push(found);
    }
    for (const table of await holdingRows(client, read.tables.flatMap(meanings))) tables.add(table);
  }
  return { tables: [...tables].sort(), clock: [...clock].sort(), unread: [...unread].sort() };
}

const ROLE = /^(current_(user|role)|session_user|user)$/;

/** The text of the query, or of a view or function that the query uses. */
interface Text {
  readonly text: string;
  /** The view or the function. Null for the query itself. */
  readonly of: string | null;
  readonly isView: boolean;
}

/**
 * Examines conversions of times to a zone. Postgres cannot parse the text of a function as a query,
 * so a function that may convert a time of day counts as unread.
 */
async function zonesOf(
  client: pg.ClientBase,
  { text, of, isView }: Text,
  read: SqlAnalysis,
): Promise<ClockZones> {
  if (of === null || isView) return clockZones(client, stripSemicolon(text), read);
  return (await functionMayConvertTime(client, text, read, read.tables.flatMap(meanings)))
    ? { clock: [], unread: ['AT TIME ZONE may convert a time of day'] }
    : { clock: [], unread: [] };
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
        'add them to source.tables (for a view or a materialized view, add its tables); or waive this check with the reason why they never change',
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
    : `it reads only captured tables: ${tables.join(', ')}`;
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
  );
}

/**
 * Keeps only the relations that store rows, and sorts them. Replaces each partition by its root
 * table, and omits views and names that mean no relation.
 */
async function holdingRows(client: pg.ClientBase, quoted: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name
     FROM unnest($1::text[]) AS given, LATERAL (SELECT coalesce(pg_partition_root(to_regclass(given)), to_regclass(given)) AS oid) AS root
     JOIN pg_class c ON c.oid = root.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind <> 'v' ORDER BY 1`,
    [quoted],
  );
  return rows.map((row) => plainName(row.name));
}

/**
 * Returns, in quotes, each relation that a name from the parser can mean. The parser prints the
 * schema `public` for a name without a schema, although the search path decides what such a name
 * means. One meaning too many can only refuse a query. One meaning too few would hide a table.
 */
function meanings(text: string): string[] {
  const name = parseTableName(text);
  return [qualified(name), ...(name.schema === 'public' ? [quoteIdent(name.table)] : [])];
}

/**
 * Returns the definitions of the views and functions that the analyzed text uses, except for those
 * in `done`, and adds them to `done`. For a function that cannot be judged, returns the reason.
 * Skips safe functions of the server and of extensions.
 */
async function behind(
  client: pg.ClientBase,
  read: SqlAnalysis,
  done: Set<string>,
): Promise<(Text | { unread: string })[]> {
  const found: (Text | { unread: string })[] = [];
  const isNew = (name: string): boolean => {
    const { size } = done;
    return done.add(name).size > size;
  };
  for (const { name, text } of await viewsNamed(client, read.tables))
    if (isNew(name)) found.push({ text, of: name, isView: true });
  for (const called of await calledBy(client, read)) {
    const { name, origin, text } = called;
    const unsafe = whyForeignIsUnsafe(called);
    if ((origin !== 'user' && !unsafe) || !isNew(name)) continue;
    if (unsafe) found.push({ unread: `${name} ${unsafe}` });
    else if (lacksText(called))
      found.push({ unread: `${name} has no SQL or PL/pgSQL text to read` });
    else if (text !== null) found.push({ text, of: name, isView: false });
  }
  return found;
}

/** Returns the views among `tables`, which holds names as the parser prints them. */
export async function viewsNamed(
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<{ name: string; text: string }[]> {
  const { rows } = await client.query<{ name: string; text: string }>(
    `SELECT c.oid::regclass::text AS name, pg_get_viewdef(c.oid) AS text FROM pg_class c
      WHERE c.relkind = 'v' AND c.oid IN (SELECT to_regclass(given) FROM unnest($1::text[]) AS given) ORDER BY 1`,
    [tables.flatMap(meanings)],
  );
  return rows;
}
