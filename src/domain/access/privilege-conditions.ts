// Builds SQL conditions that are true if a role has a right. The lists of rights in this folder
// use these conditions. A condition is also true for a superuser, and for a role that inherits the
// right as a member of another role. Any role can evaluate the conditions.
import { parseTableName, quoteLiteral } from '../migration/names.js';

export const member = (role: string, of: string): string =>
  `pg_has_role(${quoteLiteral(role)}, ${quoteLiteral(of)}, 'USAGE')`;

/**
 * Builds a condition that is true if the role has a privilege on the relation. If the relation does
 * not exist, the condition is false. The condition reads the catalog, because a `regclass` cast
 * needs USAGE on the schema.
 */
export function hasOnTable(role: string, relation: string, right: string): string {
  const { schema, table } = parseTableName(relation);
  return `coalesce((SELECT has_table_privilege(${quoteLiteral(role)}, c.oid, ${quoteLiteral(right)}) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${quoteLiteral(schema)} AND c.relname = ${quoteLiteral(table)}), false)`;
}

export const hasOnSchema = (role: string, schema: string, right: string): string =>
  `has_schema_privilege(${quoteLiteral(role)}, (SELECT oid FROM pg_namespace WHERE nspname = ${quoteLiteral(schema)}), ${quoteLiteral(right)})`;

/**
 * Amazon RDS and Aurora allow the members of this role to replicate. Cloud SQL, AlloyDB, Azure and
 * Supabase require the attribute REPLICATION; membership in their administrator roles is not
 * enough.
 */
const REPLICATION_ROLE = 'rds_replication';

/**
 * Builds a condition that is true if a role may use replication. `role` is an SQL expression; for a
 * plain name, use `mayReplicate`.
 */
export const mayReplicateAs = (role: string): string =>
  `EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ${role} AND (r.rolreplication OR r.rolsuper OR EXISTS (SELECT FROM pg_roles g
     WHERE g.rolname = ${quoteLiteral(REPLICATION_ROLE)} AND pg_has_role(r.oid, g.oid, 'MEMBER'))))`;

export const mayReplicate = (role: string): string => mayReplicateAs(quoteLiteral(role));
