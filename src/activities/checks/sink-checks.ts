// Checks the table that the sink writes to. The checks only read. If the table exists, it must have
// the right columns and key, and no rows. If it does not exist, the role must be able to create it.
// Also checks that the sink's writes change no other table of the spec, and that the sink cannot
// confuse its table with another one.
import type pg from 'pg';
import { describeQuery, readTable, type Column } from '../../clients/postgres/catalog.js';
import { relatedProblem } from '../../clients/postgres/related-tables.js';
import { shapeProblem } from '../../clients/postgres/shared-table-shape.js';
import type { Databases } from '../../clients/postgres/target-connection.js';
import { hasTarget, targetPostgres } from '../../domain/migration/databases.js';
import {
  parseTableName,
  qualified,
  quoteIdent,
  type Relation,
} from '../../domain/migration/names.js';
import { sinkCanWriteColumn, unwritableColumns } from '../../domain/migration/sink-names.js';
import type { BatchPlan, ResolvedPlan, SinkPlan } from '../../domain/plan/resolved-plan.js';
import type { Answer } from '../runtime/make-finding.js';
import { missingColumns } from './batch-run-checks.js';

/**
 * Checks that the sink can write the columns of the result, and that its writes change no other
 * table of the spec. If the sink has its own table, also checks that table. The checks of the route
 * cover a table that the sink shares with the batch.
 */
export async function checkSink(
  databases: Databases,
  plan: ResolvedPlan,
  batch: BatchPlan,
  { writes }: SinkPlan,
): Promise<Answer> {
  const columns = await describeQuery(databases.source, batch.query.sql);
  const odd = columns.map(({ name }) => name).filter((name) => !sinkCanWriteColumn(name));
  if (odd.length > 0)
    return {
      detail: unwritableColumns(odd),
      remedy: 'rename these columns in batch.query, and give them their present names in the view',
    };
  const { target } = databases;
  const captured = hasTarget(plan) ? [] : plan.tables;
  const own = plan.route.sharesTable ? [] : [batch.resultTable];
  const written = plan.route.sharesTable ? batch.resultTable : writes.stream;
  const related = await relatedProblem(target, written, [...own, ...captured]);
  if (related !== null) return related;
  if (plan.route.sharesTable) return 'the sink can write every column of the result';
  return checkSinkTable(target, writes.stream, batch, columns, targetPostgres(plan).user);
}

/**
 * Checks that an existing table fits and is empty, because any row already in it would count as a
 * difference. If the table does not exist, checks that the role may create it.
 */
async function checkSinkTable(
  client: pg.ClientBase,
  sunk: Relation,
  batch: BatchPlan,
  columns: readonly Column[],
  user: string,
): Promise<Answer> {
  const table = await readTable(client, sunk.text);
  if (!table) return createRight(client, user, sunk.schema);
  const lacks = await missingWrites(client, user, sunk.sql);
  if (lacks) return lacks;
  const missing = missingColumns(columns, table.columns);
  if (missing.length > 0)
    return {
      detail: `the sink table lacks ${missing.join(', ')}`,
      remedy: 'give it the columns of the batch query, or drop it so that Sluice creates it',
    };
  const read = await readTable(client, batch.result.table);
  const times = table.columns.filter((c) =>
    isOtherTime(
      c,
      read?.columns.find(({ name }) => name === c.name),
    ),
  );
  if (times.length > 0)
    return {
      detail: `the sink table stores ${times.map((c) => `${c.name} as ${c.declared}`).join(', ')}, unlike ${batch.result.table}, so readers in other time zones would see other times`,
      remedy: `give these columns the types of ${batch.result.table}, or drop the table so that Sluice creates it`,
    };
  const key = [...table.key].sort().join();
  if (key !== [...batch.result.key].sort().join())
    return {
      detail: `the sink table's primary key is (${table.key.join(', ')}), not (${batch.result.key.join(', ')})`,
      remedy: 'give it that primary key, or drop it so that Sluice creates it',
    };
  const unfit = await shapeProblem(client, sunk, batch.result.key);
  if (unfit !== null) return unfit;
  const rows = (await client.query(`SELECT 1 FROM ${sunk.sql} LIMIT 1`)).rows.length;
  return rows === 0
    ? 'the sink table exists, fits, and is empty'
    : {
        detail: 'the sink table is not empty',
        remedy: 'empty it, or name another table in the spec',
      };
}

