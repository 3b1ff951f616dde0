// Finds a table of the spec that is published only as a part of another table of the spec.
import type pg from 'pg';
import { ancestorsOf } from '../../clients/postgres/partitions.js';
import { qualified, type TableName } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

/**
 * Returns the partitioned table of the spec that contains the table `name`, or null. A publication
 * of both carries the changes of the partition only under the name of the partitioned table.
 */
export async function capturedRoot(
  client: pg.ClientBase,
  { tables }: ResolvedPlan,
  name: TableName,
): Promise<string | null> {
  if (tables.length < 2) return null;
  const { rows } = await client.query<TableName>(
    `SELECT n.nspname AS schema, c.relname AS table FROM ${ancestorsOf('$1::regclass')} a JOIN pg_class c ON c.oid = a.relid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p'`,
    [qualified(name)],
  );
  const above = new Set(rows.map(qualified));
  return tables.find((table) => above.has(qualified(table)))?.text ?? null;
}
