// Checks that a shared table keeps the rows that the commit or the rollback writes to it. A trigger
// of the table may drop or change a row. Also checks that no other table changes with the table,
// because a foreign key may remove or change rows of that table too.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { quoteIdent, type Relation } from '../../domain/migration/names.js';
import type { SharedTablePlan } from '../../domain/routes/route.js';
import { partsOf } from './trigger-sql.js';

/**
 * Fires deferred triggers and checks deferred constraints now. Otherwise they would run at COMMIT,
 * and could change or refuse rows after the rows were checked.
 */
const FIRE_DEFERRED = 'SET CONSTRAINTS ALL IMMEDIATE';

/** SQL conditions under which row `t` of the table equals row `s` of another relation. */
export interface Equality {
  /** The columns that are not part of the key, quoted. */
  readonly values: readonly string[];
  readonly sameKey: string;
  readonly same: string;
}

export function equality(columns: readonly string[], key: readonly string[]): Equality {
  const values = columns.filter((name) => !key.includes(name)).map(quoteIdent);
  const sameKey = key.map((name) => `t.${quoteIdent(name)} = s.${quoteIdent(name)}`).join(' AND ');
  // This compares texts. Some types have no equality operator, and consumers can tell 1.0 from
  // 1.00, although the two numbers are equal.
  const same = [
    sameKey,
    ...values.map((name) => `t.${name}::text IS NOT DISTINCT FROM s.${name}::text`),
  ].join(' AND ');
  return { values, sameKey, same };
}

/**
 * SQL for the enabled triggers of the tables $1, without Sluice's own. The functions of Sluice's own
 * triggers are in the schema that the parameter `schema` names, and change no column.
 */
const foreignTriggers = (schema: string): string =>
  `FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = ANY ($1::regclass[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
      AND p.pronamespace IS DISTINCT FROM to_regnamespace(${schema})::oid`;

/** True if a BEFORE UPDATE row trigger (bits 1, 2 and 16) may change columns of the tables $1. */
const MAY_CHANGE_UPDATES = `EXISTS (SELECT ${foreignTriggers('$5')} AND (t.tgtype & 19) = 19)`;

type SharedTable = Pick<SharedTablePlan, 'table' | 'kept'>;

/** The columns of the rows that are written to the table. An update does not change the key. */
interface WrittenColumns {
  readonly key: readonly string[];
  /** All columns that are written, with or without the key. */
  readonly all: readonly string[];
}

/**
 * Returns the tables whose rows change with the rows of this table, because of a foreign key with
 * CASCADE, SET NULL or SET DEFAULT. `change` says which changes count. An update changes the
 * written columns, except the key. It may also change a generated column, and a trigger may change
 * any column. If a foreign key refers only to columns that do not change, its table does not
 * change.
 */
