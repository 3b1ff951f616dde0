// Splits a slice condition into conditions on tables and on the result, and rewrites the batch's
// query to read sliced tables. In `sluice prove`, the query and the pipeline thus read the same
// sliced input. Every difference therefore comes from the pipeline and not from the slice.
import { parseSync, scanSync } from 'libpg-query';
import { stripSemicolon } from '../../domain/values/strip-semicolon.js';
import { parseTableName, qualified } from '../../domain/migration/names.js';
import { columnName, field, list, relationName, textOf, walk } from './ast.js';
import { SqlText } from './text.js';

export interface SliceTable {
  /** The name as `specName` writes it. */
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** Foreign keys to other tables. A row is not in the slice if its parent is outside the slice. */
  readonly parents: readonly {
    readonly table: string;
    readonly columns: readonly string[];
    readonly references: readonly string[];
  }[];
}

export interface Slice {
  /** The SQL condition for each table. All rows of a table without a condition are in the slice. */
  readonly conditions: ReadonlyMap<string, string>;
  /**
   * The SQL condition on the result's key. If empty, every key of the sliced input is in the slice.
   */
  readonly result: string;
  /**
   * True if every part of the condition names only columns of the result's key. Each row of the
   * sliced result is then computed from all of its input.
   */
  readonly isOfKey: boolean;
}

/**
 * Plans a slice. `resultKey` contains the key columns of the result. If the condition cannot be
 * used, throws an Error with the reason.
 */
export function planSlice(
  condition: string,
  tables: readonly SliceTable[],
  resultKey: readonly string[],
): Slice {
  const own = new Map<string, string[]>();
  const result: string[] = [];
  let isOfKey = true;
  for (const { sql, columns } of conjuncts(condition)) {
    const holders = tables.filter((t) => columns.every((c) => t.columns.includes(c)));
    const isOfResult = columns.every((c) => resultKey.includes(c));
    if (columns.length === 0) throw new Error(`"${sql}" names no column`);
    if (holders.length === 0 && !isOfResult) {
      const known = [...new Set([...resultKey, ...tables.flatMap((t) => t.columns)])];
      const absent = columns.filter((c) => !known.includes(c));
      throw new Error(
        absent.length > 0
          ? `"${sql}": neither a table nor the result's key has a column ${absent.join(', ')}; the key is (${resultKey.join(', ')})`
          : `"${sql}": no single table has ${columns.join(' and ')}; split the condition with AND`,
      );
    }
    for (const { table } of holders) own.set(table, [...(own.get(table) ?? []), sql]);
    if (isOfResult) result.push(sql);
    else isOfKey = false;
  }
  return {
    conditions: withParents(own, tables),
    result: result.map((c) => `(${c})`).join(' AND '),
    isOfKey,
  };
}

/**
 * Adds a condition for each table that has a foreign key to a sliced table, directly or through
 * other tables.
 */
function withParents(
  own: ReadonlyMap<string, readonly string[]>,
  tables: readonly SliceTable[],
): Map<string, string> {
  const done = new Map<string, string>();
  const conditionOf = (table: SliceTable, path: readonly string[]): string => {
    const parts = (own.get(table.table) ?? []).map((c) => `(${c})`);
    for (const parent of table.parents) {
      const found = tables.find((t) => t.table === parent.table);
      if (!found || path.includes(parent.table)) continue;
      const theirs = conditionOf(found, [...path, table.table]);
      if (theirs === '') continue;
      const pairs = parent.columns.map(
        (column, at) =>
          `${named(parent.table)}.${ident(parent.references[at]!)} = ${named(table.table)}.${ident(column)}`,
      );
      // This excludes rows whose parent is outside the slice. Rows without a parent stay, because
      // an outer join may need them. A condition such as "no parent, or a parent in the slice"
      // would be simpler. But Postgres cannot turn it into a join, and would search the parents
      // again for every row.
      parts.push(
        `NOT EXISTS (SELECT FROM ${named(parent.table)} WHERE ${pairs.join(' AND ')} AND (${theirs}) IS NOT TRUE)`,
      );
    }
    return parts.join(' AND ');
  };
  for (const table of tables) {
    const condition = conditionOf(table, []);
    if (condition !== '') done.set(table.table, condition);
  }
  return done;
}

/**
 * Splits a condition at its top-level ANDs. Returns each part as written, with the columns that it
 * names.
 */
function conjuncts(condition: string): { sql: string; columns: string[] }[] {
  const prefix = 'SELECT WHERE ';
  const sql = `${prefix}${condition}`;
  let where: unknown;
  let text: SqlText;
  try {
    const statements = list(parseSync(sql), 'stmts');
    if (statements.length !== 1) throw new Error('it is more than one statement');
    where = field(field(field(statements[0], 'stmt'), 'SelectStmt'), 'whereClause');
    text = new SqlText(sql, scanSync(sql).tokens);
  } catch (error) {
    throw new Error(
      `the slice "${condition}" is not an SQL condition: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  const and = field(where, 'BoolExpr');
  const starts = text.splitAtAnd(Buffer.byteLength(prefix));
  const args = field(and, 'boolop') === 'AND_EXPR' ? list(and, 'args') : [where];
  const parts = args.length === starts.length ? args : [where];
  return parts.map((part, at) => {
    const columns = new Set<string>();
    walk(part, ({ kind, node }) => {
      if (kind === 'SelectStmt')
        throw new Error('a slice must not contain sub-queries; use columns and values');
      if (kind === 'ColumnRef') columns.add(columnName(node) ?? '*');
    });
    // a condition that has no AND outside of parentheses is one part
    return { sql: parts.length > 1 ? starts[at]! : condition.trim(), columns: [...columns] };
  });
}

/** Replaces every sliced table in the query with its sliced rows. */
export function sliceQuery(
  query: string,
  { conditions, result }: Pick<Slice, 'conditions' | 'result'>,
): string {
  const bytes = Buffer.from(stripSemicolon(query), 'utf8');
  const places: { start: number; end: number; table: string; alias: string }[] = [];
  const sql = bytes.toString('utf8');
  const tree = parseSync(sql);
  const text = new SqlText(sql, scanSync(sql).tokens);
  const ctes = new Set<string>();
  walk(
    tree,
    ({ kind, node }) => void (kind === 'CommonTableExpr' && ctes.add(String(node['ctename']))),
  );
  walk(tree, ({ kind, node }) => {
    if (
      kind !== 'RangeVar' ||
      (node['schemaname'] === undefined && ctes.has(String(node['relname'])))
    )
      return;
    if (!conditions.has(relationName(node))) return;
    const parts = ['catalogname', 'schemaname', 'relname'].filter((part) => part in node).length;
    places.push({
      ...text.nameAt((node['location'] as number | undefined) ?? 0, parts, node['inh'] !== true),
      table: relationName(node),
      alias: node['alias'] === undefined ? ` AS ${ident(textOf(node['relname']))}` : '',
    });
  });
  let sliced = bytes;
  for (const { start, end, table, alias } of places.sort((a, b) => b.start - a.start)) {
    const rows = `(SELECT * FROM ${text.slice(start, end)} WHERE ${conditions.get(table)!})${alias}`;
    sliced = Buffer.concat([sliced.subarray(0, start), Buffer.from(rows), sliced.subarray(end)]);
  }
  const whole = sliced.toString('utf8');
  return result === '' ? whole : `SELECT * FROM (${whole}) AS sluice_slice WHERE ${result}`;
}

const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const named = (table: string): string => qualified(parseTableName(table));
