// Reads the objects of a capture from the catalog: the publication with its contents, and each
// table with its properties.
import type pg from 'pg';
import {
  OPERATIONS,
  type CapturedTable,
  type Publication,
  type Relation,
} from '../../domain/capture/captured-set.js';
import { parseTableName, qualified } from '../../domain/migration/names.js';
import { partitionsOf } from './partitions.js';

const PUBLICATION_SQL = `
SELECT p.oid, p.xmin::text AS version, p.pubviaroot, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
  (SELECT coalesce(string_agg(concat(r.oid, '.', r.xmin), ' ' ORDER BY r.oid), '') FROM pg_publication_rel r WHERE r.prpubid = p.oid) AS tables
FROM pg_publication p WHERE p.pubname = $1`;

// The query reads the rows of pg_publication_tables as JSON, because PostgreSQL 14 lacks the
// columns for row filters and column lists.
const PUBLISHED_SQL = `
SELECT t.schemaname, t.tablename, to_jsonb(t) ->> 'rowfilter' AS filter,
  (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
    WHERE a.attrelid = format('%I.%I', t.schemaname, t.tablename)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND to_jsonb(t) -> 'attnames' IS NOT NULL AND NOT to_jsonb(t) -> 'attnames' ? a.attname::text) AS left_out
FROM pg_publication_tables t WHERE t.pubname = $1 ORDER BY 1, 2`;

const RELATION = (alias: string, name: string): string => `json_build_object(
  'name', ${name}, 'oid', ${alias}.oid::text, 'kind', ${alias}.relkind, 'persistence', ${alias}.relpersistence,
  'file', coalesce(pg_relation_filenode(${alias}.oid), 0)::text,
  'replicaIdentity', CASE ${alias}.relreplident WHEN 'd' THEN 'default' WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing'
    ELSE 'index ' || coalesce((SELECT x.indexrelid::regclass::text FROM pg_index x WHERE x.indrelid = ${alias}.oid AND x.indisreplident), '(dropped)') END)`;

const QUALIFIED = (alias: string): string =>
  `format('%s.%I', ${alias}.relnamespace::regnamespace, ${alias}.relname)`;

const TABLE_SQL = `
WITH RECURSIVE c AS (
  SELECT k.* FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE n.nspname = $1 AND k.relname = $2
), used(oid) AS (
  SELECT a.atttypid FROM pg_attribute a, c WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT deeper.oid FROM used JOIN pg_type t ON t.oid = used.oid CROSS JOIN LATERAL (
    SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
    UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.typtype = 'r' AND r.rngtypid = t.oid
    UNION ALL SELECT (to_jsonb(r) ->> 'rngtypid')::oid FROM pg_range r WHERE t.typtype = 'm' AND (to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid
  ) deeper
)
SELECT ${RELATION('c', QUALIFIED('c'))} AS relation,
  (SELECT coalesce(json_agg(${RELATION('p', QUALIFIED('p'))} ORDER BY p.oid), '[]') FROM ${partitionsOf('c.oid')} t JOIN pg_class p ON p.oid = t.relid) AS partitions,
  (SELECT coalesce(json_agg(i.inhrelid::regclass::text ORDER BY 1), '[]') FROM pg_inherits i WHERE i.inhparent = c.oid AND c.relkind <> 'p') AS heirs,
  (SELECT coalesce(json_agg(concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END,
      CASE WHEN a.attgenerated <> '' THEN ' generated as ' || pg_get_expr(d.adbin, d.adrelid) END, ' (column ', a.attnum, ')') ORDER BY a.attnum), '[]')
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT coalesce(json_agg(part ORDER BY part), '[]') FROM (
      SELECT format('label %L of enum %s (oid %s)', e.enumlabel, format_type(e.enumtypid, NULL), e.oid) AS part FROM used u JOIN pg_enum e ON e.enumtypid = u.oid
      UNION ALL SELECT format('domain %s as %s%s', format_type(t.oid, NULL), format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN ' not null' END)
        FROM used u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype = 'd'
      UNION ALL SELECT format('domain %s: %s', format_type(k.contypid, NULL), pg_get_constraintdef(k.oid)) FROM used u JOIN pg_constraint k ON k.contypid = u.oid
      UNION ALL SELECT format('attribute %s.%s %s (attribute %s)', format_type(t.oid, NULL), a.attname, format_type(a.atttypid, a.atttypmod), a.attnum)
        FROM used u JOIN pg_type t ON t.oid = u.oid JOIN pg_attribute a ON a.attrelid = t.typrelid
        WHERE t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped) AS parts) AS types,
  (SELECT concat(pg_get_indexdef(x.indexrelid), CASE WHEN NOT x.indimmediate THEN ' deferrable' END, CASE WHEN NOT x.indisvalid THEN ' (invalid)' END)
    FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary) AS key,
  (SELECT coalesce(json_agg(part ORDER BY part), '[]') FROM (
      SELECT 'enabled' AS part WHERE c.relrowsecurity
      UNION ALL SELECT 'forced' WHERE c.relforcerowsecurity
      UNION ALL SELECT format('policy %s (%s, %s, for %s) using (%s) with check (%s)', quote_ident(p.polname), CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
        CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
        (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END, ', ') FROM unnest(p.polroles) r),
        coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')) FROM pg_policy p WHERE p.polrelid = c.oid) AS parts) AS security
FROM c`;

/**
 * Makes Postgres return names and definitions with their schema, no matter what the role's
 * search_path is. MUST be called before `readPublication` and `readCapturedTable`, in the same
 * session.
 */
export async function qualifyNames(client: pg.ClientBase): Promise<void> {
  await client.query(`SET search_path = pg_catalog`);
}

/**
 * Reads a publication. Returns null if it does not exist. `planned` has the tables of the spec.
 * They are returned under the names that the spec uses.
 */
export async function readPublication(
  client: pg.ClientBase,
  name: string,
  planned: readonly string[],
): Promise<Publication | null> {
  const row = (await client.query<Record<string, string>>(PUBLICATION_SQL, [name])).rows[0];
  if (!row) return null;
  const tables = (await client.query<Record<string, string | null>>(PUBLISHED_SQL, [name])).rows;
  const known = new Map(planned.map((text) => [qualified(parseTableName(text)), text]));
  return {
    name,
    version: `${row['oid']}.${row['version']}${row['tables'] ? ` ${row['tables']}` : ''}`,
    viaRoot: row['pubviaroot'] === 't',
    operations: OPERATIONS.filter((operation) => row[`pub${operation}`] === 't'),
    tables: tables.map((table) => {
      const own = qualified({ schema: table['schemaname']!, table: table['tablename']! });
      return {
        name: known.get(own) ?? `${table['schemaname']}.${table['tablename']}`,
        rowFilter: table['filter'] ?? null,
        leftOut: JSON.parse(table['left_out']!) as string[],
      };
    }),
  };
}

/** Reads a table. Returns null if it does not exist. */
export async function readCapturedTable(
  client: pg.ClientBase,
  text: string,
): Promise<CapturedTable | null> {
  const { schema, table } = parseTableName(text);
  const row = (await client.query<Record<string, string | null>>(TABLE_SQL, [schema, table]))
    .rows[0];
  if (!row) return null;
  const list = <T>(column: string): T[] => JSON.parse(row[column]!) as T[];
  return {
    ...(JSON.parse(row['relation']!) as Relation),
    partitions: list<Relation>('partitions'),
    heirs: list<string>('heirs'),
    columns: list<string>('columns'),
    types: list<string>('types'),
    key: row['key'] ?? null,
    rowSecurity: list<string>('security'),
  };
}
