// Read-only checks of the table that the sink writes: it has the result's columns, or can be
// created.
import type pg from 'pg';
import { describeQuery, readTable } from '../../clients/postgres/catalog.js';
import { quoteIdent, type Relation } from '../../domain/migration/names.js';
import type { BatchPlan } from '../../domain/plan/resolved-plan.js';
import type { Answer } from '../runtime/findings.js';
import { missingColumns } from './batch-run-checks.js';

/**
 * An existing table must fit and be empty, because foreign rows would be differences. A missing
 * table is created.
 */
export async function checkSinkTable(
  client: pg.ClientBase,
  target: Relation,
  batch: BatchPlan,
  user: string,
): Promise<Answer> {
  const table = await readTable(client, target.text);
  if (!table) return createRight(client, user, target.schema);
  const lacks = await missingWrites(client, user, target.sql);
  if (lacks) return lacks;
  const missing = missingColumns(await describeQuery(client, batch.query.sql), table.columns);
  if (missing.length > 0)
    return {
      detail: `the sink table lacks ${missing.join(', ')}`,
      remedy: 'give it the columns of the batch query, or drop it so that Sluice creates it',
    };
  const key = [...table.key].sort().join();
  if (key !== [...batch.result.key].sort().join())
    return {
      detail: `the sink table's primary key is (${table.key.join(', ')}) ≠ (${batch.result.key.join(', ')})`,
      remedy: 'give it that primary key, or drop it so that Sluice creates it',
    };
  const rows = (await client.query(`SELECT 1 FROM ${target.sql} LIMIT 1`)).rows.length;
  return rows === 0
    ? 'exists, empty, fits'
    : { detail: 'the sink table is not empty', remedy: 'empty it, or name another table' };
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
      detail: `no such schema: ${schema}`,
      remedy: `CREATE SCHEMA ${name}; GRANT USAGE, CREATE ON SCHEMA ${name} TO ${user}`,
    };
  if (rows[0]['may'] === 'true')
    return 'will be created like the result table: its types, its NOT NULLs, and the rights to read it';
  return {
    detail: `it must be created, and the role may not create in schema ${schema}`,
    remedy: `GRANT USAGE, CREATE ON SCHEMA ${name} TO ${user}`,
  };
}

/** The sink writes a table of the user's as our role. */
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
        detail: `the sink may not write it: no ${rights}`,
        remedy: `GRANT ${rights} ON ${table} TO ${quoteIdent(user)}`,
      };
}
