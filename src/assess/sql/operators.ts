// Describes what one query block does, operator by operator, and how much a stream must remember.
import { field, list, walkQuery, type Fields } from './ast.js';
import {
  type Operator,
  columnOf,
  aggregates,
  windows,
  distinct,
  topN,
} from './grouping-operators.js';

/**
 * Returns the operators in the order of computation. `outputs` has the names of the block's
 * columns, because `GROUP BY 1` names a column by its position.
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
      detail: `NATURAL ${type} join: both sides are kept, keyed by their common columns`,
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
    detail: `${type} join with ${alternatives}: every row is compared with every row`,
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
        detail: `${tables} inputs joined with no equality: every row is compared with every row`,
      };
}

/**
 * Returns the columns that the condition compares with another column by `=`. Reads only conditions
 * that are joined by AND.
 */
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
