// Reads a batch's SQL with PostgreSQL's own parser. Finds the tables that the SQL reads and writes,
// its blocks (CTEs, sub-queries and the query itself), and constructs that would misbehave in a
// stream.
import { loadModule, parseSync, scanSync } from 'libpg-query';
import { parseTableName } from '../../domain/migration/names.js';
import { field, functionName, list, relationName, walk, withOuter, type Fields } from './ast.js';
import { blocksOf, type Block } from './blocks.js';
import { addCalled, nothingCalled, type Moment } from './called.js';
import { flagsOf, sideEffect, type Flag } from './find-flags.js';
import type { StateClass } from './grouping-operators.js';
import { SqlText } from './text.js';
import { readFunction, type Collected, type SqlError, type Statement } from './routines.js';

export interface SqlAnalysis {
  /** Null if PostgreSQL's parser accepts the text. */
  readonly error: SqlError | null;
  /** The tables that the SQL reads, as `schema.name`, each once. */
  readonly tables: readonly string[];
  readonly writes: readonly string[];
  readonly blocks: readonly Block[];
  readonly flags: readonly Flag[];
  /** The names of all functions that the SQL calls, as written. */
  readonly functions: readonly string[];
  readonly operators: readonly string[];
  /** Constants that Postgres may read as the current time, such as `'today'`. */
  readonly moments: readonly Moment[];
  /** Parts that could not be read, with the reason. Their effect is unknown. */
  readonly unread: readonly string[];
  /** The class of the state that the most demanding block needs in a stream. */
  readonly class: StateClass | 'unknown';
}

export interface AnalyseOptions {
  readonly output?: string | null;
  readonly types?: ReadonlyMap<string, string>;
}

const HARDNESS: readonly StateClass[] = [
  'stateless',
  'keyed state',
  'windowed state',
  'unbounded state',
  'not streamable',
];

/**
 * Loads the parser, which is WebAssembly. Callers MUST wait for it before they call `analyseSql`.
 */
export const loadParser = (): Promise<void> => loadModule();

/**
 * Reads the statements of a script, of SQL functions and of PL/pgSQL bodies one by one. Returns a
 * syntax error in `error` and does not throw it.
 */
export function analyseSql(
  sql: string,
  { output = null, types = new Map() }: AnalyseOptions = {},
): SqlAnalysis {
  const called = nothingCalled();
  const [reads, writes] = [new Set<string>(), new Set<string>()];
  const all: Collected = {
    reads,
    writes,
    called,
    blocks: [],
    flags: [],
    unread: [],
    filled: new Set(),
    changed: new Map(),
  };
  const error = readScript(sql, all, output, types, 'result');
  all.unread.push(...computedByChange(all, output));
  const classes = all.blocks.flatMap((b) => b.operators.map((o) => o.class));
  const hardest = classes.reduce<StateClass>(
    (a, b) => (HARDNESS.indexOf(b) > HARDNESS.indexOf(a) ? b : a),
    'stateless',
  );
  const flags = all.flags.filter(
    (flag, at) => all.flags.findIndex((f) => f.id === flag.id && f.found === flag.found) === at,
  );
  const isKnown = error === null && all.blocks.length > 0;
  return {
    error,
    tables: [...all.reads].sort(),
    writes: [...all.writes].sort(),
    blocks: all.blocks,
    flags,
    functions: [...called.functions],
    operators: [...called.operators],
    moments: called.moments,
    unread: all.unread,
    class: isKnown
      ? flags.some((f) => f.gravity === 'blocks')
        ? 'not streamable'
        : hardest
      : 'unknown',
  };
}

/**
 * Returns the UPDATE and MERGE statements that compute a part of the result. They change the
 * output, a table that a SELECT fills, or a table that a SELECT reads. Any other UPDATE, such as
 * that of a run log, does not matter for the result.
 */
function computedByChange({ changed, filled, blocks }: Collected, output: string | null): string[] {
  const matters = new Set([
    ...filled,
    ...blocks.flatMap((b) => b.reads),
    ...(output ? [output] : []),
  ]);
  return [...changed]
    .filter(([table]) => matters.has(table))
    .map(([table, verb]) => `${verb} ${table}, which computes values outside of a SELECT`);
}

