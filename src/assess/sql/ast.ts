// Walks the parse tree of PostgreSQL's own grammar, and reads common nodes such as names and
// constants. The tree consists of plain objects (`{ Kind: { …fields } }`).

import { specName } from '../../domain/migration/names.js';

export type Fields = Readonly<Record<string, unknown>>;

export interface Visit {
  readonly kind: string;
  readonly node: Fields;
  /** The kinds of the nodes around this node, outermost first. See LATERAL. */
  readonly inside: readonly string[];
}

/** The kind in `inside` of a RangeSubselect with the keyword LATERAL, which runs for each row. */
export const LATERAL = 'LateralSubselect';

const nameInside = (kind: string, node: unknown): string =>
  kind === 'RangeSubselect' && field(node, 'lateral') === true ? LATERAL : kind;

/**
 * Calls `visit` for every node below `tree`, parents first. If `visit` returns `false`, the nodes
 * inside are skipped. A key that begins with a capital letter is the kind of a node.
 */
export function walk(
  tree: unknown,
  visit: (found: Visit) => boolean | void,
  inside: readonly string[] = [],
): void {
  if (Array.isArray(tree)) return tree.forEach((item) => walk(item, visit, inside));
  if (tree === null || typeof tree !== 'object') return;
  for (const [key, value] of Object.entries(tree)) {
    if (value === null || typeof value !== 'object') continue;
    if (!/^[A-Z]/.test(key)) walk(value, visit, inside);
    else if (visit({ kind: key, node: value as Fields, inside }) !== false)
      walk(value, visit, [...inside, nameInside(key, value)]);
  }
}

/** Works like `walk`, but stays inside one query: it visits sub-selects without entering them. */
export function walkQuery(tree: unknown, visit: (found: Visit) => boolean | void): void {
  walk(tree, (found) =>
    visit(found) === false ||
    found.kind === 'SelectStmt' ||
    found.kind === 'SubLink' ||
    found.kind === 'RangeSubselect'
      ? false
      : undefined,
  );
}

export const field = (node: unknown, name: string): unknown =>
  node !== null && typeof node === 'object' ? (node as Fields)[name] : undefined;
export const list = (node: unknown, name: string): readonly unknown[] => {
  const value = field(node, name);
  return Array.isArray(value) ? value : [];
};

/** Reads a field that is a text or a number. Returns `preset` if the parser left the field out. */
export const textOf = (value: unknown, preset = ''): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : preset;

/** Reads the texts of a list of `String` nodes, which are the parts of a name. */
export const names = (nodes: readonly unknown[]): string[] =>
  nodes
    .map((n) => field(field(n, 'String'), 'sval'))
    .filter((s): s is string => typeof s === 'string');

/**
 * Returns the relation's name as a spec writes it. An unquoted name of the query is in lower case.
 * The default schema is `public`.
 */
export const relationName = (rangeVar: Fields): string =>
  specName({
    schema: (rangeVar['schemaname'] as string | undefined) ?? 'public',
    table: String(rangeVar['relname']),
  });

/** Returns the last part of a column reference, or null for `*`. */
export const columnName = (columnRef: unknown): string | null =>
  names(list(columnRef, 'fields')).at(-1) ?? null;

export const functionName = (call: Fields): string => names(list(call, 'funcname')).at(-1) ?? '';
export const typeName = (cast: Fields): string =>
  names(list(field(cast, 'typeName'), 'names')).at(-1) ?? '';
export const stringConstant = (node: unknown): string | null => {
  const value = field(field(field(node, 'A_Const'), 'sval'), 'sval');
  return typeof value === 'string' ? value : null;
};

const AGGREGATES = new Set(
  (
    'count sum avg min max bool_and bool_or every array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg xmlagg stddev stddev_pop stddev_samp ' +
    'variance var_pop var_samp corr covar_pop covar_samp regr_slope regr_intercept regr_count regr_r2 bit_and bit_or bit_xor any_value range_agg ' +
    'percentile_cont percentile_disc mode approx_count_distinct'
  ).split(' '),
);

export const isAggregate = (call: Fields): boolean =>
  call['over'] === undefined &&
  (AGGREGATES.has(functionName(call)) ||
    call['agg_star'] === true ||
    call['agg_distinct'] === true ||
    call['agg_filter'] !== undefined);

/**
 * Returns the SELECT of an INSERT. If a WITH precedes the INSERT, adds its CTEs to the CTEs of the
 * SELECT.
 */
export function withOuter(select: Fields, around: Fields): Fields {
  const [outer, inner] = [around['withClause'], select['withClause']];
  if (!outer) return select;
  const ctes = [...list(outer, 'ctes'), ...list(inner, 'ctes')];
  const isRecursive = field(outer, 'recursive') === true || field(inner, 'recursive') === true;
  return { ...select, withClause: { ctes, ...(isRecursive ? { recursive: true } : {}) } };
}
