// Reads the statements in the bodies of SQL and PL/pgSQL functions. It cannot read statements that
// a function builds at run time.
import { parsePlPgSQLSync } from 'libpg-query';
import { field, list, textOf, walk, type Fields } from './ast.js';
import type { Block } from './blocks.js';
import type { Called } from './called.js';
import type { Flag } from './find-flags.js';
import type { SqlText } from './text.js';

/** The error of PostgreSQL's parser, and its place in the text. */
export interface SqlError {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** The tables, blocks and flags of all statements that were read so far. */
export interface Collected {
  readonly reads: Set<string>;
  readonly writes: Set<string>;
  readonly blocks: Block[];
  readonly flags: Flag[];
  readonly unread: string[];
  readonly called: Called;
  /** The tables that an INSERT … SELECT or a CREATE TABLE AS fills. */
  readonly filled: Set<string>;
  /** The tables that an UPDATE or MERGE changes, each with the verb of that statement. */
  readonly changed: Map<string, string>;
}

/** One statement of a script, with the text around it. */
export interface Statement {
  readonly whole: string;
  readonly text: SqlText;
  readonly name: string;
  readonly output: string | null;
  readonly types: ReadonlyMap<string, string>;
}

/**
 * Reads all statements of a text, and adds their tables, blocks and flags to `all`. Returns the
 * parser's error, or null. `name` becomes the name of the last block of each statement.
 */
type ReadScript = (
  sql: string,
  all: Collected,
  output: string | null,
  types: ReadonlyMap<string, string>,
  name: string,
) => SqlError | null;

/**
 * Adds to `all` what the body of a CREATE FUNCTION reads, writes and computes. Calls `readScript`
 * for each statement of the body.
 */
export function readFunction(
  node: Fields,
  statement: Statement,
  all: Collected,
  readScript: ReadScript,
): void {
  const option = (name: string): unknown =>
    field(
      list(node, 'options').find((o) => field(field(o, 'DefElem'), 'defname') === name),
      'DefElem',
    );
  const language = textOf(
    field(field(field(option('language'), 'arg'), 'String'), 'sval'),
    'sql',
  ).toLowerCase();
  const name = list(node, 'funcname')
    .map((n) => String(field(field(n, 'String'), 'sval')))
    .join('.');
  const bodies = list(field(field(option('as'), 'arg'), 'List'), 'items').map((n) =>
    String(field(field(n, 'String'), 'sval')),
  );
  if (language === 'sql' && bodies[0]) {
    const error = readScript(bodies[0], all, statement.output, statement.types, name);
    if (error) all.unread.push(`${name}: ${error.message}`);
  } else if (language === 'plpgsql') readPlPgSql(name, statement, all, readScript);
  else all.unread.push(`${name} is written in ${language}: it cannot be read here`);
}

function readPlPgSql(
  name: string,
  statement: Statement,
  all: Collected,
  readScript: ReadScript,
): void {
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(statement.whole);
  } catch (error) {
    all.unread.push(`${name}: ${(error as Error).message}`);
    return;
  }
  walk(tree, ({ kind, node }) => {
    if (kind === 'PLpgSQL_stmt_dynexecute') {
      all.unread.push(
        `${name}, line ${textOf(node['lineno'], '?')}: EXECUTE of a text that is built at run time`,
      );
      return false;
    }
    const query = kind === 'PLpgSQL_expr' ? node['query'] : undefined;
    if (typeof query !== 'string') return;
    const isStatement =
      /^\s*(select|with|insert|update|delete|merge|truncate|copy|notify|create)\b/i.test(query);
    const text = isStatement ? query : `SELECT ${query.replace(/^\s*[\w.]+\s*:?=\s*/, '')}`;
    const before = all.blocks.length;
    if (readScript(text, all, statement.output, statement.types, 'step') !== null && isStatement)
      all.unread.push(`${name}: ${query.slice(0, 60)}`);
    const hasTables = all.blocks.slice(before).some((b) => b.reads.length > 0);
    if (!hasTables) all.blocks.length = before; // an expression, not a step of the batch
    return;
  });
}
