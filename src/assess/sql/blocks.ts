// Cuts a query into its blocks: each CTE, each sub-query in FROM, then the query itself, in the
// order of computation.
import {
  columnName,
  field,
  functionName,
  list,
  relationName,
  textOf,
  walk,
  walkQuery,
  type Fields,
} from './ast.js';
import { operatorsOf } from './operators.js';
import { groupKey, type Operator } from './grouping-operators.js';
import type { SqlText } from './text.js';

export interface Block {
  /** A name that a stage of a spec may have: [a-z0-9-]{1,40}. */
  readonly name: string;
  /**
   * The block as one SELECT that runs by itself. Null if the block is a LATERAL sub-query, which
   * may refer to a row of the outer query, or if its text was not found.
   */
  readonly sql: string | null;
  readonly columns: readonly string[];
  /** The columns that identify a row, if the block groups rows. Otherwise empty. */
  readonly key: readonly string[];
  /** The tables (`schema.name`) and earlier blocks that the block reads. */
  readonly reads: readonly string[];
  readonly operators: readonly Operator[];
}

interface Scope {
  readonly text: SqlText;
  /** The text `WITH …` of the CTEs found so far. It is put before each block that may read them. */
  readonly withText: string;
  readonly known: ReadonlyMap<string, string>;
  /** Maps the node of each sub-query in FROM to the name of its block. */
  readonly inner: Map<unknown, string>;
  readonly trees: BlockTrees | undefined;
}

/** The trees of the blocks, for translations into a different SQL dialect. */
export interface BlockTrees {
  readonly selects: Map<string, Fields>;
  /** Maps the node of each sub-query in FROM to the name of its block. */
  readonly inner: Map<unknown, string>;
  /** Maps the name of each CTE to the name of its block. */
  readonly ctes: Map<string, string>;
}

/**
 * Returns the blocks of a SELECT. `select` has the fields of its SelectStmt, `name` is the name of
 * the last block, and `whole` is the SELECT's text. Fills `trees` if given.
 */
export function blocksOf(
  select: Fields,
  name: string,
  whole: string,
  text: SqlText,
  trees?: BlockTrees,
): Block[] {
  const blocks: Block[] = [];
  const used = new Set<string>();
  const known = new Map<string, string>();
  const inner = trees?.inner ?? new Map<unknown, string>();
  const withClause = select['withClause'] as Fields | undefined;
  const opening = withClause?.['recursive'] === true ? 'WITH RECURSIVE' : 'WITH';
  const parts: string[] = [];
  let withText = '';
  for (const item of list(withClause, 'ctes')) {
    const cte = field(item, 'CommonTableExpr') as Fields;
    const body = field(cte['ctequery'], 'SelectStmt') as Fields | undefined;
    const place = text.queryAfter(cte['location'] as number);
    if (!body || !place) continue;
    const scope = { text, withText, known, inner, trees };
    blocks.push(...subQueries(body, scope, used));
    // Each CTE is copied separately, because a statement can have CTEs before and after INSERT.
    parts.push(text.slice(cte['location'] as number, place.end + 1));
    withText = `${opening} ${parts.join(', ')}`;
    const own = String(cte['ctename']);
    const isRecursive =
      withClause!['recursive'] === true &&
      readsOf(body, new Map(), inner).includes(`public.${own}`);
    blocks.push(
      block(
        body,
        unique(own, used),
        `${withText} SELECT * FROM ${own}`,
        { ...scope, known: new Map(known) },
        isRecursive,
        cteColumns(cte),
      ),
    );
    known.set(own, blocks.at(-1)!.name);
    trees?.ctes.set(own, blocks.at(-1)!.name);
    trees?.selects.set(blocks.at(-1)!.name, body);
  }
  blocks.push(...subQueries(select, { text, withText, known, inner, trees }, used));
  blocks.push(
    block(select, unique(name, used), whole, { text, withText, known, inner, trees }, false),
  );
  trees?.selects.set(blocks.at(-1)!.name, select);
  return blocks;
}

