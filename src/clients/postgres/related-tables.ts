// Finds tables that are connected with another table. One is a partition of the other or inherits
// from it, or both are parts of the same table. Then a write to one can change rows of the other,
// or of the table that contains both.
import type pg from 'pg';
import type { Relation } from '../../domain/migration/names.js';
import { kinOf } from './partitions.js';

const OID = `(SELECT w.oid FROM pg_class w JOIN pg_namespace s ON s.oid = w.relnamespace WHERE s.nspname = $1 AND w.relname = $2)`;

/**
 * Returns a reason if `written` is connected with one of `others` through partitioning or INHERITS.
 * A name that no table has counts as not connected.
 */
export async function relatedProblem(
  client: pg.ClientBase,
  written: Relation,
  others: readonly Relation[],
): Promise<{ detail: string; remedy: string } | null> {
  // The names are looked up in the catalog, because to_regclass fails without USAGE on the schema.
  const { rows } = await client.query<{ at: string }>(
    `SELECT o.at FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS o (schema, name, at)
       JOIN pg_namespace n ON n.nspname = o.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = o.name
      WHERE c.oid IN (SELECT relid FROM ${kinOf(OID)} k) ORDER BY 1`,
    [
      written.schema,
      written.table,
      others.map(({ schema }) => schema),
      others.map(({ table }) => table),
    ],
  );
  const related = rows.map(({ at }) => others[Number(at) - 1]!);
  if (related.length === 0) return null;
  const names = related.map(({ text }) => text).join(', ');
  return {
    detail: `the table that the sink writes to, ${written.text}, shares rows with ${names}, because one is a partition of the other or inherits from it, or both are parts of one table`,
    remedy: 'separate the tables (DETACH PARTITION, or NO INHERIT), or name another sink table',
  };
}
