// Makes the stand-in: the sub-query that replaces a table in an aligned query. For a few keys, it
// returns rows that the caller gives. For all other keys, it returns the table's rows in the
// snapshot.
import { quoteIdent, quoteLiteral } from '../../domain/migration/names.js';

/**
 * A value of a given row: a text that Postgres reads as the column's type, or an SQL expression.
 */
export type Given = { readonly text: string | null } | { readonly sql: string };

export interface GivenRow {
  /** The values of the key as texts, in the order of the table's key columns. */
  readonly key: readonly string[];
  /** One value for each column, in the table's order. Null if no row has this key. */
  readonly values: readonly Given[] | null;
}

export interface StandInTable {
  /** The quoted name of the table. */
  readonly sql: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** Returns the stand-in. Returns null if no row is given: the query then reads the table itself. */
export function standIn(table: StandInTable, rows: readonly GivenRow[]): string | null {
  if (rows.length === 0) return null;
  const columns = table.columns.map(quoteIdent).join(', ');
  const keys = table.key.map(quoteIdent).join(', ');
  const listed = rows.map(({ key }) => `(${key.map(quoteLiteral).join(', ')})`).join(', ');
  const others = `SELECT ${columns} FROM ${table.sql} WHERE (${keys}) NOT IN (${listed})`;
  const given = givenRows(table, rows);
  return given === null ? others : `${others}\nUNION ALL ${given}`;
}

/**
 * Returns a SELECT of the given rows. They have the table's own row type, so each value gets the
 * column's type, modifier and collation. Null if no key has a row.
 */
export function givenRows({ sql }: StandInTable, rows: readonly GivenRow[]): string | null {
  const records = rows.flatMap(({ values }) =>
    values === null ? [] : [`(ROW(${values.map(valueOf).join(', ')})::${sql})`],
  );
  if (records.length === 0) return null;
  return `SELECT (sluice_row).* FROM (VALUES ${records.join(', ')}) AS sluice_rows (sluice_row)`;
}

/**
 * Returns a stand-in that reads no table and that the planner does not simplify. The output of
 * EXPLAIN for a query with such stand-ins then shows every other relation that the query reads.
 */
export const emptyStandIn = ({ sql }: Pick<StandInTable, 'sql'>): string =>
  `SELECT (sluice_row).* FROM (SELECT NULL::${sql} AS sluice_row OFFSET 0) AS sluice_rows`;

/**
 * Returns SQL that reads one column of the row with this key from the snapshot. The stand-in uses
 * this for a column that no record of the gap changed.
 */
export function fromSnapshot(table: StandInTable, column: string, key: readonly string[]): Given {
  const where = table.key.map((name, at) => `${quoteIdent(name)} = ${quoteLiteral(key[at]!)}`);
  return {
    sql: `(SELECT ${quoteIdent(column)} FROM ${table.sql} WHERE ${where.join(' AND ')})`,
  };
}

function valueOf(given: Given): string {
  if ('sql' in given) return given.sql;
  return given.text === null ? 'NULL' : quoteLiteral(given.text);
}
