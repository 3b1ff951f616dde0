// Finds why the sink's table or a shared table cannot hold exactly the rows of one side. Other
// tables may inherit from it, or ON CONFLICT may not be able to use its key. Also finds tables of
// which a shared table is a part.
import type pg from 'pg';
import { quoteIdent, type Relation } from '../../domain/migration/names.js';

interface Unfit {
  readonly detail: string;
  readonly remedy: string;
}

/** The tables that inherit from the table $1. Its partitions do not count. */
const HEIRS = `SELECT i.inhrelid::regclass::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
  WHERE c.oid = $1::regclass AND c.relkind <> 'p' ORDER BY 1`;

/** The valid unique indexes on exactly the columns $2, without a condition or an expression. */
const KEY_INDEXES = `SELECT i.indexrelid::regclass::text AS name, i.indimmediate::text AS immediate FROM pg_index i
  WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND
    (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
      = (SELECT array_agg(k ORDER BY k COLLATE "C") FROM unnest($2::text[]) AS k) ORDER BY 1`;

/**
 * Returns why the table cannot hold exactly the rows of the batch or of the stream. Returns null if
 * it can. The commit and the rollback of a shared table call this again after they have locked the
 * table.
 */
export async function shapeProblem(
  client: pg.ClientBase,
  table: Relation,
  key: readonly string[],
): Promise<Unfit | null> {
  const found = await client.query<{ name: string }>(HEIRS, [table.sql]);
  const heirs = found.rows.map(({ name }) => name);
  if (heirs.length > 0)
    return {
      detail: `these tables inherit from it: ${heirs.join(', ')}. A query of the table also returns their rows, but the sink does not write to them`,
      remedy: heirs.map((heir) => `ALTER TABLE ${heir} NO INHERIT ${table.sql}`).join('; '),
    };
  const { rows } = await client.query<{ name: string; immediate: string }>(KEY_INDEXES, [
    table.sql,
    key,
  ]);
  const columns = key.map(quoteIdent).join(', ');
  if (rows.length === 0)
    return {
      detail: `the table has no unique index on exactly (${key.join(', ')})`,
      remedy: `ALTER TABLE ${table.sql} ADD PRIMARY KEY (${columns})`,
    };
  // ON CONFLICT uses all unique indexes on the key, so one deferrable index is enough for an error.
  const deferrable = rows.filter(({ immediate }) => immediate !== 'true').map(({ name }) => name);
  if (deferrable.length === 0) return null;
  return {
    detail: `the unique key ${deferrable.join(', ')} is DEFERRABLE, and INSERT … ON CONFLICT does not accept such a key`,
    remedy: `drop the constraint, and add it again as NOT DEFERRABLE (on ${columns})`,
  };
}

/**
 * Returns a reason if the table is a part of other tables. A role that may write to one of these
 * tables can change the shared table's rows without a privilege on it.
 */
export async function parentProblem(client: pg.ClientBase, table: Relation): Promise<Unfit | null> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT inhparent::regclass::text AS name FROM pg_inherits WHERE inhrelid = $1::regclass ORDER BY 1`,
    [table.sql],
  );
  if (rows.length === 0) return null;
  const parents = rows.map(({ name }) => name).join(', ');
  return {
    detail: `the table is a partition of ${parents} or inherits from it: writes to ${parents} change its rows, and need no privilege on it`,
    remedy: 'detach the table (DETACH PARTITION, or NO INHERIT), or use route.type: postgres-view',
  };
}
