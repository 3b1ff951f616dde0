// Finds constructs that work in a batch, but are wrong or risky in a stream.
import {
  LATERAL,
  columnName,
  field,
  functionName,
  isAggregate,
  list,
  names,
  relationName,
  stringConstant,
  typeName,
  walk,
  type Fields,
  type Visit,
} from './ast.js';
import { distinctOn, limitInExpression, limits, windows } from './arbitrary-order.js';
import { isMoment } from './called.js';
import { CHANGES_SOMETHING, isBuiltIn, VOLATILE } from './functions.js';
import { equalities } from './operators.js';
import { type Gravity, FLAGS, type FlagId } from './flags.js';
import { isFixedZone } from './zoned-times.js';

export interface Flag {
  readonly id: FlagId;
  readonly gravity: Gravity;
  readonly why: string;
  readonly advice: string;
  /** The construct that was found, such as `now()`. */
  readonly found: string;
  /** The byte offset in the query, if the parser gives one. */
  readonly offset: number | null;
}

export interface FlagContext {
  /** The table that the batch writes to, as `schema.name`. Null if unknown. */
  readonly output: string | null;
  /**
   * The types of columns by the columns' names, without their tables. Contains a name only if the
   * catalog was read, and if all tables with such a column agree on the type.
   */
  readonly types: ReadonlyMap<string, string>;
  /** The names that are CTEs and not tables. */
  readonly ctes: ReadonlySet<string>;
}

type Found = readonly [FlagId, string];

export function flagsOf(statement: unknown, context: FlagContext): Flag[] {
  const found = new Map<string, Flag>();
  walk(statement, (visit) => {
    const offset = typeof visit.node['location'] === 'number' ? visit.node['location'] : null;
    for (const [id, what] of [...byExpression(visit, context), ...byQuery(visit, context)]) {
      const [gravity, why, advice] = FLAGS[id];
      if (!found.has(`${id} ${what}`))
        found.set(`${id} ${what}`, { id, gravity, why, advice, found: what, offset });
    }
  });
  return [...found.values()];
}

function byExpression({ kind, node }: Visit, { types }: FlagContext): Found[] {
  if (kind === 'SQLValueFunction') {
    const name = String(node['op']).replace('SVFOP_', '').replace(/_N$/, '').toLowerCase();
    if (/^(current_(date|time|timestamp)|localtime(stamp)?)$/.test(name)) return [['now', name]];
    return [['unknown-function', name]]; // a value of the session, such as current_user
  }
  if (kind === 'TypeCast') {
    const text = stringConstant(node['arg']);
    if (
      text !== null &&
      isMoment(text) &&
      /^(date|timestamp|timestamptz|time|timetz)$/.test(typeName(node))
    )
      return [['now', `'${text}'`]];
    const column = columnName(field(node['arg'], 'ColumnRef'));
    if (
      column &&
      /^(date|time|timestamp)$/.test(typeName(node)) &&
      types.get(column) === 'timestamptz'
    )
      return [['local-time', `${column}::${typeName(node)}`]];
  }
  if (kind === 'FuncCall') return byFunction(node, types);
  return [];
}

function byFunction(node: Fields, types: ReadonlyMap<string, string>): Found[] {
  const name = functionName(node);
  const args = list(node, 'args');
  if (/^(now|transaction_timestamp|statement_timestamp)$/.test(name)) return [['now', `${name}()`]];
  if (name === 'age' && args.length === 1) return [['now', 'age() of one argument']];
  if (CHANGES_SOMETHING.test(name)) return [['side-effect', `${name}()`]];
  if (VOLATILE.has(name)) return [['volatile', `${name}()`]];
  const argument = columnName(field(args.at(-1), 'ColumnRef'));
  if (
    name === 'timezone' &&
    /^time(tz)?$/.test(types.get(argument ?? '') ?? '') &&
    !isFixedZone(stringConstant(args[0]))
  )
    return [['now', `${argument} AT TIME ZONE`]];
  const zoned = argument !== null && types.get(argument) === 'timestamptz';
  if (
    zoned &&
    ((name === 'date_trunc' && args.length === 2) ||
      name === 'to_char' ||
      name === 'date_part' ||
      name === 'extract')
  ) {
    const unit = stringConstant(args[0]);
    if (name !== 'extract' || (unit !== 'epoch' && unit !== null))
      return [['local-time', `${name}(${argument})`]];
  }
  if (
    name === 'to_char' &&
    types.get(columnName(field(args[0], 'ColumnRef')) ?? '') === 'timestamptz'
  )
    return [['local-time', `to_char(${columnName(field(args[0], 'ColumnRef'))})`]];
  if (isAggregate(node)) return byAggregate(node, name, types);
  if (!isBuiltIn(names(list(node, 'funcname'))))
    return [['unknown-function', `${names(list(node, 'funcname')).join('.')}()`]];
  return [];
}