export async function followers(
  client: pg.ClientBase,
  { table, kept }: SharedTable,
  { key, all }: WrittenColumns,
  change: 'delete' | 'update',
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint
      WHERE contype = 'f' AND confrelid = ANY ($1::regclass[])
        AND CASE $2 WHEN 'delete' THEN confdeltype IN ('c', 'n', 'd')
          ELSE confupdtype IN ('c', 'n', 'd') AND EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = confrelid AND attnum = ANY (confkey)
              AND NOT attname::text = ANY ($3::text[])
              AND (attname::text = ANY ($4::text[]) OR attgenerated <> '' OR ${MAY_CHANGE_UPDATES})) END
      ORDER BY 1`,
    [await partsOf(client, [table.sql]), change, key, all, quoteIdent(kept.schema)],
  );
  return rows.map(({ name }) => name);
}

/** The number of rows that the commit or the rollback changed. */
export interface RowsChanged {
  /** The number of rows that were inserted, or updated in any column. */
  readonly written: number;
  readonly removed: number;
}

/**
 * Returns why these rows must not be changed in the table, or null if no other table changes with
 * them. `source` is SQL for the relation whose rows were written.
 */
export async function followerProblem(
  client: pg.ClientBase,
  shared: SharedTable,
  key: readonly string[],
  source: string,
  { written, removed }: RowsChanged,
): Promise<string | null> {
  const rows = (n: number): string => `${n} ${n === 1 ? 'row' : 'rows'} of ${shared.table.text}`;
  const also = (doing: string, others: readonly string[]): string =>
    `${doing} would also change rows of ${others.join(', ')}, because of a foreign key`;
  if (removed === 0 && written === 0) return null;
  const { fields } = await client.query(`SELECT * FROM ${source} LIMIT 0`);
  const columns = { key, all: fields.map((field) => field.name) };
  const withDeletes = removed > 0 ? await followers(client, shared, columns, 'delete') : [];
  if (withDeletes.length > 0) return also(`removing ${rows(removed)}`, withDeletes);
  const withUpdates = written > 0 ? await followers(client, shared, columns, 'update') : [];
  return withUpdates.length > 0 ? also(`writing ${rows(written)}`, withUpdates) : null;
}

/**
 * Returns a reason if the table's rows differ from the rows of `source` that were written to it.
 * Only a trigger or a rule of the table can cause this, so a table without them is not checked.
 */
export async function triggerProblem(
  client: pg.ClientBase,
  key: readonly string[],
  table: Relation,
  source: Relation,
): Promise<string | null> {
  await client.query(FIRE_DEFERRED);
  const { rows: triggers } = await client.query<{ name: string }>(
    `SELECT t.tgname::text AS name ${foreignTriggers('$2')}
     UNION SELECT rulename::text FROM pg_rewrite WHERE ev_class = ANY ($1::regclass[]) ORDER BY 1`,
    [await partsOf(client, [table.sql]), quoteIdent(source.schema)],
  );
  if (triggers.length === 0) return null;
  const { fields } = await client.query(`SELECT * FROM ${source.sql} LIMIT 0`);
  const { sameKey, same } = equality(
    fields.map((field) => field.name),
    key,
  );
  const { rows } = await client.query<{ n: string }>(
    `SELECT (SELECT count(*) FROM ${source.sql} s WHERE NOT EXISTS (SELECT FROM ${table.sql} t WHERE ${same}))
          + (SELECT count(*) FROM ${table.sql} t WHERE NOT EXISTS (SELECT FROM ${source.sql} s WHERE ${sameKey})) AS n`,
  );
  const n = Number(rows[0]!.n);
  return n === 0
    ? null
    : `${table.text} does not keep the stream's rows: ${n} ${n === 1 ? 'row differs' : 'rows differ'} after the rows were written, because of its triggers or rules: ${triggers.map(({ name }) => name).join(', ')}`;
}

/**
 * Checks that a rollback wrote back all rows that the commit had removed. `kept` has a copy of
 * these rows. Throws Problem `route-unexpected` if the table lacks one of their keys. Only a
 * trigger of the table can cause this.
 */
export async function refuseLostRows(
  client: pg.ClientBase,
  key: readonly string[],
  table: Relation,
  kept: Relation,
): Promise<void> {
  await client.query(FIRE_DEFERRED);
  const { sameKey } = equality([], key);
  // a NULL in a key equals nothing, so a row with such a key cannot be looked up
  const isKnown = key.map((name) => `s.${quoteIdent(name)} IS NOT NULL`).join(' AND ');
  const { rows } = await client.query<{ n: string }>(
    `SELECT count(*) AS n FROM ${kept.sql} s WHERE ${isKnown} AND NOT EXISTS (SELECT FROM ${table.sql} t WHERE ${sameKey})`,
  );
  const n = Number(rows[0]!.n);
  if (n === 0) return;
  throw new Problem(
    'route-unexpected',
    `${table.text} does not take back ${n} of the rows that the commit removed, because a trigger of the table drops them`,
    `disable the trigger, then: sluice retry. The rows are still in ${kept.text}`,
  );
}
