// The fence on the source tables: statement triggers that ask the lease row, so that it opens by the database's clock with no worker alive.
// See docs/explanation/cutover.md for why a trigger and not REVOKE, and why the row is read FOR SHARE.
import type pg from 'pg';
import { leaseTable } from './lease.js';
import { namesOf, parseTableName, qualified, quoteIdent, quoteLiteral } from '../domain/names.js';
import type { MigrationSpec } from '../domain/spec.js';

/** Shorter than Postgres' deadlock_timeout (1 s): when two lock orders cross, it is we who give up, never the application that is ended. */
const FENCE_LOCK_MS = 700;

const fenceTrigger = (spec: MigrationSpec): string => `${namesOf(spec, 1).leaseSchema}_fence`;

const fenceFunction = (spec: MigrationSpec): string => `${quoteIdent(namesOf(spec, 1).leaseSchema)}.refuse_write`;

/**
 * Creates the triggers; the caller MUST be in the transaction that sets the lease to FENCED, and MUST NOT hold the lease row yet: a writer holds its table
 * and then asks for the row, so tables come first. CREATE TRIGGER waits for every open writer: its commit is the proof that none is left.
 */
export async function createFenceTriggers(client: pg.ClientBase, spec: MigrationSpec): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${FENCE_LOCK_MS}`);
  await client.query(refuseWriteSql(spec));
  for (const table of await partsOf(client, [...spec.spec.source.tables].sort())) {
    const trigger = quoteIdent(fenceTrigger(spec));
    await client.query(
      `CREATE OR REPLACE TRIGGER ${trigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${fenceFunction(spec)}()`,
    );
    await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger}`); // replicated and session_replication_role writers too
  }
}

/** Fails closed where the row is gone; lets writers pass unless it says FENCED and not expired. SECURITY DEFINER: writers need no right on our schema. */
function refuseWriteSql(spec: MigrationSpec): string {
  const name = spec.metadata.name;
  return `CREATE OR REPLACE FUNCTION ${fenceFunction(spec)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sluice$
DECLARE held record;
BEGIN
  SELECT state, expires_at INTO held FROM ${leaseTable(spec)} WHERE migration = ${quoteLiteral(name)} FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'writes to % are refused: the lease row of migration % is gone', TG_RELID::regclass, ${quoteLiteral(name)} USING ERRCODE = '25006';
  END IF;
  IF held.state = 'FENCED' AND held.expires_at > clock_timestamp() THEN
    RAISE EXCEPTION 'writes to % are held while migration % cuts over, until % at the latest', TG_RELID::regclass, ${quoteLiteral(name)}, held.expires_at
      USING ERRCODE = '25006', HINT = 'try again in a few seconds';
  END IF;
  RETURN NULL;
END $sluice$`;
}

/** The tables and all their partitions, quoted: a write that names a partition fires the triggers of that partition only. */
async function partsOf(client: pg.ClientBase, tables: readonly string[]): Promise<string[]> {
  const parts: string[] = [];
  for (const table of tables.map((text) => qualified(parseTableName(text)))) {
    const { rows } = await client.query<{ part: string }>(
      `SELECT relid::regclass::text AS part FROM pg_partition_tree($1::regclass) WHERE relid <> $1::regclass`,
      [table],
    );
    parts.push(table, ...rows.map((row) => row.part));
  }
  return parts;
}

/** Partitions that were made after the fence: they take writes that the final window has not seen. */
export async function unfencedParts(client: pg.ClientBase, spec: MigrationSpec): Promise<string[]> {
  const { rows } = await client.query<{ part: string }>(
    `SELECT part FROM unnest($1::text[]) AS part WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = part::regclass AND tgname = $2 AND tgenabled = 'A')`,
    [await partsOf(client, spec.spec.source.tables), fenceTrigger(spec)],
  );
  return rows.map((row) => row.part);
}

export async function fenceTriggerExists(client: pg.ClientBase, spec: MigrationSpec, table: string): Promise<boolean> {
  return (await carriers(client, spec, table)).length > 0;
}

/** The table's application waits behind us for at most FENCE_LOCK_MS. */
export async function dropFenceTrigger(client: pg.ClientBase, spec: MigrationSpec, table: string): Promise<void> {
  await client.query(`SET lock_timeout = ${FENCE_LOCK_MS}`);
  for (const part of await carriers(client, spec, table)) await client.query(`DROP TRIGGER IF EXISTS ${quoteIdent(fenceTrigger(spec))} ON ${part}`);
}

/** What carries this table's trigger: the table, its partitions, and what has meanwhile been detached from any table of the spec. */
async function carriers(client: pg.ClientBase, spec: MigrationSpec, table: string): Promise<string[]> {
  const { rows } = await client.query<{ part: string }>(
    `SELECT tgrelid::regclass::text AS part FROM pg_trigger WHERE tgname = $1
       AND (tgrelid = to_regclass($2) OR tgrelid IN (SELECT relid FROM pg_partition_tree(to_regclass($2)))
         OR NOT tgrelid IN (SELECT o FROM unnest($3::text[]) AS t, to_regclass(t) AS o WHERE o IS NOT NULL
              UNION ALL SELECT relid FROM unnest($3::text[]) AS t, pg_partition_tree(to_regclass(t))))`,
    [fenceTrigger(spec), qualified(parseTableName(table)), spec.spec.source.tables.map((text) => qualified(parseTableName(text)))],
  );
  return rows.map((row) => row.part);
}

/** Part of the lease's removal: refused by Postgres while any trigger still uses the function. */
export const dropFenceFunctionSql = (schema: string): string => `DROP FUNCTION IF EXISTS ${quoteIdent(schema)}.refuse_write()`;
