// Reads a batch's SQL with PostgreSQL's own parser: what it reads and writes, its stages, and what
// would misbehave in a stream.
import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';
import { field, functionName, list, relationName, textOf, walk, type Fields } from './ast.js';
import { blocksOf, type Block, type BlockTrees } from './blocks.js';
import { flagsOf, sideEffect, type Flag } from './find-flags.js';
import type { StateClass } from './grouping-operators.js';
import { SqlText } from './text.js';

export interface SqlAnalysis {
  /** Null if PostgreSQL's parser accepts the text. */
  readonly error: {
    readonly message: string;
    readonly line: number;
    readonly column: number;
  } | null;
  /** The tables that it reads, as `schema.name`, each once. */
  readonly tables: readonly string[];
  readonly writes: readonly string[];
  readonly blocks: readonly Block[];
  readonly flags: readonly Flag[];
  /** Parts that could not be read, with the reason. Their effect is unknown. */
  readonly unread: readonly string[];
  /** The class of the hardest stage. */
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

/** Loads the parser, which is WebAssembly. It MUST have ended before `analyseSql` is called. */
export const loadParser = (): Promise<void> => loadModule();

interface Collected {
  readonly reads: Set<string>;
  readonly writes: Set<string>;
  readonly blocks: Block[];
  readonly flags: Flag[];
  readonly unread: string[];
}

/**
 * Reads the statements of a script, of SQL functions and of PL/pgSQL bodies one by one. Never
 * throws for any text.
 */
export function analyseSql(
  sql: string,
  { output = null, types = new Map() }: AnalyseOptions = {},
): SqlAnalysis {
  const all: Collected = { reads: new Set(), writes: new Set(), blocks: [], flags: [], unread: [] };
  const error = readScript(sql, all, output, types, 'result');
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
    unread: all.unread,
    class: isKnown
      ? flags.some((f) => f.gravity === 'blocks')
        ? 'not streamable'
        : hardest
      : 'unknown',
  };
}

function readScript(
  sql: string,
  all: Collected,
  output: string | null,
  types: ReadonlyMap<string, string>,
  name: string,
): SqlAnalysis['error'] {
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

interface Statement {
  readonly whole: string;
  readonly text: SqlText;
  readonly name: string;
  readonly output: string | null;
  readonly types: ReadonlyMap<string, string>;
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
        Fields | undefined;
      if (select && list(select, 'valuesLists').length === 0)
        readSelect(
          withOuter(select, node),
          { ...statement, output: statement.output ?? target, name: target.split('.')[1]! },
          all,
        );
      return;
    }
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      all.writes.add(relationName(node['relation'] as Fields));
      collect(stmt, statement, all);
      return;
    case 'TruncateStmt':
      for (const relation of list(node, 'relations'))
        all.writes.add(relationName(field(relation, 'RangeVar') as Fields));
      return;
    case 'CreateFunctionStmt':
      return readFunction(node, statement, all);
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
      return; // such statements only prepare the session
    default:
      all.unread.push(`${kind.replace(/Stmt$/, '')}: not a statement that computes a result`);
  }
}

/** Moves a WITH in front of INSERT to its SELECT. */
const withOuter = (select: Fields, around: Fields): Fields =>
  around['withClause'] && !select['withClause']
    ? { ...select, withClause: around['withClause'] }
    : select;

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

/** Returns only the query of `INSERT INTO … SELECT`. */
const selectText = (whole: string): string =>
  whole.replace(
    /^\s*(insert\s+into|create\s+(temp\s+|temporary\s+|unlogged\s+)?table)\s+[\s\S]*?(?=\b(select|with)\b)/i,
    '',
  );

function collect(tree: Fields, { output, types }: Statement, all: Collected): void {
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

function readFunction(node: Fields, statement: Statement, all: Collected): void {
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
  } else if (language === 'plpgsql') readPlPgSql(statement.whole, name, statement, all);
  else all.unread.push(`${name} is written in ${language}: it cannot be read here`);
}

function readPlPgSql(definition: string, name: string, statement: Statement, all: Collected): void {
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(definition);
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

/**
 * Returns the blocks of a single SELECT (or INSERT … SELECT) with their trees, or null for any
 * other text.
 */
export function blockTrees(sql: string): { blocks: Block[]; trees: BlockTrees } | null {
  const statements = list(parseSync(sql), 'stmts');
  const stmt = field(statements[0], 'stmt');
  const select = (field(stmt, 'SelectStmt') ??
    field(field(field(stmt, 'InsertStmt'), 'selectStmt'), 'SelectStmt')) as Fields | undefined;
  if (statements.length !== 1 || !select) return null;
  const trees: BlockTrees = { selects: new Map(), inner: new Map(), ctes: new Map() };
  return {
    blocks: blocksOf(select, 'result', sql, new SqlText(sql, scanSync(sql).tokens), trees),
    trees,
  };
}
