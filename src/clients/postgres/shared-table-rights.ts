// Revokes the privileges to write to a shared table that were granted to the batch's role itself.
// Then finds the remaining privileges, for example from another role or from PUBLIC. They can be on
// the table, on its columns, on a partition, or on a table of which the shared table is a part.
import type pg from 'pg';
import { quoteIdent, type Relation } from '../../domain/migration/names.js';
import { ancestorsOf } from './partitions.js';
import { partsOf } from './trigger-sql.js';

const WRITES = 'INSERT, UPDATE, DELETE, TRUNCATE';

/** A privilege to write that the batch's role still has. */
export interface RemainingWrite {
  /** The table, a partition of it, or a table of which it is a part. The name is qualified. */
  readonly part: string;
  /** The origin of the privilege: other roles, PUBLIC, or the words `a privilege of its own`. */
  readonly through: string;
}

/**
 * Builds a condition that is true if a role may write to the relation `part`, or at least to one of
 * its columns. `role` is an SQL expression.
 */
const mayWrite = (role: string): string =>
  `(has_table_privilege(${role}, part, '${WRITES}') OR has_any_column_privilege(${role}, part, 'INSERT, UPDATE'))`;

/**
 * Names the memberships with which a role can use the rights of another role. The role inherits
 * these rights, uses SET ROLE, or grants itself one of the two. Before Postgres 16, every member
 * can use SET ROLE. Since then, a membership may allow none of the three.
 */
const USABLE = `CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'USAGE, SET, MEMBER WITH ADMIN OPTION' ELSE 'MEMBER' END`;

/** Finds the privileges with which a role can write to the relations. */
const REMAINING = `SELECT format('%I.%I', n.nspname, c.relname) AS part,
    CASE WHEN ${mayWrite(`'public'::name`)} THEN 'PUBLIC'
      ELSE coalesce(string_agg(r.rolname, ', ' ORDER BY r.rolname) FILTER (WHERE r.rolname <> $1::name), 'a privilege of its own') END AS through
  FROM unnest($2::oid[]) AS part JOIN pg_class c ON c.oid = part JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_roles r ON pg_has_role($1::name, r.oid, ${USABLE}) AND ${mayWrite('r.oid')}
  GROUP BY part, n.nspname, c.relname ORDER BY 1`;

/**
 * Revokes the batch role's privileges to write to the table, its columns and its partitions. This
 * is part of `complete`; until then, a trigger refuses these writes. Returns the privileges that
 * the role still has, for example through PUBLIC. Sluice does not revoke these, because other roles
 * may use them.
 */
export async function revokeWrites(
  client: pg.ClientBase,
  table: Relation,
  batchRole: string,
): Promise<readonly RemainingWrite[]> {
  const parts = await partsOf(client, [table.sql]);
  // This also revokes the privileges on the columns.
  await client.query(`REVOKE ${WRITES} ON ${parts.join(', ')} FROM ${quoteIdent(batchRole)}`);
  const { rows: relations } = await client.query<{ relid: string }>(
    `SELECT relid FROM ${ancestorsOf('$1::regclass')} a UNION SELECT part::regclass::oid FROM unnest($2::text[]) AS part`,
    [table.sql, parts],
  );
  const oids = relations.map(({ relid }) => relid);
  return (await client.query<RemainingWrite & Record<string, string>>(REMAINING, [batchRole, oids]))
    .rows;
}
