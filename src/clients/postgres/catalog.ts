// Reads tables with their columns and keys from the catalog of a database. Also reads the sizes and
// files of tables, the columns of queries, and the session's snapshot. `readTable` resolves the
// table's name once, and then uses its oid, so that all of its queries are about the same table.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { parseTableName, quoteLiteral, type TableName } from '../../domain/migration/names.js';
import { stripSemicolon } from '../../domain/values/strip-semicolon.js';
import { describeSubquery } from './single-statement.js';
import { RESOLVED, TYPE_NAME } from './type-names.js';
import { partitionsOf } from './partitions.js';

export interface Column {
  readonly name: string;
  /**
   * The base type. Domains are resolved, enums are `enum`, composites are `composite`, arrays are
   * `type[]`, and arrays of a domain are `domain[]`. A type that belongs neither to Postgres nor to
   * an extension has its schema in its name.
   */
  readonly type: string;
  readonly notNull: boolean;
  readonly generated: boolean;
  /**
   * False if no publication can contain the column. Since Postgres 18, a publication can contain
   * generated columns that are stored.
   */
  readonly publishable: boolean;
  /**
   * The type with its modifier: `numeric(10,2)`, `character(8)`. The type of a domain is its base
   * type. Empty for a query's column.
   */
  readonly declared: string;
  /**
   * The column's collation if it is not deterministic, otherwise null. Such a collation holds
   * different texts equal, such as A and a.
   */
  readonly looseCollation: string | null;
}

/** A partition that holds rows of a partitioned table. */
export interface Leaf {
  /** The qualified and quoted name. */
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly replicaIdentity: ReplicaIdentity;
}

export type ReplicaIdentity = 'default' | 'nothing' | 'full' | 'index';

export interface TableCatalog {
  readonly name: TableName;
  readonly kind: string;
  readonly persistence: string;
  /** The partitions that hold rows, at every depth. Empty for an ordinary table. */
  readonly leaves: readonly Leaf[];
  /**
   * The tables that inherit from this table (INHERITS). A query of this table also reads their
   * rows. In the WAL, however, these rows belong to the inheriting tables.
   */
  readonly heirs: readonly string[];
  readonly columns: readonly Column[];
  /**
   * The primary key's columns in key order, without columns that the index only INCLUDEs. Empty if
   * there is no primary key.
   */
  readonly key: readonly string[];
  /**
   * True if Postgres may check the primary key at the end of a transaction (DEFERRABLE). Such a key
   * cannot be a replica identity.
   */
  readonly isKeyDeferrable: boolean;
  readonly replicaIdentity: ReplicaIdentity;
  /** True if values may be stored outside their rows, because the TOAST table is not empty. */
  readonly holdsFarValues: boolean;
  readonly rowSecurity: boolean;
  readonly rowsEstimate: number;
  readonly bytes: number;
  readonly owner: string;
  readonly isOwnerSuperuser: boolean;
  readonly isOwner: boolean;
  readonly canSelect: boolean;
}

const TABLE_SQL = `
SELECT c.oid, c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity, greatest(c.reltuples, 0)::bigint AS rows, pg_total_relation_size(c.oid) AS bytes,
  coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS far, pg_has_role(c.relowner, 'USAGE') AS is_owner, pg_get_userbyid(c.relowner) AS owner, (SELECT rolsuper FROM pg_roles WHERE oid = c.relowner) AS owner_super, has_table_privilege(c.oid, 'SELECT') AS can_select
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;

const LEAVES_SQL = `
SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind, c.relpersistence, c.relreplident, greatest(c.reltuples, 0)::bigint AS rows,
  pg_total_relation_size(c.oid) AS bytes, coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS far
FROM ${partitionsOf('$1::oid')} t JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'p' ORDER BY 1`;

const HEIRS_SQL = `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1 ORDER BY 1`;

/** The first version of Postgres with the option `publish_generated_columns`. */
export const PUBLISHES_GENERATED = 180_000;

const COLUMNS_SQL = `
SELECT a.attname, a.attnotnull, a.attgenerated <> '' AS generated, ${TYPE_NAME} AS type,
  a.attgenerated = '' OR a.attgenerated = 's' AND current_setting('server_version_num')::int >= ${PUBLISHES_GENERATED} AS publishable,
  CASE t.typtype WHEN 'd' THEN format_type(b.oid, base.typmod) ELSE format_type(a.atttypid, a.atttypmod) END AS declared,
  (SELECT collname FROM pg_collation WHERE oid = a.attcollation AND NOT collisdeterministic) AS loose
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid ${RESOLVED}
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const KEY_SQL = `
SELECT a.attname, NOT i.indimmediate AS deferrable FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, at)
JOIN pg_attribute a ON a.attnum = k.attnum
WHERE i.indrelid = $1 AND i.indisprimary AND i.indisvalid AND k.at <= i.indnkeyatts AND a.attrelid = $1 ORDER BY k.at`;

const REPLICA_IDENTITY = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;