function byAggregate(node: Fields, name: string, types: ReadonlyMap<string, string>): Found[] {
  if (
    /^(string_agg|array_agg|json_agg|jsonb_agg|json_object_agg|jsonb_object_agg|xmlagg)$/.test(
      name,
    ) &&
    list(node, 'agg_order').length === 0
  )
    return [['unordered-aggregate', `${name}()`]];
  if (/^(percentile_cont|percentile_disc|mode)$/.test(name)) return [['ordered-set', `${name}()`]];
  if (
    !/^(sum|avg|stddev|variance|stddev_pop|stddev_samp|var_pop|var_samp|corr|regr_.*)$/.test(name)
  )
    return [];
  const found: Found[] = [];
  walk(list(node, 'args'), ({ kind, node: inner }) => {
    if (kind === 'TypeCast' && /^float[48]$/.test(typeName(inner)))
      found.push(['float-sum', `${name}(… ::${typeName(inner)})`]);
    const column = kind === 'ColumnRef' ? columnName(inner) : null;
    if (column && /^float[48]$/.test(types.get(column) ?? ''))
      found.push(['float-sum', `${name}(${column})`]);
  });
  return found;
}

function byQuery({ kind, node, inside }: Visit, context: FlagContext): Found[] {
  switch (kind) {
    case 'SelectStmt':
      return bySelect(node, inside);
    case 'JoinExpr': {
      const type = String(node['jointype']);
      const keyed =
        node['isNatural'] === true ||
        list(node, 'usingClause').length > 0 ||
        equalities(node['quals']).length > 0;
      if (type === 'JOIN_FULL') return [['full-outer-join', 'FULL JOIN']];
      if (keyed) return [];
      return field(node['rarg'], 'RangeFunction') || isLateral(node['rarg'])
        ? []
        : type === 'JOIN_INNER'
          ? [['cross-join', 'JOIN without an equality']]
          : [['outer-no-key', `${type.replace('JOIN_', '')} JOIN without an equality`]];
    }
    case 'RangeVar': {
      const name = relationName(node);
      if (node['schemaname'] === undefined && context.ctes.has(String(node['relname']))) return [];
      if (
        /^(pg_catalog|information_schema)\./.test(name) ||
        String(node['relname']).startsWith('pg_')
      )
        return [['system-catalog', name]];
      return name === context.output && !inside.includes('target')
        ? [['reads-own-output', name]]
        : [];
    }
    case 'SubLink':
      return limitInExpression(node);
    case 'RangeTableSample':
      return [['tablesample', 'TABLESAMPLE']];
    case 'RangeSubselect':
      return isLateral({ RangeSubselect: node }) ? [['lateral', 'LATERAL']] : [];
    case 'GroupingSet':
      return node['kind'] === 'GROUPING_SET_SIMPLE'
        ? []
        : [['grouping-sets', String(node['kind']).replace('GROUPING_SET_', '')]];
    case 'LockingClause':
      return [['row-lock', 'FOR UPDATE or SHARE']];
    case 'BoolExpr':
      return node['boolop'] === 'NOT_EXPR' &&
        list(node, 'args').some((a) => field(field(a, 'SubLink'), 'subLinkType') === 'ANY_SUBLINK')
        ? [['not-in', 'NOT IN (SELECT …)']]
        : [];
    default:
      return [];
  }
}

const isLateral = (node: unknown): boolean =>
  field(field(node, 'RangeSubselect'), 'lateral') === true;

function bySelect(node: Fields, inside: readonly string[]): Found[] {
  const found: Found[] = [];
  const isExists = inside.at(-1) === 'SubLink';
  if (field(node['withClause'], 'recursive') === true) found.push(['recursive', 'WITH RECURSIVE']);
  const isPerRow = inside.includes(LATERAL) || isExists;
  found.push(...limits(node, { isExists, isPerRow }), ...distinctOn(node));
  if (
    Array.isArray(node['distinctClause']) &&
    list(node, 'distinctClause').every(
      (item) => item === null || Object.keys(item as object).length === 0,
    )
  )
    found.push(['distinct-unbounded', 'SELECT DISTINCT']);
  const isStar = (target: unknown): boolean =>
    list(field(field(field(target, 'ResTarget'), 'val'), 'ColumnRef'), 'fields').some(
      (f) => field(f, 'A_Star') !== undefined,
    );
  if (!isExists && list(node, 'targetList').some(isStar)) found.push(['select-star', 'SELECT *']);
  if (
    list(node, 'fromClause').length > 1 &&
    equalities(node['whereClause']).length === 0 &&
    !hasFunctionOrLateral(node)
  )
    found.push(['cross-join', 'inputs joined without an equality']);
  found.push(...windows(node));
  return found;
}

const hasFunctionOrLateral = (select: Fields): boolean =>
  list(select, 'fromClause').some(
    (from) => field(from, 'RangeFunction') !== undefined || isLateral(from),
  );

export const sideEffect = (what: string): Flag => {
  const [gravity, why, advice] = FLAGS['side-effect'];
  return { id: 'side-effect', gravity, why, advice, found: what, offset: null };
};
