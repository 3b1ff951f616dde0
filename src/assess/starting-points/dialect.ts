// Translates a block (a CTE, a sub-query or a whole query) of PostgreSQL into Flink SQL. Throws
// Untranslatable, which names the construct, for a construct that it does not translate.
import {
  columnName,
  field,
  functionName,
  list,
  names,
  textOf,
  typeName,
  type Fields,
} from '../sql/ast.js';
import type { BlockTrees } from '../sql/blocks.js';

/** A construct that must be written by hand. */
export class Untranslatable extends Error {}

const TYPES: Readonly<Record<string, string>> = {
  int2: 'SMALLINT',
  int4: 'INT',
  int8: 'BIGINT',
  bool: 'BOOLEAN',
  float4: 'FLOAT',
  float8: 'DOUBLE',
  text: 'STRING',
  varchar: 'STRING',
  bpchar: 'STRING',
  uuid: 'STRING',
  enum: 'STRING',
  json: 'STRING',
  jsonb: 'STRING',
  date: 'DATE',
  timestamp: 'TIMESTAMP(6)',
  timestamptz: 'TIMESTAMP(6)',
  time: 'TIME(3)',
};

/**
 * Returns Flink's type for a PostgreSQL base type. `typmods` contains a numeric's precision and
 * scale.
 */
export function flinkType(type: string, typmods: readonly number[] = []): string {
  if (type === 'numeric') {
    const [precision = 38, scale = typmods.length > 0 ? 0 : 10] = typmods;
    if (precision <= 38 && scale >= 0 && scale <= precision)
      return `DECIMAL(${precision}, ${scale})`;
    throw new Untranslatable(`type numeric(${typmods.join(',')})`);
  }
  const known = TYPES[type];
  if (!known) throw new Untranslatable(`type ${type}`);
  return known;
}

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export class FlinkDialect {
  readonly #trees: BlockTrees;
  /** Returns the name of the view for a table or a block. */
  readonly #viewOf: (name: string) => string;

  constructor(trees: BlockTrees, viewOf: (name: string) => string) {
    this.#trees = trees;
    this.#viewOf = viewOf;
  }

  select(select: Fields): string {
    const op = select['op'];
    if (op !== undefined && op !== 'SETOP_NONE') {
      const name = textOf(op).replace('SETOP_', '');
      return `${this.select(select['larg'] as Fields)}\n${name}${select['all'] === true ? ' ALL' : ''}\n${this.select(select['rarg'] as Fields)}`;
    }
    if (
      list(select, 'windowClause').length > 0 ||
      select['limitCount'] !== undefined ||
      Array.isArray(select['valuesLists'])
    )
      throw new Untranslatable('WINDOW, LIMIT or VALUES');
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
    const alias = (node: Fields): string =>
      textOf(field(node['alias'], 'aliasname'), textOf(node['relname']));
    if (table) {
      const name = String(table['relname']);
      const block = table['schemaname'] === undefined ? this.#trees.ctes.get(name) : undefined;
      return `${quoted(this.#viewOf(block ?? `${textOf(table['schemaname'], 'public')}.${name}`))} AS ${quoted(alias(table))}`;
    }
    const inner = field(item, 'RangeSubselect') as Fields | undefined;
    const block = inner ? this.#trees.inner.get(field(inner['subquery'], 'SelectStmt')) : undefined;
    if (inner && block && inner['lateral'] !== true)
      return `${quoted(this.#viewOf(block))} AS ${quoted(alias(inner))}`;
    const join = field(item, 'JoinExpr') as Fields | undefined;
    if (!join || join['isNatural'] === true)
      throw new Untranslatable(Object.keys(item as object)[0] ?? 'FROM');
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

  /** Converts an instant to the local time of a zone. The generated view has instants in UTC. */
  #atTimeZone([zone, instant]: readonly unknown[]): string {
    return `CAST(CONVERT_TZ(DATE_FORMAT(${this.expression(instant)}, 'yyyy-MM-dd HH:mm:ss'), 'UTC', ${this.expression(zone)}) AS TIMESTAMP(3))`;
  }
}

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

/** Returns Flink's type for a cast. */
export function castType(cast: Fields): string {
  const typmods = list(cast['typeName'], 'typmods').map((m) =>
    Number(field(field(field(m, 'A_Const'), 'ival'), 'ival') ?? 0),
  );
  return flinkType(typeName(cast), typmods);
}
