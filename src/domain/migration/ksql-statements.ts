// The statements of a ksqlDB pipeline: each makes one stream or table, by whose name it is found
// again.
import { splitStatements } from './statements.js';

export interface KsqlStatement {
  /** As ksqlDB names what it makes: upper case, unless it is quoted. */
  readonly name: string;
  readonly kind: 'STREAM' | 'TABLE';
  /** True when a query keeps filling it. */
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

/** Throws an Error that names the statement that cannot be used. */
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
        `"${sql.slice(0, 60)}" is no statement of a pipeline: expected CREATE STREAM, CREATE TABLE or SET 'key' = 'value'. What a statement makes must have a name to be found again`,
      );
    const name = create[3] ?? create[2]!.toUpperCase();
    if (statements.some((s) => s.name === name)) throw new Error(`two statements make ${name}`);
    statements.push({
      name,
      kind: create[1]!.toUpperCase() as 'STREAM' | 'TABLE',
      isQuery: /\bas\s+select\b/i.test(create[4]!.replaceAll(/'(?:[^']|'')*'/g, "''")),
      sql,
    });
  }
  if (!statements.some((s) => s.isQuery))
    throw new Error('the text starts no query: it has no CREATE … AS SELECT');
  return { properties, statements };
}
