// Describes what one query block does, operator by operator, and how much a stream must remember.
// PURE.
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
  'stateless' | 'keyed state' | 'windowed state' | 'unbounded state' | 'not streamable';

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
  /** The columns by which records must be partitioned. Empty means one partition for all. */
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
 * Returns the operators in the order of computation. `outputs` has the names of the block's
 * columns, for `GROUP BY 1`.
 */
export function operatorsOf(
  select: Fields,
  outputs: readonly string[],
  isRecursive: boolean,
): Operator[] {
  if (isRecursive)
    return [
      {
        kind: 'recursion',
        class: 'not streamable',
        key: [],
        detail: 'recursion: every change re-computes an unknown part of the result',
      },
    ];
  if (select['op'] !== undefined && select['op'] !== 'SETOP_NONE')
    return [setOperator(select, outputs)];
  return [
    ...joins(select),
    ...filters(select),
    ...aggregates(select, outputs),
    ...windows(select),
    ...distinct(select, outputs),
    ...topN(select),
  ];
}

function setOperator(select: Fields, outputs: readonly string[]): Operator {
  const name = String(select['op']).replace('SETOP_', '').toLowerCase();
  const isPlain = name === 'union' && select['all'] === true;
  return isPlain
    ? { kind: 'set', class: 'stateless', key: [], detail: 'UNION ALL merges two streams' }
    : {
        kind: 'set',
        class: 'keyed state',
        key: outputs,
        detail: `${name.toUpperCase()}${select['all'] ? ' ALL' : ''} counts every row of both sides`,
      };
}

function joins(select: Fields): Operator[] {
  const found: Operator[] = [];
  const from = list(select, 'fromClause');
  walkQuery(from, ({ kind, node }) => {
    if (kind === 'JoinExpr') found.push(joinOperator(node));
  });
  if (from.length > 1) found.push(commaJoin(select, from.length));
  return found;
}

function joinOperator(join: Fields): Operator {
  const type = String(join['jointype']).replace('JOIN_', '').toLowerCase();
  const using = list(join, 'usingClause').map((n) => String(field(field(n, 'String'), 'sval')));
  const key = using.length > 0 ? using : equalities(join['quals']);
  if (field(join['rarg'], 'RangeFunction'))
    return {
      kind: 'join',
      class: 'stateless',
      key: [],
      detail: 'one output row per element of a value',
    };
  if (join['isNatural'] === true)
    return {
      kind: 'join',
      class: 'keyed state',
      key: [],
      detail: `NATURAL ${type} join: both sides are kept, by the columns they share`,
    };
  if (key.length > 0)
    return {
      kind: 'join',
      class: 'keyed state',
      key,
      detail: `${type} join on ${key.join(', ')}: both sides are kept`,
    };
  const alternatives = join['quals'] === undefined ? 'no condition' : 'no equality';
  return {
    kind: 'join',
    class: 'unbounded state',
    key: [],
    detail: `${type} join with ${alternatives}: every row is joined with every row`,
  };
}

function commaJoin(select: Fields, tables: number): Operator {
  const key = equalities(select['whereClause']);
  return key.length > 0
    ? {
        kind: 'join',
        class: 'keyed state',
        key,
        detail: `inner join of ${tables} inputs on ${key.join(', ')}: all sides are kept`,
      }
    : {
        kind: 'join',
        class: 'unbounded state',
        key: [],
        detail: `${tables} inputs joined with no equality: every row is joined with every row`,
      };
}

/** Returns the columns that are equal to a column of another input, joined by AND. */
export function equalities(condition: unknown): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    const and = field(node, 'BoolExpr');
    if (field(and, 'boolop') === 'AND_EXPR') return list(and, 'args').forEach(visit);
    const expression = field(node, 'A_Expr');
    const [left, right] = [
      columnOf(field(expression, 'lexpr')),
      columnOf(field(expression, 'rexpr')),
    ];
    const isEqual =
      field(expression, 'kind') === 'AEXPR_OP' &&
      field(field(list(expression, 'name')[0], 'String'), 'sval') === '=';
    if (isEqual && left && right) found.push(left);
  };
  visit(condition);
  return [...new Set(found)];
}

/**
 * Finds the column inside casts and functions of one column. Returns null for constants and several
 * columns.
 */
function columnOf(expression: unknown): string | null {
  const columns: string[] = [];
  walk(expression, ({ kind, node }) => {
    if (kind === 'ColumnRef') columns.push(columnName(node) ?? '*');
  });
  return columns.length === 1 ? columns[0]! : null;
}

function filters(select: Fields): Operator[] {
  const found: Operator[] = [];
  const conditions = [select['whereClause'], select['havingClause'], select['targetList']];
  if (select['whereClause'] !== undefined)
    found.push({
      kind: 'filter',
      class: 'stateless',
      key: [],
      detail: 'WHERE is evaluated for each row',
    });
  walkQuery(conditions, ({ kind, node }) => {
    if (kind !== 'SubLink') return;
    const inner = field(node['subselect'], 'SelectStmt') as Fields | undefined;
    const key = inner ? equalities(inner['whereClause']) : [];
    const tested = columnOf(node['testexpr']);
    const keys = tested ? [tested, ...key] : key;
    const isScalar = node['subLinkType'] === 'EXPR_SUBLINK';
    found.push({
      kind: 'subquery',
      class: 'keyed state',
      key: keys,
      detail: isScalar
        ? 'a scalar sub-query: one more input joined to every row'
        : `${keys.length > 0 ? `semi or anti join on ${keys.join(', ')}` : 'EXISTS or IN without a key'}: the inner side is kept`,
    });
  });
  return found;
}

function aggregates(select: Fields, outputs: readonly string[]): Operator[] {
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
      ? 'one group for all rows: a single partition'
      : `one group per ${key.join(', ')}`;
  return [{ kind: 'aggregate', class: 'keyed state', key, detail }];
}

/** Returns the output names of GROUP BY, from positions, columns, or named expressions. */
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

function windows(select: Fields): Operator[] {
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

function distinct(select: Fields, outputs: readonly string[]): Operator[] {
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
          detail: 'DISTINCT counts every row',
        },
      ];
}

function topN(select: Fields): Operator[] {
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
