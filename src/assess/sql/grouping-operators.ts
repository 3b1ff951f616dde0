// Describes operators that keep state for each group, window or row: aggregates, window functions,
// DISTINCT and top N.
import {
  columnName,
  field,
  functionName,
  isAggregate,
  list,
  walk,
  walkQuery,
  type Fields,
} from './ast.js';

/** The state that a stream needs: none, per key, per time window, all input, or not computable. */
export type StateClass =
  | 'stateless'
  | 'keyed state'
  | 'windowed state'
  | 'unbounded state'
  | 'not streamable';

export interface Operator {
  readonly kind:
    | 'filter'
    | 'join'
    | 'aggregate'
    | 'distinct'
    | 'window'
    | 'top-n'
    | 'set'
    | 'subquery'
    | 'recursion';
  readonly class: StateClass;
  /**
   * The columns by which records must be partitioned. Empty if the operator is stateless, if the
   * columns are unknown, or if all records need one partition.
   */
  readonly key: readonly string[];
  readonly detail: string;
}

const ORDERED = new Set([
  'percentile_cont',
  'percentile_disc',
  'mode',
  'string_agg',
  'array_agg',
  'json_agg',
  'jsonb_agg',
  'json_object_agg',
  'jsonb_object_agg',
]);

/**
 * Returns the only column in an expression, even inside casts and functions. Null if the expression
 * has no column, or several.
 */
export function columnOf(expression: unknown): string | null {
  const columns: string[] = [];
  walk(expression, ({ kind, node }) => {
    if (kind === 'ColumnRef') columns.push(columnName(node) ?? '*');
  });
  return columns.length === 1 ? columns[0]! : null;
}

export function aggregates(select: Fields, outputs: readonly string[]): Operator[] {
  const calls: Fields[] = [];
  walkQuery([select['targetList'], select['havingClause']], ({ kind, node }) => {
    if (kind === 'FuncCall' && isAggregate(node)) calls.push(node);
  });
  const groups = list(select, 'groupClause');
  if (calls.length === 0 && groups.length === 0) return [];
  const key = groupKey(select, outputs);
  const held = calls
    .filter((call) => ORDERED.has(functionName(call)) || call['agg_distinct'] === true)
    .map(functionName);
  if (held.length > 0)
    return [
      {
        kind: 'aggregate',
        class: 'unbounded state',
        key,
        detail: `${[...new Set(held)].join(', ')}: every value of a key is kept`,
      },
    ];
  const detail =
    groups.length === 0
      ? 'one group for all rows, so a single partition'
      : `one group per ${key.join(', ')}`;
  return [{ kind: 'aggregate', class: 'keyed state', key, detail }];
}

/**
 * Returns the columns of GROUP BY, under their names in the output if they are in the output. GROUP
 * BY can name a column by its position, its name or its expression.
 */
export function groupKey(select: Fields, outputs: readonly string[]): string[] {
  const targets = list(select, 'targetList').map((t) =>
    JSON.stringify(withoutPlaces(field(field(t, 'ResTarget'), 'val'))),
  );
  const named = (group: unknown): string[] => {
    const position = field(field(field(group, 'A_Const'), 'ival'), 'ival');
    if (typeof position === 'number') return [outputs[position - 1] ?? `#${position}`];
    const sets = field(group, 'GroupingSet');
    if (sets) return list(sets, 'content').flatMap(named);
    const row = field(group, 'RowExpr');
    if (row) return list(row, 'args').flatMap(named);
    const at = targets.indexOf(JSON.stringify(withoutPlaces(group)));
    if (at >= 0) return [outputs[at]!];
    const column = columnName(field(group, 'ColumnRef'));
    return [column ?? 'expression'];
  };
  return [...new Set(list(select, 'groupClause').flatMap(named))];
}

function withoutPlaces(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutPlaces);
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== 'location')
      .map(([key, value]) => [key, withoutPlaces(value)]),
  );
}

export function windows(select: Fields): Operator[] {
  const found: Operator[] = [];
  const definitions = new Map(
    list(select, 'windowClause').map((w) => [
      String(field(field(w, 'WindowDef'), 'name')),
      field(w, 'WindowDef') as Fields,
    ]),
  );
  walkQuery(select['targetList'], ({ kind, node }) => {
    if (kind !== 'FuncCall' || node['over'] === undefined) return;
    const over = node['over'] as Fields;
    const window = definitions.get(String(over['name'] ?? over['refname'])) ?? over;
    const key = list(window, 'partitionClause').map((p) => columnOf(p) ?? 'expression');
    const name = functionName(node);
    if (key.length === 0)
      found.push({
        kind: 'window',
        class: 'not streamable',
        key,
        detail: `${name} over all rows: one late row changes every row after it`,
      });
    else
      found.push({
        kind: 'window',
        class: 'unbounded state',
        key,
        detail: `${name} per ${key.join(', ')}: all rows of a partition are kept, and a late row changes the rows after it`,
      });
  });
  return found;
}

export function distinct(select: Fields, outputs: readonly string[]): Operator[] {
  if (!Array.isArray(select['distinctClause'])) return [];
  const on = list(select, 'distinctClause')
    .map(columnOf)
    .filter((c): c is string => c !== null);
  return on.length > 0
    ? [
        {
          kind: 'distinct',
          class: 'keyed state',
          key: on,
          detail: `DISTINCT ON: all rows of a key are kept, because the first one may be deleted`,
        },
      ]
    : [
        {
          kind: 'distinct',
          class: 'keyed state',
          key: outputs,
          detail: 'DISTINCT keeps a count for each distinct row',
        },
      ];
}

export function topN(select: Fields): Operator[] {
  if (select['limitCount'] === undefined && select['limitOffset'] === undefined) return [];
  return [
    {
      kind: 'top-n',
      class: 'unbounded state',
      key: [],
      detail:
        'LIMIT over all rows: all rows are kept in one partition, because one of the first may be deleted',
    },
  ];
}
