// Reads from the catalog the functions that an SQL text may call: by name, through an operator, or
// through a cast. Postgres chooses a function by the types of its arguments, which the text does
// not show. So several functions of one name may be returned.
import type pg from 'pg';
import type { SqlAnalysis } from '../../../assess/sql/analyse.js';
import { isBuiltIn } from '../../../assess/sql/functions.js';

export interface CalledFunction {
  /** The name with the types of its arguments. */
  readonly name: string;
  /** `server` means that the function is in the schema pg_catalog, so Postgres itself has it. */
  readonly origin: 'server' | 'extension' | 'user';
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /**
   * The text of a function in SQL or PL/pgSQL. Null for other languages, for a function of the
   * server, and for a body that Postgres stores only in parsed form.
   */
  readonly text: string | null;
  /** Changes when the definition of the function changes. */
  readonly digest: string;
  /**
   * True if it is not certain that the text calls this function. Either the server has a function
   * of this name, or only an operator or a cast could call this one.
   */
  readonly isOnlyPossible: boolean;
}

type Calls = Pick<SqlAnalysis, 'functions' | 'operators'>;

/** Matches functions of the server that read a table, a query or a file that an argument names. */
const READERS =
  /^(query_to_xml|table_to_xml|schema_to_xml|database_to_xml|cursor_to_xml|lo_get|pg_read_file)/;

const IS_OF_EXTENSION = `EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`;
const CALLED_SQL = `
WITH used AS (
  SELECT p.oid, true AS is_named FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = ANY ($1) OR n.nspname || '.' || p.proname = ANY ($1)
  UNION ALL SELECT oprcode, false FROM pg_operator WHERE oprname = ANY ($2)
  UNION ALL SELECT castfunc, false FROM pg_cast WHERE castmethod = 'f')
SELECT p.oid::regprocedure::text AS name, p.proname::text AS plain, n.nspname || '.' || p.proname AS qualified, bool_or(used.is_named)::text AS named,
  CASE WHEN n.nspname = 'pg_catalog' THEN 'server' WHEN ${IS_OF_EXTENSION} THEN 'extension' ELSE 'user' END AS origin,
  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility, pg_function_is_visible(p.oid)::text AS visible,
  CASE WHEN n.nspname <> 'pg_catalog' AND p.prokind = 'f' AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL THEN pg_get_functiondef(p.oid) END AS text,
  md5(concat(to_jsonb(p) - '{oid,proacl,proowner}'::text[], (SELECT to_jsonb(a) FROM pg_aggregate a WHERE a.aggfnoid = p.oid))) AS digest
FROM used JOIN pg_proc p ON p.oid = used.oid JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
GROUP BY p.oid, n.oid, l.oid ORDER BY 1`;

/** Returns the functions that the text may call. */
export async function calledBy(
  client: pg.ClientBase,
  { functions, operators }: Calls,
): Promise<CalledFunction[]> {
  const { rows } = await client.query<Record<string, string | null>>(CALLED_SQL, [
    functions,
    operators,
  ]);
  return rows.flatMap((row) => {
    const isNamed = row['named'] === 'true';
    // The parser prints AT TIME ZONE and EXTRACT as functions of pg_catalog. On Postgres 14, one
    // overload of these functions is VOLATILE, but the query may call another overload. So the call
    // of a function of the server never counts as certain, even if the text names it with its
    // schema.
    const isHomonym =
      isBuiltIn([row['plain']!]) &&
      (row['origin'] === 'server' || !functions.includes(row['qualified']!));
    const isOnlyPossible = !isNamed || isHomonym;
    // If the call of a function of the server or of an extension is not certain, the function is
    // skipped. Either it is safe, or the analysis of the text finds the problem. An unqualified
    // name means a user's function only if the search path finds it.
    if (isOnlyPossible && (row['origin'] !== 'user' || (isNamed && row['visible'] !== 'true')))
      return [];
    return [
      {
        name: row['name']!,
        origin: row['origin'] as CalledFunction['origin'],
        volatility: row['volatility'] as CalledFunction['volatility'],
        text: row['text'] ?? null,
        digest: row['digest']!,
        isOnlyPossible,
      },
    ];
  });
}

/**
 * Returns why a function of the server or of an extension may read tables or the clock, as the end
 * of a sentence. Returns null for a safe function, and for a function of a user.
 */
export function whyForeignIsUnsafe({ name, origin, volatility }: CalledFunction): string | null {
  if (origin === 'user') return null;
  if (READERS.test(name)) return 'can read any data that its arguments name';
  if (volatility === 'volatile') return 'is VOLATILE';
  return origin === 'extension' && volatility === 'stable'
    ? 'belongs to an extension and is not IMMUTABLE, so it may read tables'
    : null;
}

/**
 * Returns true if the text of a user's function is missing but needed. It is not needed for an
 * IMMUTABLE function whose call is not certain, such as the one behind a type's `=`.
 */
export const lacksText = ({ text, isOnlyPossible, volatility }: CalledFunction): boolean =>
  text === null && !(isOnlyPossible && volatility === 'immutable');
