// Compares who may read the consumers' view before and after the cut-over switches it to another
// table. Also copies read privileges to a table that Sluice created, and describes row security. A
// view reads its tables with the privileges of its owner. With security_invoker, it uses the
// privileges of its reader.
import type pg from 'pg';
import { qualified, quoteIdent, type TableName } from '../../domain/migration/names.js';

export interface Readers {
  readonly view: TableName;
  readonly owner: string;
  /** True if the view reads its tables with the privileges of its reader. */
  readonly asInvoker: boolean;
}

export interface Lack {
  /**
   * The quoted roles that need privileges on a table before the view can read this table. PUBLIC
   * stands for all roles.
   */
  readonly roles: readonly string[];
  /** The statement that grants the missing privileges. */
  readonly grant: string;
}

/** Returns whether the view's options make it read its tables with its reader's privileges. */
export const readsAsInvoker = (options: readonly string[]): boolean =>
  options.some((option) => /^security_invoker=(true|on|yes|1)$/i.test(option));

// Builds SQL that is true if the role may read the whole table or each of the given columns. A
// query that names no column, such as `count(*)`, needs the privilege on only one column.
const mayRead = (role: string, table: string, columns: string): string =>
  `(has_table_privilege(${role}::name, ${table}::regclass, 'SELECT') OR CASE WHEN cardinality(${columns}) = 0
      THEN has_any_column_privilege(${role}::name, ${table}::regclass, 'SELECT')
      ELSE (SELECT bool_and(has_column_privilege(${role}::name, ${table}::regclass, c, 'SELECT')) FROM unnest(${columns}) AS c) END)`;

/**
 * Finds the roles whose privileges on `to` would not be enough if the view read `to` instead of
 * `from`. With security_invoker, these are readers of the view; otherwise, only its owner is
 * checked. Returns null if there is no such role. The view's query is already resolved, so no role
 * needs a privilege on the schemas of its tables.
 */
export async function whoWouldLack(
  client: pg.ClientBase,
  { view, owner, asInvoker }: Readers,
  from: { readonly name: TableName; readonly columns: readonly string[] },
  to: { readonly name: TableName; readonly columns: readonly string[] },
): Promise<Lack | null> {
  const { rows } = await client.query<{ role: string; everybody: string }>(
    `SELECT r.role, (r.role = 'public')::text AS everybody
     FROM (SELECT rolname::text AS role FROM pg_roles WHERE NOT rolsuper UNION ALL SELECT 'public') AS r
     WHERE CASE WHEN $1 THEN has_any_column_privilege(r.role::name, $2::regclass, 'SELECT') ELSE r.role = $3 END
       AND (NOT $1 OR ${mayRead('r.role', '$4', '$5::text[]')}) AND NOT ${mayRead('r.role', '$6', '$7::text[]')} ORDER BY 1`,
    [
      asInvoker,
      qualified(view),
      owner,
      qualified(from.name),
      from.columns,
      qualified(to.name),
      to.columns,
    ],
  );
  if (rows.length === 0) return null;
  const roles = rows.some((row) => row.everybody === 'true')
    ? ['PUBLIC']
    : rows.map((row) => quoteIdent(row.role));
  return { roles, grant: `GRANT SELECT ON ${qualified(to.name)} TO ${roles.join(', ')}` };
}

/**
 * Copies the SELECT privileges on `from` to `to`, a table that Sluice created. Copies the
 * privileges of roles, of PUBLIC and of the owner, on the table and on its columns.
 */
export async function copyReadRights(
  client: pg.ClientBase,
  from: TableName,
  to: TableName,
): Promise<void> {
  const { rows } = await client.query<{ grantee: string; columns: string | null }>(
    `WITH t AS (SELECT c.oid, c.relowner, c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2),
      rights AS (SELECT a.grantee, NULL::name AS attname FROM t, aclexplode(t.relacl) AS a WHERE a.privilege_type = 'SELECT'
        UNION SELECT t.relowner, NULL FROM t
        UNION SELECT a.grantee, c.attname FROM t JOIN pg_attribute c ON c.attrelid = t.oid AND NOT c.attisdropped,
          aclexplode(c.attacl) AS a WHERE a.privilege_type = 'SELECT'
          AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = $3::regclass AND o.attname = c.attname AND NOT o.attisdropped))
     SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee,
       string_agg(quote_ident(attname), ', ' ORDER BY attname) AS columns FROM rights GROUP BY grantee, attname IS NULL ORDER BY 1, 2`,
    [from.schema, from.table, qualified(to)],
  );
  for (const { grantee, columns } of rows)
    await client.query(
      `GRANT SELECT${columns === null ? '' : ` (${columns})`} ON ${qualified(to)} TO ${grantee}`,
    );
}

/**
 * Returns the row security of a relation as one text. Relations with equal texts show the same rows
 * to the same roles. The text is empty if the relation has no row security, or if row security does
 * not apply to `role`.
 */
export async function rowSecurityOf(
  client: pg.ClientBase,
  { schema, table }: TableName,
  role: string | null,
): Promise<string> {
  const { rows } = await client.query<{ text: string }>(
    `SELECT jsonb_build_object('forced', c.relforcerowsecurity, 'policies',
        (SELECT jsonb_agg(jsonb_build_array(p.polcmd, p.polpermissive, p.polroles::text,
          pg_get_expr(p.polqual, p.polrelid)) ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid))::text AS text
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = $3
       AND (r.rolsuper OR r.rolbypassrls OR (pg_has_role(r.oid, c.relowner, 'USAGE') AND NOT c.relforcerowsecurity)))`,
    [schema, table, role],
  );
  return rows[0]?.text ?? '';
}