function readScript(
  sql: string,
  all: Collected,
  output: string | null,
  types: ReadonlyMap<string, string>,
  name: string,
): SqlError | null {
  let statements: readonly unknown[];
  let text: SqlText;
  try {
    statements = list(parseSync(sql), 'stmts');
    text = new SqlText(sql, scanSync(sql).tokens);
  } catch (error) {
    const at =
      (error as { sqlDetails?: { cursorPosition?: number } }).sqlDetails?.cursorPosition ?? 0;
    return { message: (error as Error).message, ...new SqlText(sql, []).place(Math.max(0, at)) };
  }
  for (const raw of statements) {
    const start = (field(raw, 'stmt_location') as number | undefined) ?? 0;
    const length = field(raw, 'stmt_len') as number | undefined;
    const whole = text.slice(start, length ? start + length : Buffer.byteLength(sql));
    readStatement(field(raw, 'stmt') as Fields, { whole, text, name, output, types }, all);
  }
  return null;
}

function readStatement(stmt: Fields, statement: Statement, all: Collected): void {
  const kind = Object.keys(stmt)[0]!;
  const node = stmt[kind] as Fields;
  switch (kind) {
    case 'SelectStmt':
      return readSelect(node, statement, all);
    case 'InsertStmt':
    case 'CreateTableAsStmt': {
      const target = relationName(
        (kind === 'InsertStmt' ? node['relation'] : field(node['into'], 'rel')) as Fields,
      );
      all.writes.add(target);
      const select = field(node[kind === 'InsertStmt' ? 'selectStmt' : 'query'], 'SelectStmt') as
        | Fields
        | undefined;
      if (select && list(select, 'valuesLists').length === 0) {
        all.filled.add(target);
        readSelect(
          withOuter(select, node),
          { ...statement, output: statement.output ?? target, name: parseTableName(target).table },
          all,
        );
      }
      return;
    }
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      const target = relationName(node['relation'] as Fields);
      all.writes.add(target);
      if (kind !== 'DeleteStmt')
        all.changed.set(target, kind === 'UpdateStmt' ? 'UPDATE' : 'MERGE INTO');
      collect(stmt, statement, all);
      return;
    }
    case 'TruncateStmt':
      for (const relation of list(node, 'relations'))
        all.writes.add(relationName(field(relation, 'RangeVar') as Fields));
      return;
    case 'CreateFunctionStmt':
      return readFunction(node, statement, all, readScript);
    case 'DoStmt':
      all.unread.push(
        'a DO block; provide it as CREATE FUNCTION … LANGUAGE plpgsql, which can be read',
      );
      return;
    case 'CallStmt':
      all.unread.push(
        `CALL ${functionName(node['funccall'] as Fields)}(), whose text was not provided`,
      );
      return;
    case 'CopyStmt':
      all.flags.push(sideEffect('COPY'));
      return;
    case 'NotifyStmt':
      all.flags.push(sideEffect('NOTIFY'));
      return;
    case 'TransactionStmt':
    case 'VariableSetStmt':
    case 'IndexStmt':
    case 'VacuumStmt':
    case 'CreateStmt':
    case 'DropStmt':
    case 'LockStmt':
      return; // these statements compute no part of the result
    default:
      all.unread.push(`${kind.replace(/Stmt$/, '')}: not a statement that computes a result`);
  }
}

function readSelect(select: Fields, statement: Statement, all: Collected): void {
  const before = all.writes.size;
  all.blocks.push(...blocksOf(select, statement.name, selectText(statement.whole), statement.text));
  collect({ SelectStmt: select }, statement, all);
  walk(select['withClause'], ({ kind, node }) => {
    if (/^(Insert|Update|Delete|Merge)Stmt$/.test(kind))
      all.writes.add(relationName(node['relation'] as Fields));
  });
  if (all.writes.size > before) all.flags.push(sideEffect('a WITH that writes'));
}

/** Returns only the query of `INSERT INTO … SELECT` or `CREATE TABLE … AS SELECT`. */
const selectText = (whole: string): string =>
  whole.replace(
    /^\s*(insert\s+into|create\s+(temp\s+|temporary\s+|unlogged\s+)?table)\s+[\s\S]*?(?=\b(select|with)\b)/i,
    '',
  );

function collect(tree: Fields, { output, types }: Statement, all: Collected): void {
  addCalled(tree, all.called);
  const ctes = new Set<string>();
  walk(tree, ({ kind, node }) => {
    if (kind === 'CommonTableExpr') ctes.add(String(node['ctename']));
  });
  walk(tree, ({ kind, node }) => {
    if (
      kind === 'RangeVar' &&
      !(node['schemaname'] === undefined && ctes.has(String(node['relname'])))
    )
      all.reads.add(relationName(node));
  });
  all.flags.push(...flagsOf(tree, { output, types, ctes }));
}
