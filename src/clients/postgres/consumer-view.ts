// Reads from the catalog the view that consumers read, and the tables that the view selects from.
// Also replaces the query of the view.
import type pg from 'pg';
import {
  parseTableName,
  qualified,
  quoteIdent,
  quoteLiteral,
  type TableName,
} from '../../domain/migration/names.js';
import type { ViewPlan } from '../../domain/routes/route.js';

export interface ColumnType {
  readonly name: string;
  /** The type with its modifier, as `format_type` prints it. */
  readonly type: string;
  /** The qualified and quoted name of the collation. Empty if the type has no collation. */
  readonly collation: string;
  readonly notNull: boolean;
}

export interface ViewState {
  readonly oid: string;
  /** `pg_class.relkind`. */
  readonly kind: string;
  readonly owner: string;
  /**
   * `pg_get_viewdef` with an empty search_path, so every name in it has its schema. Empty if the
   * relation is not a view.
   */
  readonly definition: string;
  /** `pg_class.reloptions`, each as `name=value`, in the order of the catalog. */
  readonly options: readonly string[];
  /**
   * Other properties as one text: the owner, privileges, comments, columns with their types and
   * defaults, triggers, rules, and the views that read this view. If the text is equal, none of
   * these has changed.
   */
  readonly rest: string;
}

const STATE_SQL = `
SELECT c.oid, c.relkind AS kind, pg_get_userbyid(c.relowner) AS owner,
  CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) ELSE '' END AS definition,
  coalesce(to_jsonb(c.reloptions), '[]')::text AS options,
  jsonb_build_object('owner', c.relowner::bigint, 'privileges', c.relacl::text, 'comment', obj_description(c.oid, 'pg_class'),
    'columns', (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::bigint,
        a.attacl::text, a.attoptions::text, col_description(c.oid, a.attnum),
        (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum))
        ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'triggers', (SELECT jsonb_agg(jsonb_build_array(pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
        ORDER BY t.oid) FROM pg_trigger t WHERE t.tgrelid = c.oid),
    'rules', (SELECT jsonb_agg(jsonb_build_array(pg_get_ruledef(r.oid), r.ev_enabled, obj_description(r.oid, 'pg_rewrite'))
        ORDER BY r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'),
    'readers', (SELECT jsonb_agg(DISTINCT d.objid::bigint) FROM pg_depend d
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass))::text AS rest
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;

/** Reads the state of a view. Returns null if there is no such relation. */
export async function readView(
  client: pg.ClientBase,
  { schema, table }: TableName,
): Promise<ViewState | null> {
  const row = await withEmptyPath(
    client,
    async () => (await client.query<Record<string, string>>(STATE_SQL, [schema, table])).rows[0],
  );
  if (!row) return null;
  return {
    oid: row['oid']!,
    kind: row['kind']!,
    owner: row['owner']!,
    definition: row['definition']!.trim().replace(/;$/, ''),
    options: JSON.parse(row['options']!) as string[],
    rest: row['rest']!,
  };
}

/**
 * Runs `use` with an empty search_path. Postgres then prints every name with its schema, so the
 * text means the same in every session.
 */
async function withEmptyPath<T>(client: pg.ClientBase, use: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ path: string }>(
    `SELECT current_setting('search_path') AS path`,
  );
  const set = (path: string) => client.query(`SELECT set_config('search_path', $1, false)`, [path]);
  await set('');
  const result = await use().catch(async (error: unknown) => {
    // This call fails if the transaction has failed. The end of that transaction then restores the
    // path.
    await set(rows[0]!.path).catch(() => undefined);
    throw error;
  });
  await set(rows[0]!.path);
  return result;
}

/**
 * Replaces the text of the view's query. Also writes the options, because Postgres would otherwise
 * clear them.
 */
export async function replaceView(
  client: pg.ClientBase,
  view: TableName,
  { definition, options }: Pick<ViewState, 'definition' | 'options'>,
): Promise<void> {
  const each = options.map((option) => {
    const at = option.indexOf('=');
    return `${quoteIdent(option.slice(0, at))} = ${quoteLiteral(option.slice(at + 1))}`;
  });
  const given = each.length === 0 ? '' : ` WITH (${each.join(', ')})`;
  await withEmptyPath(client, () =>
    client.query(`CREATE OR REPLACE VIEW ${qualified(view)}${given} AS ${definition}`),
  );
}

/**
 * Locks the view until the transaction ends, so that no other session can change or read it. The
 * statement changes nothing, and does not lock the view's tables.
 */
export async function lockView(
  client: pg.ClientBase,
  view: TableName,
  { owner }: Pick<ViewState, 'owner'>,
): Promise<void> {
  await client.query(`ALTER VIEW ${qualified(view)} OWNER TO ${quoteIdent(owner)}`);
}

const OF_THE_VIEW = `pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid`;

/**
 * Returns the tables that the view's own query depends on, as `schema.name`. A name is quoted only
 * if the spec would have to quote it.
 */
export async function viewReads(client: pg.ClientBase, view: TableName): Promise<string[]> {
  return dependencies(client, view, `r.rulename = '_RETURN'`);
}

/**
 * Returns the tables on which the view's rules depend, except the rule for its query. Those rules
 * define what a write through the view does.
 */
export async function viewWrites(client: pg.ClientBase, view: TableName): Promise<string[]> {
  return dependencies(client, view, `r.rulename <> '_RETURN'`);
}

async function dependencies(
  client: pg.ClientBase,
  { schema, table }: TableName,
  rules: string,
): Promise<string[]> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT DISTINCT tn.nspname AS schema, t.relname AS name FROM ${OF_THE_VIEW} AND d.refclassid = 'pg_class'::regclass
     JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid JOIN pg_namespace tn ON tn.oid = t.relnamespace
     WHERE vn.nspname = $1 AND v.relname = $2 AND ${rules} ORDER BY 1, 2`,
    [schema, table],
  );
  return rows.map((row) => plainly({ schema: row['schema']!, table: row['name']! }));
}

