// Finds the reasons why the relation that a view reads cannot be replaced with a different
// relation.
import { parseTableName, qualified, type TableName } from '../../domain/migration/names.js';
import { field, list, names, textOf, walk, type Fields } from './ast.js';
import { dependsOnSession } from './session-casts.js';

export interface RelationColumn {
  readonly name: string;
  /** The type as `format_type` prints it, with its modifier. */
  readonly type: string;
  /** The type below all domains. Absent if `type` is not a domain. */
  readonly base?: string;
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
  /** The primary keys by which the view groups, if it also selects ungrouped columns. */
  readonly groupsBy: readonly (readonly string[])[];
  /**
   * True if the view has a check option. Postgres allows this option only for a view that reads a
   * relation directly. So a sub-query cannot replace this relation.
   */
  readonly isChecked: boolean;
}

interface Place {
  readonly start: number;
  readonly hasAlias: boolean;
  readonly hasColumnAliases: boolean;
  readonly isOnly: boolean;
  readonly isSampled: boolean;
}

export const isRelation = (node: Fields, { schema, table }: TableName): boolean =>
  node['schemaname'] === schema && node['relname'] === table;

export function placesOf(tree: unknown, name: TableName): Place[] {
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

/** Returns the reason why the relation cannot be replaced in this text. Returns null if it can. */
export function whatForbids(
  tree: unknown,
  places: readonly Place[],
  view: ViewText,
  from: Relation,
  to: Relation,
): string | null {
  const [here, there] = [qualified(from.name), qualified(to.name)];
  if (places.length === 0) return `its text does not name ${here}`;
  if (placesOf(tree, to.name).length > 0)
    return `it already reads ${there}, in addition to ${here}`;
  const system = view.uses.filter((name) => !from.columns.some((c) => c.name === name));
  if (system.length > 0)
    return `it reads ${system.join(', ')} of ${here}, which have other values in ${there}`;
  const missing = view.uses.filter((name) => !to.columns.some((c) => c.name === name));
  if (missing.length > 0)
    return `it reads ${missing.join(', ')} of ${here}, which ${there} does not have`;
  const whole = wholeRows(tree, from.name);
  if (whole.length > 0)
    return `it reads whole rows (${whole.join(', ')}), whose type belongs to the table`;
  const constant = namesInConstants(tree, from.name);
  if (constant) return `it names ${here} in a constant (${constant})`;
  const keyed = view.groupsBy.find((key) => [...key].sort().join() !== [...to.key].sort().join());
  if (keyed)
    return `it groups by the primary key (${keyed.join(', ')}) of ${here}, but the primary key of ${there} is (${to.key.join(', ')})`;
  return null;
}

export function whatForbidsCasts(
  places: readonly Place[],
  view: ViewText,
  from: Relation,
  to: Relation,
): string | null {
  const other = ({ name }: RelationColumn): RelationColumn =>
    to.columns.find((t) => t.name === name)!;
  const differing = from.columns.filter(
    (c) => view.uses.includes(c.name) && !sameColumn(c, other(c)),
  );
  const say = (c: RelationColumn): string => `${c.name} is ${other(c).type}, not ${c.type}`;
  const table = qualified(to.name);
  const ofReader = differing.filter((c) =>
    dependsOnSession(c.base ?? c.type, other(c).base ?? other(c).type),
  );
  if (ofReader.length > 0)
    return `${table} differs from ${qualified(from.name)}: ${ofReader.map(say).join('; ')}. A cast would depend on settings of the reader's session, such as its time zone`;
  const why =
    differing.length > 0 ? differing.map(say).join('; ') : 'its columns are in a different order';
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
    return `it renames the columns of ${qualified(from.name)} by position, and ${table} lacks ${absent.join(', ')}`;
  return null;
}

export const sameColumn = (a: RelationColumn, b: RelationColumn): boolean =>
  a.type === b.type && a.collation === b.collation;

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

/** Finds constants such as 'public.totals'::regclass, which would still name the old relation. */
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
