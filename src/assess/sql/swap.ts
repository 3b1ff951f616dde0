// Replaces one relation in a view's text by another, and proves that nothing else changed. The text
// comes from `pg_get_viewdef` with an empty search_path, so every relation has its schema. PURE.
import { parseSync } from 'libpg-query';
import {
  parseTableName,
  qualified,
  quoteIdent,
  type TableName,
} from '../../domain/migration/names.js';
import { columnName, field, list, names, textOf, walk, type Fields } from './ast.js';

export interface RelationColumn {
  readonly name: string;
  /** The type as `format_type` prints it, with its modifier. */
  readonly type: string;
  /** The collation, qualified and quoted. Empty if the type has none. */
  readonly collation: string;
}

export interface Relation {
  readonly name: TableName;
  /** The columns in the table's order. */
  readonly columns: readonly RelationColumn[];
  /** The columns of the primary key. */
  readonly key: readonly string[];
}

export interface ViewText {
  /** The SELECT, as `pg_get_viewdef` prints it with an empty search_path. */
  readonly definition: string;
  /** The columns of the replaced relation that the view reads by name. */
  readonly uses: readonly string[];
  /** The keys by which the view groups, if ungrouped columns depend on them. */
  readonly groupsBy: readonly (readonly string[])[];
  /** True if the view has a check option. Its relation cannot become a sub-query then. */
  readonly isChecked: boolean;
}

export type Swapped = { readonly definition: string } | { readonly problem: string };

interface Place {
  readonly start: number;
  readonly hasAlias: boolean;
  readonly hasColumnAliases: boolean;
  readonly isOnly: boolean;
  readonly isSampled: boolean;
}

const IDENT = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
/** The fields that contain the position of a node in the text. */
const PLACE = /^(location|stmt_len|stmt_location|(rexpr_)?list_(start|end))$/;
const NAME = new RegExp(String.raw`^${IDENT}\.${IDENT}`, 'u');

/**
 * Rewrites the view to read another relation. If a column has another type there, the relation
 * becomes a sub-query that casts it, so that the view's own columns keep their types.
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

/**
 * Returns whether two definitions differ only by that relation: `from` in the first, `to` in the
 * second.
 */
export function differOnlyBy(
  before: string,
  from: TableName,
  after: string,
  to: TableName,
): boolean {
  return bare(parseSync(before), from) === bare(parseSync(after), to);
}

const isRelation = (node: Fields, { schema, table }: TableName): boolean =>
  node['schemaname'] === schema && node['relname'] === table;

function placesOf(tree: unknown, name: TableName): Place[] {
  const places: Place[] = [];
  walk(tree, ({ kind, node, inside }) => {
    if (kind !== 'RangeVar' || !isRelation(node, name)) return;
    places.push({
      start: Number(node['location'] ?? 0),
      hasAlias: node['alias'] !== undefined,
      hasColumnAliases: list(node['alias'], 'colnames').length > 0,
      isOnly: node['inh'] !== true,
      isSampled: inside.at(-1) === 'RangeTableSample',
    });
  });
  return places;
}

/** Returns why the relation cannot be replaced in this text, or null if it can. */
function whatForbids(
  tree: unknown,
  places: readonly Place[],
  view: ViewText,
  from: Relation,
  to: Relation,
): string | null {
  const [here, there] = [qualified(from.name), qualified(to.name)];
  if (places.length === 0) return `its text does not name ${here}`;
  if (placesOf(tree, to.name).length > 0) return `it reads ${there} already, beside ${here}`;
  const system = view.uses.filter((name) => !from.columns.some((c) => c.name === name));
  if (system.length > 0)
    return `it reads ${system.join(', ')} of ${here}, which mean something else in ${there}`;
  const missing = view.uses.filter((name) => !to.columns.some((c) => c.name === name));
  if (missing.length > 0)
    return `it reads ${missing.join(', ')} of ${here}, which ${there} does not have`;
  const whole = wholeRows(tree, from.name);
  if (whole.length > 0)
    return `it reads whole rows (${whole.join(', ')}): their type is the table's own`;
  const constant = namesInConstants(tree, from.name);
  if (constant) return `it names ${here} in a constant (${constant})`;
  const keyed = view.groupsBy.find((key) => [...key].sort().join() !== [...to.key].sort().join());
  if (keyed)
    return `it groups by the primary key (${keyed.join(', ')}) of ${here}, and that of ${there} is (${to.key.join(', ')})`;
  return null;
}

