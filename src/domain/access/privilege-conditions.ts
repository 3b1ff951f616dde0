// Builds SQL conditions on what a role may do, for the checks of `privileges.ts`. They are true for
// superusers, and for rights that the role has through membership. Any role can run them.
import { parseTableName, quoteLiteral } from '../migration/names.js';

export const member = (role: string, of: string): string =>
  `pg_has_role(${quoteLiteral(role)}, ${quoteLiteral(of)}, 'USAGE')`;
/**
 * Builds a condition on the catalog, because a `regclass` cast needs USAGE on the schema. It is
 * false if the relation does not exist.
 */
export function hasOnTable(role: string, relation: string, right: string): string {
  const { schema, table } = parseTableName(relation);
  return `coalesce((SELECT has_table_privilege(${quoteLiteral(role)}, c.oid, ${quoteLiteral(right)}) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${quoteLiteral(schema)} AND c.relname = ${quoteLiteral(table)}), false)`;
}

export const hasOnSchema = (role: string, schema: string, right: string): string =>
  `has_schema_privilege(${quoteLiteral(role)}, (SELECT oid FROM pg_namespace WHERE nspname = ${quoteLiteral(schema)}), ${quoteLiteral(right)})`;

/** Roles with which managed services allow replication. */
export const REPLICATION_ROLES: readonly string[] = [
  'rds_replication',
  'cloudsqlsuperuser',
  'azure_pg_admin',
  'azure_replication',
  'alloydbsuperuser',
];

/**
 * Builds a condition on `role`, which is an SQL expression. For a role's name, use `mayReplicate`.
 */
export const mayReplicateAs = (role: string): string =>
  `EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ${role} AND (r.rolreplication OR r.rolsuper OR EXISTS (SELECT FROM pg_roles g
     WHERE g.rolname IN (${REPLICATION_ROLES.map(quoteLiteral).join(', ')}) AND pg_has_role(r.oid, g.oid, 'MEMBER'))))`;

export const mayReplicate = (role: string): string => mayReplicateAs(quoteLiteral(role));
