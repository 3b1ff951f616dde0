// Parses the statements of a ksqlDB pipeline. Each statement except SET creates one stream or
// table, and Sluice finds the stream or table again by its name.
import { splitStatements } from './split-statements.js';

export interface KsqlStatement {
  /** The name of the stream or table in ksqlDB: in upper case, unless the statement quotes it. */
  readonly name: string;
  readonly kind: 'STREAM' | 'TABLE';
  /** True if the statement has a query. ksqlDB then fills the stream or table continuously. */
  readonly isQuery: boolean;
  readonly sql: string;
}

export interface KsqlPlan {
  /** Properties from `SET 'key' = 'value'`. */
  readonly properties: Readonly<Record<string, string>>;
  readonly statements: readonly KsqlStatement[];
}

const CREATE =
  /^create\s+(?:source\s+)?(stream|table)\s+(?:if\s+not\s+exists\s+)?(?:([a-z_][a-z0-9_]*)|`([^`]+)`)\s*([\s\S]*)$/i;
const SET = /^set\s+'([^']+)'\s*=\s*'([^']*)'$/i;

/**
 * Parses the statements of a pipeline. Throws an Error if a statement cannot be used, or if no
 * statement has a query.
 */
export function ksqlPlan(text: string): KsqlPlan {
  const properties: Record<string, string> = {};
  const statements: KsqlStatement[] = [];
  for (const sql of splitStatements(text)) {
    const set = SET.exec(sql);
    if (set) {
      properties[set[1]!] = set[2]!;
      continue;
    }
    const create = CREATE.exec(sql);
    if (!create)
      throw new Error(
        `"${sql.slice(0, 60)}" cannot be used in a pipeline: expected CREATE STREAM, CREATE TABLE or SET 'key' = 'value'. Sluice must find every stream or table again by its name`,
      );
    const name = create[3] ?? create[2]!.toUpperCase();
    if (statements.some((s) => s.name === name)) throw new Error(`two statements create ${name}`);
    statements.push({
      name,
      kind: create[1]!.toUpperCase() as 'STREAM' | 'TABLE',
      isQuery: /\bas\s+select\b/i.test(create[4]!.replaceAll(/'(?:[^']|'')*'/g, "''")),
      sql,
    });
  }
  if (!statements.some((s) => s.isQuery))
    throw new Error('the statements start no query, because no statement is CREATE … AS SELECT');
  return { properties, statements };
}
