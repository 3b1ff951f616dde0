// Creates, checks and drops Sluice's triggers on tables that Sluice does not own, and on the
// partitions of these tables. Also counts the transactions that may have written to such tables.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { quoteIdent, quoteLiteral, relation, type Relation } from '../../domain/migration/names.js';
import { thoseThatStay } from './open-writers.js';
import {
  rowTriggerName,
  triggerName,
  type TriggerRole,
} from '../../domain/migration/trigger-names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { partitionsOf } from './partitions.js';

/**
 * The maximum wait for a lock. It is shorter than Postgres' deadlock_timeout, which is 1 s by
 * default. If Sluice and the application wait for each other's locks, Sluice gives up before
 * Postgres ends the application's transaction.
 */
const TRIGGER_LOCK_MS = 700;

/**
 * Creates the triggers of one kind (`fence` or `owner`) on all tables that need this kind. The
 * triggers call `fn` (quoted). Throws Problem `object-not-ours` if a trigger of that name calls a
 * different function.
 *
 * The caller MUST be in the transaction that sets the lease to FENCED. The caller MUST NOT have
 * locked the lease row yet: a writer locks its table before it reads the lease row, so a deadlock
 * would be possible. CREATE TRIGGER waits for every open writer of its table. When the
 * transaction has committed, every writer that began before the triggers existed has therefore
 * ended.
 *
 * Every partition gets a statement trigger, because a write that names a partition fires only that
 * partition's statement trigger. Row triggers are needed for two other cases. The apply worker of a
 * subscription fires only row triggers. A partition that is attached later inherits only row
 * triggers.
 */
export async function createTriggers(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
  fn: string,
): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${TRIGGER_LOCK_MS}`);
  const tables = guardedBy(plan, role)
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ sql }) => sql);
  await refuseForeign(client, plan, role, tables);
  const [statement, row] = namesOfTriggers(plan, role).map(quoteIdent) as [string, string];
  for (const table of tables) {
    const parts = await partsOf(client, [table]);
    for (const part of parts) {
      // With ALWAYS, the trigger also fires for replicated writes and with
      // session_replication_role = replica.
      await client.query(
        `CREATE OR REPLACE TRIGGER ${statement} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${part} FOR EACH STATEMENT EXECUTE FUNCTION ${fn}();
         ALTER TABLE ${part} ENABLE ALWAYS TRIGGER ${statement}`,
      );
    }
    // Partitions inherit the row trigger from their parent.
    await client.query(
      `CREATE OR REPLACE TRIGGER ${row} BEFORE INSERT OR UPDATE OR DELETE ON ${parts[0]!} FOR EACH ROW EXECUTE FUNCTION ${fn}()`,
    );
    for (const part of parts)
      await client.query(`ALTER TABLE ${part} ENABLE ALWAYS TRIGGER ${row}`);
  }
}

/**
 * The following constants are parts of the PL/pgSQL functions that the triggers call. The functions
 * check the lease row for every statement, and for the first row that a transaction writes. A check
 * locks the lease row, so the lease cannot become FENCED before the writer's transaction ends.
 */
export const passedKey = (migration: string): string =>
  `${quoteLiteral(`${migration} `)} || txid_current()`;
const RETURN_ROW = `IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;`;
export const passIfPassed = `IF TG_LEVEL = 'ROW' AND current_setting('sluice.passed', true) = passed THEN ${RETURN_ROW} END IF;`;
export const rememberPassed = `IF TG_LEVEL = 'STATEMENT' THEN RETURN NULL; END IF; PERFORM set_config('sluice.passed', passed, true); ${RETURN_ROW}`;

async function refuseForeign(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
  tables: readonly string[],
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%s on %s', tgname, tgrelid::regclass) AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
      WHERE tgname = ANY ($1) AND tgrelid = ANY ($2::regclass[]) AND p.pronamespace <> to_regnamespace($3)`,
    [
      namesOfTriggers(plan, role),
      await partsOf(client, tables),
      quoteIdent(plan.names.leaseSchema),
    ],
  );
  if (rows.length > 0)
    throw new Problem(
      'object-not-ours',
      `Sluice did not create trigger ${rows.map(({ name }) => name).join(', ')}`,
    );
}

