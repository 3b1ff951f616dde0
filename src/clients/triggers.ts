// Statement triggers of ours on tables of others, partitions included: a write that names a partition fires the triggers of that partition only.
import type pg from 'pg';
import { parseTableName, qualified, quoteIdent } from '../domain/names.js';
import { thoseThatStay } from './open-writers.js';
import { guardedTables, guards, triggerName, type TriggerRole } from '../domain/triggers.js';
import type { MigrationSpec } from '../domain/spec.js';

/** Shorter than Postgres' deadlock_timeout (1 s): when two lock orders cross, it is we who give up, never the application that is ended. */
const TRIGGER_LOCK_MS = 700;

/**
 * Creates them on every table of the role, to call `fn` (quoted). The caller MUST be in the transaction that sets the lease to FENCED, and MUST NOT hold
 * the lease row yet: a writer holds its table and then asks for the row, so tables come first. CREATE TRIGGER waits for every open writer: its commit is
 * the proof that none is left.
 */
export async function createTriggers(client: pg.ClientBase, spec: MigrationSpec, role: TriggerRole, fn: string): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${TRIGGER_LOCK_MS}`);
  const trigger = quoteIdent(triggerName(spec, role));
  for (const table of await partsOf(client, [...guardedTables(spec, role)].sort())) {
    await client.query(
      `CREATE OR REPLACE TRIGGER ${trigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${fn}()`,
    );
    await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger}`); // replicated and session_replication_role writers too
  }
}

/** The tables and all their partitions, quoted. */
export async function partsOf(client: pg.ClientBase, tables: readonly string[]): Promise<string[]> {
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

/** Tables and partitions without a trigger that they should have: made after the fence, or somebody took it away. They take writes that nobody has seen. */
export async function unguardedParts(client: pg.ClientBase, spec: MigrationSpec): Promise<string[]> {
  const open: string[] = [];
  for (const { role, table } of guards(spec)) {
    const { rows } = await client.query<{ part: string }>(
      `SELECT part FROM unnest($1::text[]) AS part WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = part::regclass AND tgname = $2 AND tgenabled = 'A')`,
      [await partsOf(client, [table]), triggerName(spec, role)],
    );
    open.push(...rows.map((row) => row.part));
  }
  return open;
}

export async function triggerExists(client: pg.ClientBase, spec: MigrationSpec, role: TriggerRole, table: string): Promise<boolean> {
  return (await carriers(client, spec, role, table)).length > 0;
}

/** The table's application waits behind us for at most TRIGGER_LOCK_MS. */
export async function dropTrigger(client: pg.ClientBase, spec: MigrationSpec, role: TriggerRole, table: string): Promise<void> {
  await client.query(`SET lock_timeout = ${TRIGGER_LOCK_MS}`);
  for (const part of await carriers(client, spec, role, table)) await client.query(`DROP TRIGGER IF EXISTS ${quoteIdent(triggerName(spec, role))} ON ${part}`);
}

/** What carries this table's trigger: the table, its partitions, and what has meanwhile been detached from any table of the role. */
async function carriers(client: pg.ClientBase, spec: MigrationSpec, role: TriggerRole, table: string): Promise<string[]> {
  const { rows } = await client.query<{ part: string }>(
    `SELECT tgrelid::regclass::text AS part FROM pg_trigger WHERE tgname = $1
       AND (tgrelid = to_regclass($2) OR tgrelid IN (SELECT relid FROM pg_partition_tree(to_regclass($2)))
         OR NOT tgrelid IN (SELECT o FROM unnest($3::text[]) AS t, to_regclass(t) AS o WHERE o IS NOT NULL
              UNION ALL SELECT relid FROM unnest($3::text[]) AS t, pg_partition_tree(to_regclass(t))))`,
    [triggerName(spec, role), qualified(parseTableName(table)), guardedTables(spec, role).map((text) => qualified(parseTableName(text)))],
  );
  return rows.map((row) => row.part);
}

/**
 * How many transactions, prepared ones too, began before `moment` (SQL) and hold a writer's lock on one of the tables or partitions. Those whose beginning
 * our role may not see count as `unseen`, unless they are gone within three seconds: what the fence refuses gives its lock back at once.
 */
export async function writersSince(client: pg.ClientBase, tables: readonly string[], moment: string): Promise<{ old: number; unseen: number }> {
  const parts = await partsOf(client, tables);
  const holders = async (): Promise<{ id: string; when: string }[]> =>
    (
      await client.query<{ id: string; when: string }>(
        `SELECT DISTINCT l.virtualtransaction AS id, CASE WHEN l.pid IS NULL OR a.xact_start < ${moment} THEN 'before' WHEN a.xact_start IS NULL THEN 'hidden' ELSE 'after' END AS when
           FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
          WHERE l.relation = ANY ($1::regclass[]) AND l.granted AND l.mode = 'RowExclusiveLock'`,
        [parts],
      )
    ).rows;
  const found = await holders();
  const hidden = found.filter(({ when }) => when === 'hidden');
  const { left } = await thoseThatStay(hidden, async () => (await holders()).map(({ id }) => id));
  return { old: found.filter(({ when }) => when === 'before').length, unseen: left.length };
}
