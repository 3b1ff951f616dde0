// Aligns a query of the batch: prepares it to run as of a still point. At a still point, the
// pipeline has processed its whole input. Expands the query's views, so that a sub-query (the
// stand-in) can replace every captured table. A query that reads other tables cannot be aligned.
import type pg from 'pg';
import { analyseSql, loadParser } from '../../../assess/sql/analyse.js';
import { textProblem } from '../../../assess/sql/not-aligned.js';
import {
  cteNames,
  referencesOf,
  replaceReferences,
  type Reference,
} from '../../../assess/sql/references.js';
import { emptyStandIn } from '../../../assess/sql/stand-in.js';
import { describeSubquery } from '../../../clients/postgres/single-statement.js';
import { plainName } from '../../../clients/postgres/consumer-view.js';
import { quoteIdent, type Relation } from '../../../domain/migration/names.js';
import { stripSemicolon } from '../../../domain/values/strip-semicolon.js';
import { because, ok, type OrReason } from '../../../domain/values/or-reason.js';
import { clockConstants } from './clock-constants.js';
import { clockZones } from './clock-zones.js';
import { relationsOfPlan } from './query-reads.js';
import { functionProblem } from './query-functions.js';

/**
 * Takes the quoted name of a table, and returns the sub-query that replaces the table. Returns null
 * if the table is not replaced.
 */
export type StandIns = (table: string) => string | null;

export interface AlignedQuery {
  /** The captured tables that the query reads, by their quoted names. */
  readonly tables: ReadonlySet<string>;
  rewrite(standIns: StandIns): string;
}

interface Expanded {
  readonly text: string;
  readonly places: readonly { readonly reference: Reference; readonly target: Target }[];
}

type Target = { readonly table: string } | { readonly view: Expanded };

/** Thrown if the query cannot be aligned. The message says why. */
class NotAligned extends Error {}

const MOST_NESTED = 20;

/** Prepares the query without running it. Returns the reason if it cannot be aligned. */
export async function alignQuery(
  client: pg.ClientBase,
  tables: readonly Relation[],
  sql: string,
): Promise<OrReason<AlignedQuery>> {
  await loadParser();
  const query = stripSemicolon(sql);
  const captured = new Map(tables.map((table) => [table.sql, table]));
  try {
    const expanded = await expand(client, query, captured, 0);
    const rewrite = (standIns: StandIns): string => render(expanded, standIns);
    const text = rewrite(() => null);
    const problem =
      textProblem(text) ??
      (await constantProblem(client, query)) ??
      (await zoneProblem(client, text)) ??
      (await functionProblem(client, text)) ??
      (await readsOtherwise(client, query, rewrite));
    return problem === null ? ok({ tables: tablesOf(expanded), rewrite }) : because(problem);
  } catch (error) {
    return because((error as Error).message);
  }
}

async function expand(
  client: pg.ClientBase,
  text: string,
  captured: ReadonlyMap<string, Relation>,
  depth: number,
): Promise<Expanded> {
  if (depth > MOST_NESTED) throw new NotAligned('its views are nested too deeply');
  const references = referencesOf(text);
  const found = await relations(client, [
    ...references.map(({ schema, name }) =>
      schema === null ? quoteIdent(name) : `${quoteIdent(schema)}.${quoteIdent(name)}`,
    ),
    ...cteNames(text).map(quoteIdent),
  ]);
  const hidden = found.slice(references.length).find((relation) => relation !== null);
  if (hidden) throw new NotAligned(`one of its CTEs has the name of ${plainName(hidden.name)}`);
  const places: Expanded['places'][number][] = [];
  for (const [at, reference] of references.entries()) {
    const relation = found[at];
    if (!relation) throw new NotAligned(`it reads ${reference.name}, which does not exist`);
    if (relation.definition !== null) {
      const view = stripSemicolon(relation.definition);
      places.push({ reference, target: { view: await expand(client, view, captured, depth + 1) } });
    } else if (captured.has(relation.name)) {
      places.push({ reference, target: { table: relation.name } });
    } else {
      throw new NotAligned(`it reads ${plainName(relation.name)}, which is not captured`);
    }
  }
  return { text, places };
}

function render({ text, places }: Expanded, standIns: StandIns): string {
  const targets = new Map(places.map(({ reference, target }) => [reference, target]));
  return replaceReferences(text, [...targets.keys()], (reference) => {
    const target = targets.get(reference)!;
    return 'view' in target ? render(target.view, standIns) : standIns(target.table);
  });
}

function tablesOf({ places }: Expanded): Set<string> {
  return new Set(
    places.flatMap(({ target }) => ('view' in target ? [...tablesOf(target.view)] : target.table)),
  );
}

interface CatalogRelation {
  /** The qualified and quoted name. */
  readonly name: string;
  /** The text of a view. Null for other relations. */
  readonly definition: string | null;
}

/**
 * Resolves quoted names by the session's search path. The value for a name is null if no such
 * relation exists.
 */
async function relations(
  client: pg.ClientBase,
  names: readonly string[],
): Promise<(CatalogRelation | null)[]> {
  const { rows } = await client.query<{ name: string | null; definition: string | null }>(
    `SELECT CASE WHEN c.oid IS NULL THEN NULL
         ELSE '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' END AS name,
       CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END AS definition
     FROM unnest($1::text[]) WITH ORDINALITY AS given (name, at)
     LEFT JOIN pg_class c ON c.oid = to_regclass(given.name)
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY at`,
    [names],
  );
  return rows.map(({ name, definition }) => (name === null ? null : { name, definition }));
}

async function constantProblem(client: pg.ClientBase, query: string): Promise<string | null> {
  const [constant] = await clockConstants(client, query);
  return constant === undefined
    ? null
    : `its result depends on ${constant}, which Postgres reads as the current time`;
}

async function zoneProblem(client: pg.ClientBase, text: string): Promise<string | null> {
  const { clock, unread } = await clockZones(client, text, analyseSql(text));
  if (clock.length > 0) return `its result depends on ${clock[0]!}`;
  return unread.length > 0 ? `it may convert a time of day: ${unread[0]!}` : null;
}

/**
 * Makes Postgres plan the query with stand-ins that read nothing. Returns a problem if Postgres
 * refuses that query, if its columns have other names or types, or if the plan still reads a
 * relation. Otherwise, returns null.
 */
async function readsOtherwise(
  client: pg.ClientBase,
  query: string,
  rewrite: (standIns: StandIns) => string,
): Promise<string | null> {
  const empty = rewrite((sql) => emptyStandIn({ sql }));
  const types = async (text: string): Promise<string> =>
    JSON.stringify(
      (await describeSubquery(client, text)).map(({ name, dataTypeID }) => [name, dataTypeID]),
    );
  const before = await types(query);
  const after = await types(empty).catch((error: unknown) => (error as Error).message);
  if (before !== after)
    return after.startsWith('[')
      ? 'with its tables replaced, it returns columns of different types'
      : `with its tables replaced, Postgres refuses it: ${after}`;
  const others = await relationsOfPlan(client, empty);
  return others.length > 0 ? `it also reads ${others.join(', ')}, hidden in a function` : null;
}
