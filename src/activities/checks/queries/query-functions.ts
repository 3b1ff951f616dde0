// Checks the functions that a query calls. If a function reads tables, or returns a different
// result on each call, the query cannot be compared exactly at a still point.
import type pg from 'pg';
import { analyseSql } from '../../../assess/sql/analyse.js';

/**
 * Matches functions of the server and its extensions that read a table, a query or a file that an
 * argument names.
 */
const READERS =
  /^(query_to_xml|table_to_xml|schema_to_xml|database_to_xml|cursor_to_xml|dblink|lo_get|pg_read_file)/;

interface Called {
  readonly name: string;
  readonly text: string | null;
  readonly isVolatile: boolean;
  readonly isUserDefined: boolean;
}

/**
 * Returns the reason why a function prevents aligning the query. Returns null if no function does.
 */
export async function functionProblem(
  client: pg.ClientBase,
  query: string,
): Promise<string | null> {
  const asked = new Set<string>();
  for (let names = callsIn(query); names.length > 0;) {
    const next = new Set<string>();
    for (const called of await functions(client, names)) {
      const problem = problemOf(called);
      if (problem) return problem;
      if (called.isUserDefined) for (const name of callsIn(called.text!)) next.add(name);
    }
    names.forEach((name) => asked.add(name));
    names = [...next].filter((name) => !asked.has(name));
  }
  return null;
}

const callsIn = (text: string): string[] =>
  analyseSql(text)
    .flags.filter(({ id, found }) => id === 'unknown-function' && found.endsWith('()'))
    .map(({ found }) => found.slice(0, -2));

function problemOf({ name, text, isVolatile, isUserDefined }: Called): string | null {
  if (READERS.test(name))
    return `it calls ${name}, which can read any data that its arguments name`;
  if (!isUserDefined) return null;
  if (isVolatile) return `it calls ${name}, which is VOLATILE`;
  if (text === null) return `it calls ${name}, whose text cannot be read`;
  const read = analyseSql(text);
  if (read.error ?? read.unread[0]) return `it calls ${name}, whose text cannot be read`;
  return read.tables.length > 0 ? `it calls ${name}, which reads ${read.tables.join(', ')}` : null;
}

/**
 * Reads the functions with these names from the catalog. The functions of the server and of its
 * extensions are not user-defined.
 */
async function functions(client: pg.ClientBase, names: readonly string[]): Promise<Called[]> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT p.oid::regprocedure::text AS name, (p.provolatile = 'v')::text AS volatile,
       (n.nspname <> 'pg_catalog' AND NOT EXISTS (SELECT FROM pg_depend d
         WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))::text AS ours,
       CASE WHEN p.prokind = 'f' AND l.lanname IN ('sql', 'plpgsql') THEN pg_get_functiondef(p.oid) END AS text
     FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.proname = ANY ($1) OR n.nspname || '.' || p.proname = ANY ($1)`,
    [names],
  );
  return rows.map(({ name, text, volatile, ours }) => ({
    name: name!,
    text: text ?? null,
    isVolatile: volatile === 'true',
    isUserDefined: ours === 'true',
  }));
}