/** Reads a table from the catalog. Returns null if there is no such relation. */
export async function readTable(client: pg.ClientBase, text: string): Promise<TableCatalog | null> {
  const name = parseTableName(text);
  const found = (await client.query<Record<string, string>>(TABLE_SQL, [name.schema, name.table]))
    .rows[0];
  if (!found) return null;
  const oid = found['oid'];
  const columns = (await client.query<Record<string, string | null>>(COLUMNS_SQL, [oid])).rows.map(
    columnOf,
  );
  const key = (await client.query<Record<string, string>>(KEY_SQL, [oid])).rows;
  const isPartitioned = found['relkind'] === 'p';
  const parts = (
    await client.query<Record<string, string>>(isPartitioned ? LEAVES_SQL : HEIRS_SQL, [oid])
  ).rows;
  const total = (column: 'rows' | 'bytes' | 'far'): number =>
    (isPartitioned ? parts : [found]).reduce((sum, part) => sum + Number(part[column]), 0);
  return {
    name,
    kind: found['relkind']!,
    persistence: found['relpersistence']!,
    leaves: isPartitioned ? parts.map(leafOf) : [],
    heirs: isPartitioned ? [] : parts.map((part) => part['name']!),
    columns,
    key: key.map((k) => k['attname']!),
    isKeyDeferrable: key.some((k) => k['deferrable'] === 't'),
    replicaIdentity: identityOf(found),
    holdsFarValues: total('far') > 0,
    rowSecurity: found['relrowsecurity'] === 't',
    rowsEstimate: total('rows'),
    bytes: total('bytes'),
    owner: found['owner']!,
    isOwnerSuperuser: found['owner_super'] === 't',
    isOwner: found['is_owner'] === 't',
    canSelect: found['can_select'] === 't',
  };
}

const columnOf = (row: Record<string, string | null>): Column => ({
  name: row['attname']!,
  type: row['type']!,
  notNull: row['attnotnull'] === 't',
  generated: row['generated'] === 't',
  publishable: row['publishable'] === 't',
  declared: row['declared']!,
  looseCollation: row['loose'] ?? null,
});

const identityOf = (row: Record<string, string>): ReplicaIdentity =>
  REPLICA_IDENTITY[row['relreplident'] as keyof typeof REPLICA_IDENTITY];

function leafOf(row: Record<string, string>): Leaf {
  return {
    name: row['name']!,
    kind: row['relkind']!,
    persistence: row['relpersistence']!,
    replicaIdentity: identityOf(row),
  };
}

/**
 * Reads a table that has a primary key. Throws Problem `preflight-failed` if the table or its key
 * disappeared after preflight.
 */
export async function readKeyedTable(client: pg.ClientBase, text: string): Promise<TableCatalog> {
  const catalog = await readTable(client, text);
  if (!catalog || catalog.key.length === 0)
    throw new Problem('preflight-failed', `table ${text} or its primary key is gone`);
  return catalog;
}

/**
 * Returns the number of blocks of a table, whose name `table` is quoted. For a partitioned table,
 * returns the blocks of its largest partition, because each partition has its own block numbers.
 */
export async function blocksOf(client: pg.ClientBase, table: string): Promise<number> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT greatest(pg_relation_size($1::regclass), (SELECT max(pg_relation_size(relid)) FROM ${partitionsOf('$1::regclass')} t)) / current_setting('block_size')::int AS n`,
    [table],
  );
  return Number(rows[0]!['n']);
}

/**
 * Returns the files that hold the rows of a table and its partitions. The files change when the
 * table is rewritten or truncated, and when its partitions change. The function pg_partition_tree
 * also sees a partition that was attached after the session's snapshot, as the planner does. It
 * locks the partitions. Within a transaction, the caller MUST therefore lock the table first.
 * Otherwise, a deadlock with DETACH PARTITION is possible.
 */
export async function storageOf(client: pg.ClientBase, table: string): Promise<string> {
  const { rows } = await client.query<{ files: string }>(
    `SELECT concat_ws(',', pg_relation_filenode($1::regclass), (SELECT string_agg(coalesce(pg_relation_filenode(relid), 0)::text, ',' ORDER BY relid) FROM pg_partition_tree($1::regclass))) AS files`,
    [table],
  );
  return rows[0]!.files;
}

/**
 * Returns a text that identifies the snapshot of the session's transaction. Sessions that share a
 * snapshot get the same text. The text is a digest, because a snapshot can list thousands of
 * transactions.
 */
export async function snapshotOf(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ digest: string }>(
    `SELECT encode(sha256(pg_current_snapshot()::text::bytea), 'hex') AS digest`,
  );
  return rows[0]!.digest;
}

/** Returns the names and types of the columns of one SELECT in a spec. The query is not run. */
export async function describeQuery(client: pg.ClientBase, sql: string): Promise<Column[]> {
  const fields = await describeSubquery(client, stripSemicolon(sql));
  const oids = [...new Set(fields.map((f) => f.dataTypeID))];
  const types = await client.query<Record<string, string>>(
    `SELECT t.oid, ${TYPE_NAME} AS type FROM pg_type t ${RESOLVED} WHERE t.oid = ANY (${quoteLiteral(`{${oids.join(',')}}`)}::oid[])`,
  );
  const nameOf = new Map(types.rows.map((row) => [Number(row['oid']), row['type']!]));
  return fields.map((f) => ({
    name: f.name,
    type: nameOf.get(f.dataTypeID) ?? 'unknown',
    notNull: false,
    generated: false,
    publishable: true,
    declared: '',
    looseCollation: null,
  }));
}