/**
 * Uses the name of the sink's table as a LIKE pattern, as the sink does. Finds other relations of
 * its schema whose names match and whose columns have other types. The query looks at the kinds of
 * relations whose columns the JDBC driver lists. If the sink's table does not exist yet, it will
 * get the types of the result table. The query then compares with these types.
 */
const SIMILAR_SQL = `WITH own AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (($1::name, $2::name), ($3::name, $4::name))
    ORDER BY (n.nspname, c.relname) = ($1::name, $2::name) DESC LIMIT 1)
  SELECT c.relname AS other, string_agg(format('%s (%s instead of %s)', a.attname, format_type(a.atttypid, a.atttypmod), format_type(o.atttypid, o.atttypmod)), ', ' ORDER BY a.attnum) AS differ
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_attribute o ON o.attname = a.attname AND o.attnum > 0 AND o.attrelid = (SELECT oid FROM own)
  WHERE n.nspname = $1::name AND c.relkind IN ('r', 'p', 'v', 'f', 'm')
    AND c.relname LIKE $2 AND c.relname <> $2::name AND a.atttypid <> o.atttypid
  GROUP BY c.relname ORDER BY c.relname`;

/**
 * Checks that the sink does not take the types of another table. Debezium's sink looks for the
 * columns of its table with LIKE, and the last table in the order of the names wins. The sink casts
 * a text value to the type that it found there. With a wrong type, the database could refuse the
 * value, or store it in another spelling.
 */
export async function checkSimilarNames(
  client: pg.ClientBase,
  batch: BatchPlan,
  { writes: { stream } }: SinkPlan,
): Promise<Answer> {
  const result = parseTableName(batch.result.table);
  const { rows } = await client.query<{ other: string; differ: string }>(SIMILAR_SQL, [
    stream.schema,
    stream.table,
    result.schema,
    result.table,
  ]);
  if (rows.length === 0) return 'no other table can be confused with it';
  const others = rows.map(
    ({ other, differ }) => `${qualified({ schema: stream.schema, table: other })}: ${differ}`,
  );
  return {
    detail: `the sink finds the columns of ${stream.sql} with LIKE, in which _ and % match other characters. It would use the types of ${others.join('; ')}`,
    remedy:
      "rename the other table, or give the sink's table a name that matches no other (sink.table, and cutover.route)",
  };
}

/**
 * Returns true if one column stores times with a zone, and the other stores them without. Windows
 * cannot notice this: they read in UTC, where both columns give the same text.
 */
function isOtherTime({ type }: Column, other: Column | undefined): boolean {
  const times = ['timestamp', 'timestamptz', 'timestamp[]', 'timestamptz[]'];
  return (
    other !== undefined && times.includes(type) && other.type !== type && times.includes(other.type)
  );
}

async function createRight(
  client: pg.ClientBase,
  ourRole: string,
  schema: string,
): Promise<Answer> {
  const [name, user] = [quoteIdent(schema), quoteIdent(ourRole)];
  const { rows } = await client.query<Record<string, string>>(
    `SELECT (has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE'))::text AS may
     FROM pg_namespace WHERE nspname = $1`,
    [schema],
  );
  if (!rows[0])
    return {
      detail: `schema ${schema} does not exist`,
      remedy: `CREATE SCHEMA ${name}; GRANT USAGE, CREATE ON SCHEMA ${name} TO ${user}`,
    };
  if (rows[0]['may'] === 'true')
    return 'it will be created with the types, the NOT NULLs and the SELECT privileges of the result table';
  return {
    detail: `Sluice must create it, but the role cannot create tables in schema ${schema}`,
    remedy: `GRANT USAGE, CREATE ON SCHEMA ${name} TO ${user}`,
  };
}

/**
 * Checks that Sluice's role may write to the table, because the sink logs in with that role.
 * Returns null if the role has every privilege that is needed.
 */
async function missingWrites(
  client: pg.ClientBase,
  user: string,
  table: string,
): Promise<Answer | null> {
  const { rows } = await client.query<{ right: string }>(
    `SELECT p AS right FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p WHERE NOT has_table_privilege($1, p)`,
    [table],
  );
  const rights = rows.map((row) => row.right).join(', ');
  return rights === ''
    ? null
    : {
        detail: `the sink cannot write to it: its role lacks ${rights}`,
        remedy: `GRANT ${rights} ON ${table} TO ${quoteIdent(user)}`,
      };
}