const plainly = ({ schema, table }: TableName): string => {
  const part = (text: string): string =>
    /^[a-z_][a-z0-9_$]*$/.test(text) ? text : quoteIdent(text);
  return `${part(schema)}.${part(table)}`;
};

/**
 * Returns a name from the spec in the form that `viewReads` returns: quoted only where quotes are
 * needed.
 */
export const plainName = (text: string): string => plainly(parseTableName(text));

/** Returns the table's columns that the view's query reads by name, including system columns. */
export async function columnsRead(
  client: pg.ClientBase,
  view: TableName,
  table: TableName,
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT a.attname::text AS name FROM ${OF_THE_VIEW} AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid <> 0
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE vn.nspname = $1 AND v.relname = $2 AND r.rulename = '_RETURN' AND d.refobjid = to_regclass($3) ORDER BY 1`,
    [view.schema, view.table, qualified(table)],
  );
  return rows.map((row) => row.name);
}

/** Returns the table's keys on which the view's query depends, because it groups by them. */
export async function keysGroupedBy(
  client: pg.ClientBase,
  view: TableName,
  table: TableName,
): Promise<string[][]> {
  const { rows } = await client.query<{ key: string }>(
    `SELECT (SELECT jsonb_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))::text AS key
     FROM ${OF_THE_VIEW} AND d.refclassid = 'pg_constraint'::regclass JOIN pg_constraint k ON k.oid = d.refobjid
     WHERE vn.nspname = $1 AND v.relname = $2 AND k.conrelid = to_regclass($3)`,
    [view.schema, view.table, qualified(table)],
  );
  return rows.map((row) => JSON.parse(row.key) as string[]);
}

/**
 * Returns the columns of a relation in order, with their declared types. Returns an empty list if
 * there is no such relation.
 */
export async function columnTypes(
  client: pg.ClientBase,
  { schema, table }: TableName,
): Promise<ColumnType[]> {
  const { rows } = await withEmptyPath(client, () =>
    client.query<Record<string, string>>(
      `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN co.oid IS NULL THEN '' ELSE format('%I.%I', cn.nspname, co.collname) END AS collation, a.attnotnull::text AS required
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [schema, table],
    ),
  );
  return rows.map((row) => ({
    name: row['name']!,
    type: row['type']!,
    collation: row['collation']!,
    notNull: row['required'] === 'true',
  }));
}

/**
 * Returns whether the view reads the batch's or the stream's table now. Returns null if it reads
 * neither or both.
 */
export async function observedSide(
  client: pg.ClientBase,
  route: ViewPlan,
): Promise<'batch' | 'stream' | null> {
  const reads = await viewReads(client, route.view);
  const [batch, stream] = [route.batch, route.stream].map(({ text }) =>
    reads.includes(plainName(text)),
  );
  return batch === stream ? null : batch ? 'batch' : 'stream';
}