/**
 * Returns the blocks of the sub-queries in FROM, innermost first. The block of a lateral sub-query
 * has no `sql`, because it cannot run by itself.
 */
function subQueries(select: Fields, scope: Scope, used: Set<string>): Block[] {
  const found: Block[] = [];
  const branches = [select['larg'], select['rarg']].filter((b): b is Fields => b !== undefined);
  for (const branch of branches) found.push(...subQueries(branch, scope, used));
  walkQuery(select['fromClause'], ({ kind, node }) => {
    if (kind !== 'RangeSubselect') return;
    const inner = field(node['subquery'], 'SelectStmt') as Fields | undefined;
    if (!inner) return;
    found.push(...subQueries(inner, scope, used));
    const place = scope.text.queryAround(firstPlace(inner));
    const sql =
      node['lateral'] === true || !place
        ? null
        : `${scope.withText} ${scope.text.slice(place.start, place.end)}`.trim();
    const alias = textOf(field(node['alias'], 'aliasname'), 'sub-query');
    found.push(block(inner, unique(alias, used), sql, scope, false));
    scope.inner.set(inner, found.at(-1)!.name);
    scope.trees?.selects.set(found.at(-1)!.name, inner);
  });
  return found;
}

function block(
  select: Fields,
  name: string,
  sql: string | null,
  { known, inner }: Scope,
  isRecursive: boolean,
  aliases: readonly string[] = [],
): Block {
  const columns = aliases.length > 0 ? aliases : columnsOf(select);
  return {
    name,
    sql,
    columns,
    key: groupKey(leaf(select), columns),
    reads: readsOf(select, known, inner),
    operators: operatorsOf(select, columns, isRecursive),
  };
}

/** Finds the leftmost SELECT of a set operation. That SELECT names the columns. */
const leaf = (select: Fields): Fields =>
  select['larg'] !== undefined ? leaf(select['larg'] as Fields) : select;

const cteColumns = (cte: Fields): string[] =>
  list(cte, 'aliascolnames').map((n) => String(field(field(n, 'String'), 'sval')));

export function columnsOf(select: Fields): string[] {
  return list(leaf(select), 'targetList').map((item) => {
    const target = field(item, 'ResTarget') as Fields;
    if (typeof target['name'] === 'string') return target['name'];
    let value = target['val'];
    while (field(value, 'TypeCast')) value = field(field(value, 'TypeCast'), 'arg');
    const call = field(value, 'FuncCall') as Fields | undefined;
    return (
      columnName(field(value, 'ColumnRef')) ??
      (call ? functionName(call) : field(value, 'CoalesceExpr') ? 'coalesce' : '?column?')
    );
  });
}

function readsOf(
  select: Fields,
  known: ReadonlyMap<string, string>,
  inner: ReadonlyMap<unknown, string>,
): string[] {
  const found = new Set<string>();
  walk(
    [
      select['fromClause'],
      select['whereClause'],
      select['targetList'],
      select['havingClause'],
      select['larg'],
      select['rarg'],
    ].filter(Boolean),
    ({ kind, node }) => {
      const name =
        kind === 'RangeSubselect' ? inner.get(field(node['subquery'], 'SelectStmt')) : undefined;
      if (name) {
        found.add(name);
        return false;
      }
      if (kind === 'RangeVar')
        found.add(
          (node['schemaname'] === undefined && known.get(String(node['relname']))) ||
            relationName(node),
        );
      return;
    },
  );
  return [...found];
}

/** Returns the byte offset of the first node that has an offset. */
function firstPlace(select: Fields): number {
  let place = -1;
  walk({ SelectStmt: select }, ({ node }) => {
    if (place < 0 && typeof node['location'] === 'number') place = node['location'];
  });
  return place;
}

function unique(name: string, used: Set<string>): string {
  const base =
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 36) || 'stage';
  let chosen = base;
  for (let n = 2; used.has(chosen) || (chosen === 'result' && name !== 'result'); n += 1)
    chosen = `${base}-${n}`;
  used.add(chosen);
  return chosen;
}
