// Translates a block (a CTE, a sub-query or a whole query) of PostgreSQL into Flink SQL. Throws
// Untranslatable, which names the construct, for a construct that it does not translate.
import {
  columnName,
  field,
  functionName,
  list,
  names,
  relationName,
  textOf,
  type Fields,
} from '../sql/ast.js';
import type { BlockTrees } from '../sql/blocks.js';
import { Untranslatable, castType } from './flink-types.js';

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export class FlinkDialect {
  readonly #trees: BlockTrees;
  /** Returns the name of the view for a table or a block. */
  readonly #viewOf: (name: string) => string;
  /** The names of columns that are a timestamptz in the whole query. */
  readonly #instants: ReadonlySet<string>;

  constructor(
    trees: BlockTrees,
    viewOf: (name: string) => string,
    instants: ReadonlySet<string> = new Set(),
  ) {
    this.#trees = trees;
    this.#viewOf = viewOf;
    this.#instants = instants;
  }

  select(select: Fields): string {
    const op = select['op'];
    if (op !== undefined && op !== 'SETOP_NONE') {
      const name = textOf(op).replace('SETOP_', '');
      return `${this.select(select['larg'] as Fields)}\n${name}${select['all'] === true ? ' ALL' : ''}\n${this.select(select['rarg'] as Fields)}`;
    }
    if (UNTRANSLATED.some((clause) => select[clause] !== undefined))
      throw new Untranslatable('WINDOW, LIMIT, OFFSET or VALUES');
    // a plain DISTINCT has one empty item, and DISTINCT ON has the expressions
    if (list(select, 'distinctClause').some((item) => Object.keys(item as object).length > 0))
      throw new Untranslatable('DISTINCT ON');
    const distinct = Array.isArray(select['distinctClause']) ? 'DISTINCT ' : '';
    const targets = list(select, 'targetList').map((t) =>
      this.#target(field(t, 'ResTarget') as Fields),
    );
    const from = list(select, 'fromClause').map((f) => this.#from(f));
    const groups = list(select, 'groupClause').map((g) => this.#group(g, select));
    return [
      `SELECT ${distinct}${targets.join(',\n  ')}`,
      ...(from.length > 0 ? [`FROM ${from.join(', ')}`] : []),
      ...(select['whereClause'] ? [`WHERE ${this.expression(select['whereClause'])}`] : []),
      ...(groups.length > 0 ? [`GROUP BY ${groups.join(', ')}`] : []),
      ...(select['havingClause'] ? [`HAVING ${this.expression(select['havingClause'])}`] : []),
    ].join('\n');
  }

  #target(target: Fields): string {
    const value = this.expression(target['val']);
    return typeof target['name'] === 'string' ? `${value} AS ${quoted(target['name'])}` : value;
  }

  /** Returns a GROUP BY expression. Replaces a column's number, which Flink does not accept. */
  #group(group: unknown, select: Fields): string {
    const position = field(field(field(group, 'A_Const'), 'ival'), 'ival');
    if (typeof position !== 'number') return this.expression(group);
    return this.expression(
      field(field(list(select, 'targetList')[position - 1], 'ResTarget'), 'val'),
    );
  }

  #from(item: unknown): string {
    const table = field(item, 'RangeVar') as Fields | undefined;
    const alias = (node: Fields): string => {
      if (list(node['alias'], 'colnames').length > 0)
        throw new Untranslatable('an alias that names columns');
      return textOf(field(node['alias'], 'aliasname'), textOf(node['relname']));
    };
    if (table) {
      if (table['inh'] !== true) throw new Untranslatable('ONLY');
      const name = String(table['relname']);
      const block = table['schemaname'] === undefined ? this.#trees.ctes.get(name) : undefined;
      return `${quoted(this.#viewOf(block ?? relationName(table)))} AS ${quoted(alias(table))}`;
    }
    const inner = field(item, 'RangeSubselect') as Fields | undefined;
    const block = inner ? this.#trees.inner.get(field(inner['subquery'], 'SelectStmt')) : undefined;
    if (inner && block && inner['lateral'] !== true)
      return `${quoted(this.#viewOf(block))} AS ${quoted(alias(inner))}`;
    const join = field(item, 'JoinExpr') as Fields | undefined;
    if (!join || join['isNatural'] === true)
      throw new Untranslatable(Object.keys(item as object)[0] ?? 'FROM');
    if (join['alias'] !== undefined || join['join_using_alias'] !== undefined)
      throw new Untranslatable('an alias of a JOIN');
    const kind = String(join['jointype']).replace('JOIN_', '');
    const using = names(list(join, 'usingClause')).map(quoted);
    const on =
      using.length > 0
        ? ` USING (${using.join(', ')})`
        : join['quals']
          ? ` ON ${this.expression(join['quals'])}`
          : '';
    return `${this.#from(join['larg'])}\n${on === '' ? 'CROSS' : kind} JOIN ${this.#from(join['rarg'])}${on}`;
  }

  expression(node: unknown): string {
    const [kind, fields] = Object.entries((node ?? {}) as Record<string, Fields>)[0] ?? [
      'nothing',
      {},
    ];
    switch (kind) {
      case 'ColumnRef': {
        const parts = names(list(fields, 'fields')).map(quoted);
        return columnName(fields) === null || list(fields, 'fields').some((f) => field(f, 'A_Star'))
          ? [...parts, '*'].join('.')
          : parts.join('.');
      }
      case 'A_Const':
        return constant(fields);
      case 'TypeCast':
        return `CAST(${this.expression(fields['arg'])} AS ${castType(fields)})`;
      case 'CoalesceExpr':
        return `COALESCE(${this.#all(list(fields, 'args'))})`;
      case 'BoolExpr': {
        const op = String(fields['boolop']).replace('_EXPR', '');
        const args = list(fields, 'args').map((a) => this.expression(a));
        return op === 'NOT' ? `NOT (${args[0]})` : `(${args.join(` ${op} `)})`;
      }
      case 'NullTest':
        return `${this.expression(fields['arg'])} ${String(fields['nulltesttype']).replaceAll('_', ' ')}`;
      case 'CaseExpr': {
        const whens = list(fields, 'args').map(
          (w) =>
            `WHEN ${this.expression(field(field(w, 'CaseWhen'), 'expr'))} THEN ${this.expression(field(field(w, 'CaseWhen'), 'result'))}`,
        );
        const arg = fields['arg'] ? `${this.expression(fields['arg'])} ` : '';
        return `CASE ${arg}${whens.join(' ')}${fields['defresult'] ? ` ELSE ${this.expression(fields['defresult'])}` : ''} END`;
      }
      case 'A_Expr':
        return this.#operator(fields);
      case 'FuncCall':
        return this.#call(fields);
      default:
        throw new Untranslatable(kind);
    }
  }

  #all(items: readonly unknown[]): string {
    return items.map((item) => this.expression(item)).join(', ');
  }

  #operator(fields: Fields): string {
    const left = fields['lexpr'] ? this.expression(fields['lexpr']) : '';
    const op = names(list(fields, 'name'))[0] ?? '';
    const items = list(field(fields['rexpr'], 'List'), 'items');
    switch (fields['kind']) {
      case 'AEXPR_OP':
        if (!['+', '-', '*', '/', '%', '=', '<>', '<', '>', '<=', '>=', '||'].includes(op))
          throw new Untranslatable(`operator ${op}`);
        return `(${left} ${op} ${this.expression(fields['rexpr'])})`.replace('( ', '(');
      case 'AEXPR_IN':
        return `${left} ${op === '<>' ? 'NOT IN' : 'IN'} (${this.#all(items)})`;
      case 'AEXPR_BETWEEN':
        return `${left} BETWEEN ${this.expression(items[0])} AND ${this.expression(items[1])}`;
      case 'AEXPR_LIKE':
        return `${left} ${op === '!~~' ? 'NOT LIKE' : 'LIKE'} ${this.expression(fields['rexpr'])}`;
      case 'AEXPR_NULLIF':
        return `NULLIF(${left}, ${this.expression(fields['rexpr'])})`;
      case 'AEXPR_DISTINCT':
        return `${left} IS DISTINCT FROM ${this.expression(fields['rexpr'])}`;
      default:
        throw new Untranslatable(String(fields['kind']));
    }
  }

  #call(call: Fields): string {
    const name = functionName(call);
    const args = list(call, 'args');
    if (call['over'] !== undefined) throw new Untranslatable(`${name} OVER`);
    if (call['func_variadic'] === true) throw new Untranslatable(`${name} VARIADIC`);
    if (name === 'timezone') return this.#atTimeZone(args);
    const text =
      call['agg_star'] === true
        ? '*'
        : `${call['agg_distinct'] === true ? 'DISTINCT ' : ''}${this.#all(args)}`;
    const filter = call['agg_filter']
      ? ` FILTER (WHERE ${this.expression(call['agg_filter'])})`
      : '';
    const known = SAME.has(name) ? name.toUpperCase() : undefined;
    if (!known) throw new Untranslatable(`function ${name}`);
    return `${known}(${text})${filter}`;
  }

  /**
   * Converts an instant to the local time of a zone. The generated view has instants in UTC. With a
   * timestamp without a zone, AT TIME ZONE converts in the other direction, so only columns that
   * are surely a timestamptz are translated.
   */
  #atTimeZone([zone, instant]: readonly unknown[]): string {
    const column = columnName(field(instant, 'ColumnRef'));
    if (column === null || !this.#instants.has(column))
      throw new Untranslatable('AT TIME ZONE of a value that may have no time zone');
    return `CAST(CONVERT_TZ(DATE_FORMAT(${this.expression(instant)}, 'yyyy-MM-dd HH:mm:ss'), 'UTC', ${this.expression(zone)}) AS TIMESTAMP(3))`;
  }
}

/** The clauses of a SELECT that have no translation. */
const UNTRANSLATED = ['windowClause', 'limitCount', 'limitOffset', 'valuesLists'];

const SAME = new Set(
  'count sum avg min max abs ceil floor round upper lower trim substring coalesce nullif greatest least concat length char_length power sqrt ln exp mod'.split(
    ' ',
  ),
);

function constant(fields: Fields): string {
  if (fields['isnull'] === true) return 'NULL';
  const text = field(fields['sval'], 'sval');
  if (fields['sval'] !== undefined) return `'${textOf(text).replaceAll("'", "''")}'`;
  if (fields['fval'] !== undefined) return String(field(fields['fval'], 'fval'));
  if (fields['boolval'] !== undefined)
    return field(fields['boolval'], 'boolval') === true ? 'TRUE' : 'FALSE';
  return textOf(field(fields['ival'], 'ival'), '0'); // the parser omits a zero
}
