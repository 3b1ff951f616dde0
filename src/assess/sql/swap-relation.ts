// Replaces one relation in a view's text with another, and proves that nothing else changed. The
// text comes from `pg_get_viewdef` with an empty search_path, so every relation is written with its
// schema.
import { parseSync } from 'libpg-query';
import { qualified, quoteIdent, type TableName } from '../../domain/migration/names.js';
import { columnName, field, list, names, type Fields } from './ast.js';
import {
  type Relation,
  type RelationColumn,
  type ViewText,
  isRelation,
  placesOf,
  sameColumn,
  whatForbids,
  whatForbidsCasts,
} from './swap-limits.js';

export type Swapped = { readonly definition: string } | { readonly problem: string };

const IDENT = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
/** The fields that contain the position of a node in the text. */
const PLACE = /^(location|stmt_len|stmt_location|(rexpr_)?list_(start|end))$/;
const NAME = new RegExp(String.raw`^${IDENT}\.${IDENT}`, 'u');

/**
 * Rewrites the view to read the relation `to` instead of `from`. If a column that the view reads
 * has a different type or collation in `to`, a sub-query replaces the relation and casts the
 * column. The view's own columns thus keep their types. A sub-query is also used if the view
 * renames the columns by position and their order differs in `to`.
 */
export function swapRelation(view: ViewText, from: Relation, to: Relation): Swapped {
  const tree = parseSync(view.definition);
  const places = placesOf(tree, from.name);
  const problem = whatForbids(tree, places, view, from, to);
  if (problem) return { problem };
  const used = from.columns.filter((c) => view.uses.includes(c.name));
  const asItIs =
    used.every((c) =>
      sameColumn(
        c,
        to.columns.find((other) => other.name === c.name)!,
      ),
    ) &&
    (places.every((p) => !p.hasColumnAliases) || startsAlike(from, to));
  const castProblem = asItIs ? null : whatForbidsCasts(places, view, from, to);
  if (castProblem) return { problem: castProblem };
  const columns = places.some((p) => p.hasColumnAliases) ? from.columns : used;
  let bytes = Buffer.from(view.definition, 'utf8');
  for (const { start, hasAlias } of [...places].sort((a, b) => b.start - a.start)) {
    const written = NAME.exec(bytes.subarray(start).toString('utf8'))?.[0];
    if (!written)
      return { problem: `its text names ${qualified(from.name)} in a way that Sluice cannot read` };
    const relation = asItIs ? qualified(to.name) : castsOf(columns, to);
    const alias = hasAlias ? '' : ` ${quoteIdent(from.name.table)}`;
    const rest = bytes.subarray(start + Buffer.byteLength(written));
    bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(`${relation}${alias}`), rest]);
  }
  return { definition: bytes.toString('utf8') };
}

/** Returns true if the definitions differ in one relation only: `from` became `to`. */
export function differOnlyBy(
  before: string,
  from: TableName,
  after: string,
  to: TableName,
): boolean {
  return bare(parseSync(before), from) === bare(parseSync(after), to);
}

/** Returns true if the columns of `from` are the first columns of `to`, in the same order. */
const startsAlike = (from: Relation, to: Relation): boolean =>
  from.columns.every((c, at) => to.columns[at]?.name === c.name);

/** Returns a sub-query that selects the wanted columns from `to`, cast to the wanted types. */
function castsOf(wanted: readonly RelationColumn[], to: Relation): string {
  const columns = wanted.flatMap((column) => {
    const other = to.columns.find((c) => c.name === column.name);
    if (!other) return [];
    const name = quoteIdent(column.name);
    if (sameColumn(column, other)) return [name];
    const collation = column.collation === '' ? '' : ` COLLATE ${column.collation}`;
    return [`${name}::${column.type}${collation} AS ${name}`];
  });
  return `(SELECT ${columns.join(', ')} FROM ${qualified(to.name)})`;
}

/**
 * Returns the tree of a query as text, without positions. The relation and the sub-query that
 * replaces it are printed as the same text. Two texts are therefore equal if nothing else differs.
 */
function bare(tree: unknown, name: TableName): string {
  const strip = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(strip);
    if (node === null || typeof node !== 'object') return node;
    const relation = relationOf(node as Fields, name);
    if (relation) return relation;
    const kept = Object.entries(node).filter(([key]) => !PLACE.test(key));
    return Object.fromEntries(kept.map(([key, value]) => [key, strip(value)]));
  };
  return JSON.stringify(strip(list(tree, 'stmts')));
}

function relationOf(node: Fields, name: TableName): object | null {
  const range = node['RangeVar'] as Fields | undefined;
  if (range && isRelation(range, name)) {
    const alias = field(range['alias'], 'aliasname') ?? name.table;
    return {
      relation: alias,
      columns: names(list(range['alias'], 'colnames')),
      only: range['inh'] !== true,
    };
  }
  const inner = field(field(field(node, 'RangeSubselect'), 'subquery'), 'SelectStmt') as
    | Fields
    | undefined;
  if (!inner || !isOfCasts(inner, name)) return null;
  const alias = field(field(node, 'RangeSubselect'), 'alias');
  return {
    relation: field(alias, 'aliasname'),
    columns: names(list(alias, 'colnames')),
    only: false,
  };
}

/** Returns true if a sub-query only casts columns of the relation and keeps their names. */
function isOfCasts(select: Fields, name: TableName): boolean {
  const from = list(select, 'fromClause');
  const range = field(from[0], 'RangeVar') as Fields | undefined;
  if (from.length !== 1 || !range || !isRelation(range, name)) return false;
  const known = ['targetList', 'fromClause', 'limitOption', 'op'];
  if (Object.keys(select).some((key) => !known.includes(key))) return false;
  return list(select, 'targetList').every((target) => {
    const { val, name: alias } = field(target, 'ResTarget') as Fields;
    const column = columnName(field(uncast(val), 'ColumnRef'));
    return column !== null && (alias ?? column) === column;
  });
}

const uncast = (value: unknown): unknown => {
  const inner = field(field(value, 'TypeCast') ?? field(value, 'CollateClause'), 'arg');
  return inner === undefined ? value : uncast(inner);
};