const namesOfTriggers = ({ names }: ResolvedPlan, role: TriggerRole): [string, string] => [
  triggerName(names, role),
  rowTriggerName(names, role),
];

const guardedBy = ({ fence }: ResolvedPlan, role: TriggerRole): Relation[] =>
  fence.guards.filter((guard) => guard.role === role).map(({ table }) => table);

/** Returns the tables (quoted) and all their partitions, quoted. */
export async function partsOf(client: pg.ClientBase, tables: readonly string[]): Promise<string[]> {
  const parts: string[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ part: string }>(
      `SELECT relid::regclass::text AS part FROM ${partitionsOf('$1::regclass')} t`,
      [table],
    );
    parts.push(table, ...rows.map((row) => row.part));
  }
  return parts;
}

/**
 * Returns the tables and partitions that lack one of Sluice's triggers. They may therefore accept
 * writes under the fence. Such a table was created or attached after the fence began, or its
 * trigger was dropped or disabled.
 */
export async function unguardedParts(client: pg.ClientBase, plan: ResolvedPlan): Promise<string[]> {
  const open: string[] = [];
  for (const { role, table } of plan.fence.guards) {
    const { rows } = await client.query<{ part: string }>(
      `SELECT part FROM unnest($1::text[]) AS part WHERE (SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
         WHERE tgrelid = part::regclass AND tgname = ANY ($2) AND tgenabled = 'A' AND p.pronamespace = to_regnamespace($3)) < cardinality($2)`,
      [
        await partsOf(client, [table.sql]),
        namesOfTriggers(plan, role),
        quoteIdent(plan.names.leaseSchema),
      ],
    );
    open.push(...rows.map((row) => row.part));
  }
  return open;
}

export async function triggerExists(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
  table: string,
): Promise<boolean> {
  return (await carriers(client, plan, role, table)).length > 0;
}

/** Drops the triggers of a table. Writers wait for each DROP for at most TRIGGER_LOCK_MS. */
export async function dropTrigger(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
  table: string,
): Promise<void> {
  await client.query(`SET lock_timeout = ${TRIGGER_LOCK_MS}`);
  for (const { name, part } of await carriers(client, plan, role, table))
    await client.query(`DROP TRIGGER IF EXISTS ${quoteIdent(name)} ON ${part}`);
}

/**
 * Returns the relations that have this table's triggers. These are the table, its partitions, and
 * partitions that were detached after the triggers were created. Omits triggers that a partition
 * inherits, because they are dropped with the parent's triggers. Only triggers that call Sluice's
 * functions count.
 */
async function carriers(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
  table: string,
): Promise<{ name: string; part: string }[]> {
  const { rows } = await client.query<{ name: string; part: string }>(
    `SELECT tgname AS name, tgrelid::regclass::text AS part FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
      WHERE tgname = ANY ($1) AND tgparentid = 0 AND p.pronamespace = to_regnamespace($4)
       AND (tgrelid = to_regclass($2) OR tgrelid IN ${partitionsOf('to_regclass($2)')}
         OR NOT tgrelid IN (SELECT o FROM unnest($3::text[]) AS t, to_regclass(t) AS o WHERE o IS NOT NULL
              UNION ALL SELECT relid FROM unnest($3::text[]) AS t, LATERAL ${partitionsOf('to_regclass(t)')} AS p))`,
    [
      namesOfTriggers(plan, role),
      relation(table).sql,
      guardedBy(plan, role).map(({ sql }) => sql),
      quoteIdent(plan.names.leaseSchema),
    ],
  );
  return rows;
}

/**
 * Counts the transactions that hold a writer's lock on one of the tables. A transaction counts as
 * `old` if it began before `moment` (SQL), or if it is prepared. A transaction of unknown age
 * counts as `unseen` if it still holds its lock after three seconds. A write that the fence refuses
 * releases its lock sooner.
 */
export async function writersSince(
  client: pg.ClientBase,
  tables: readonly string[],
  moment: string,
): Promise<{ old: number; unseen: number }> {
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