function whatForbidsCasts(
  places: readonly Place[],
  view: ViewText,
  from: Relation,
  to: Relation,
): string | null {
  const differs = from.columns
    .filter(
      (c) =>
        view.uses.includes(c.name) &&
        !sameColumn(
          c,
          to.columns.find((t) => t.name === c.name)!,
        ),
    )
    .map((c) => `${c.name} is ${to.columns.find((t) => t.name === c.name)!.type}, not ${c.type}`);
  const why = differs.length > 0 ? differs.join('; ') : 'its columns are in another order';
  const table = qualified(to.name);
  if (places.some((p) => p.isOnly))
    return `it reads ONLY ${qualified(from.name)}, and ${table} differs: ${why}`;
  if (places.some((p) => p.isSampled))
    return `it reads a sample of ${qualified(from.name)}, and ${table} differs: ${why}`;
  if (view.isChecked) return `it has a check option, and ${table} differs: ${why}`;
  if (view.groupsBy.length > 0) return `it groups by the primary key, and ${table} differs: ${why}`;
  const absent = from.columns
    .filter((c) => !to.columns.some((t) => t.name === c.name))
    .map((c) => c.name);
  if (places.some((p) => p.hasColumnAliases) && absent.length > 0)
    return `it renames the columns of ${qualified(from.name)} by position, and ${table} has no ${absent.join(', ')}`;
  return null;
}

const sameColumn = (a: RelationColumn, b: RelationColumn): boolean =>
  a.type === b.type && a.collation === b.collation;

/** Returns whether names given by position mean the same columns in both tables. */
const startsAlike = (from: Relation, to: Relation): boolean =>
  from.columns.every((c, at) => to.columns[at]?.name === c.name);

/** Lists the columns in their order, with their types. */
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

/** Finds references to whole rows of the relation, such as `b.*`. */
function wholeRows(tree: unknown, name: TableName): string[] {
  const aliases = new Set<string>();
  walk(tree, ({ kind, node }) => {
    if (kind === 'RangeVar' && isRelation(node, name))
      aliases.add(textOf(field(node['alias'], 'aliasname'), name.table));
  });
  const found = new Set<string>();
  walk(tree, ({ kind, node }) => {
    if (kind !== 'ColumnRef') return;
    const fields = list(node, 'fields');
    const isStar = field(fields.at(-1), 'A_Star') !== undefined;
    const qualifier = names(fields).at(-1);
    if (isStar && (qualifier === undefined || aliases.has(qualifier)))
      found.add(`${qualifier ?? ''}.*`);
  });
  return [...found];
}

/** Finds constants such as 'public.totals'::regclass, which would still mean the old table. */
function namesInConstants(tree: unknown, name: TableName): string | null {
  let found: string | null = null;
  walk(tree, ({ kind, node }) => {
    if (kind !== 'TypeCast' || names(list(field(node, 'typeName'), 'names')).at(-1) !== 'regclass')
      return;
    const text = field(field(field(node['arg'], 'A_Const'), 'sval'), 'sval');
    if (typeof text === 'string' && isNameOf(text, name)) found = `'${text}'::regclass`;
  });
  return found;
}

function isNameOf(text: string, name: TableName): boolean {
  try {
    return qualified(parseTableName(text)) === qualified(name);
  } catch {
    return false;
  }
}

/**
 * Returns the tree without positions. The relation and the sub-query that replaces it become the
 * same node.
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
    Fields | undefined;
  if (!inner || !isOfCasts(inner, name)) return null;
  const alias = field(field(node, 'RangeSubselect'), 'alias');
  return {
    relation: field(alias, 'aliasname'),
    columns: names(list(alias, 'colnames')),
    only: false,
  };
}

/** Returns whether a sub-query only casts columns of the relation, each under its own name. */
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
