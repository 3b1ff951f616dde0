// The view that consumers read: which table it selects from, and the statement that points it at another one.
import type pg from 'pg';
import { parseTableName, qualified, quoteIdent, type TableName } from '../domain/names.js';
import type { RouteSpec } from '../domain/spec.js';

/** Tables a view depends on, as `schema.name` (quoted where the spec would have to). */
export async function viewReads(client: pg.ClientBase, view: TableName): Promise<string[]> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT DISTINCT tn.nspname AS schema, t.relname AS name
     FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
     JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid JOIN pg_namespace tn ON tn.oid = t.relnamespace
     WHERE vn.nspname = $1 AND v.relname = $2 ORDER BY 1, 2`,
    [view.schema, view.table],
  );
  const part = (text: string): string => (/^[a-z_][a-z0-9_$]*$/.test(text) ? text : quoteIdent(text));
  return rows.map((row) => `${part(row['schema']!)}.${part(row['name']!)}`);
}

/** `CREATE OR REPLACE VIEW` over the other table, with the columns the view has now, in their order. */
export async function viewSwapSql(client: pg.ClientBase, route: Extract<RouteSpec, { type: 'postgres-view' }>, side: 'batch' | 'stream'): Promise<string> {
  const view = parseTableName(route.view);
  const { rows } = await client.query<Record<string, string>>(
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [view.schema, view.table],
  );
  const columns = rows.map((row) => `${quoteIdent(row['attname']!)}::${row['type']!} AS ${quoteIdent(row['attname']!)}`).join(', ');
  return `CREATE OR REPLACE VIEW ${qualified(view)} AS SELECT ${columns} FROM ${qualified(parseTableName(route[side]))}`;
}

/** Which side the view reads now; null when it reads neither, or both. */
export async function observedSide(client: pg.ClientBase, route: Extract<RouteSpec, { type: 'postgres-view' }>): Promise<'batch' | 'stream' | null> {
  const reads = await viewReads(client, parseTableName(route.view));
  const [batch, stream] = [reads.includes(route.batch), reads.includes(route.stream)];
  return batch === stream ? null : batch ? 'batch' : 'stream';
}
