// Runs SQL on a shared table. The batch writes to the table before the commit, and the stream
// afterwards. A trigger checks each writer against the lease row. The commit and the rollback
// change the table's rows.
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { readTable } from './catalog.js';
import { readInto } from './single-statement.js';
import { leaseTable } from './lease-row.js';
import { shapeProblem } from './shared-table-shape.js';
import {
  equality,
  followerProblem,
  refuseLostRows,
  triggerProblem,
  type RowsChanged,
} from './shared-table-rows.js';
import { createTriggers, passIfPassed, passedKey, rememberPassed } from './trigger-sql.js';
import {
  parseTableName,
  qualified,
  quoteIdent,
  quoteLiteral,
  type Relation,
} from '../../domain/migration/names.js';
import { tableOwner } from '../../domain/routes/table-owner.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { SharedTablePlan } from '../../domain/routes/route.js';
import type { BatchSpec } from '../../domain/migration/spec.js';
import { because, ok, type OrReason } from '../../domain/values/or-reason.js';
import { stripSemicolon } from '../../domain/values/strip-semicolon.js';

const quoted = (table: string): string => qualified(parseTableName(table));

/**
 * Creates the owner triggers, which refuse the writes of the batch or of the stream.
 * `createTriggers` explains the conditions for the caller.
 */
export async function createOwnerTriggers(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  { streamRole }: SharedTablePlan,
  iteration: number,
): Promise<void> {
  await client.query(keepOwnerSql(plan, streamRole, iteration));
  await createTriggers(client, plan, 'owner', `${quoteIdent(plan.names.leaseSchema)}.keep_owner`);
}

/**
 * Makes the owner trigger accept the current transaction. `token` is the token of the lease row.
 * Only roles that may read this row know it.
 */
export async function passTrigger(client: pg.ClientBase, token: string): Promise<void> {
  await client.query(`SELECT set_config('sluice.token', $1, true)`, [token]);
}

/**
 * Builds the trigger function. Without a lease row, the trigger refuses every write. Otherwise, a
 * transaction that knows the lease's token passes in every state. While the lease is FENCED and not
 * expired, the trigger refuses all other writes. While the lease is SWITCHED, only the stream's
 * role may write. If its session names an iteration and an epoch, they must be those of the switch.
 * In every other state, all roles except the stream's role may write. SECURITY DEFINER hides
 * current_user. The function therefore uses the role that was set with SET ROLE, or else the login
 * role.
 */
function keepOwnerSql(plan: ResolvedPlan, streamRole: string, iteration: number): string {
  const [name, stream] = [quoteLiteral(plan.metadata.name), quoteLiteral(streamRole)];
  return `CREATE OR REPLACE FUNCTION ${quoteIdent(plan.names.leaseSchema)}.keep_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sluice$
DECLARE held record; writer text := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
  passed text := ${passedKey(plan.metadata.name)} || ' ' || writer || ' ' || coalesce(current_setting('sluice.owner', true), '');
BEGIN
  ${passIfPassed}
  SELECT state, token, epoch, expires_at INTO held FROM ${leaseTable(plan)} WHERE migration = ${name} FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'writes to % are refused: the lease row of migration % is gone', TG_RELID::regclass, ${name} USING ERRCODE = '${SQLSTATE.readOnly}';
  END IF;
  IF held.token = current_setting('sluice.token', true) THEN ${rememberPassed} END IF;
  IF held.state = 'FENCED' AND held.expires_at > clock_timestamp() THEN
    RAISE EXCEPTION 'writes to % are refused while migration % cuts over, until % at the latest', TG_RELID::regclass, ${name}, held.expires_at
      USING ERRCODE = '${SQLSTATE.readOnly}', HINT = 'try again in a few seconds';
  END IF;
  IF held.state = 'SWITCHED' THEN
    IF writer = ${stream} AND coalesce(nullif(current_setting('sluice.owner', true), ''), '${iteration}.' || held.epoch) = '${iteration}.' || held.epoch THEN ${rememberPassed} END IF;
    RAISE EXCEPTION 'writes of % to % are refused, because migration % has cut over and its sink writes to the table as %', writer, TG_RELID::regclass, ${name}, ${stream}
      USING ERRCODE = '${SQLSTATE.readOnly}', HINT = 'the stream computes what the batch would write; sluice rollback returns the table to the batch';
  END IF;
  IF writer = ${stream} THEN
    RAISE EXCEPTION 'writes of % to % are refused, because only the batch may write to it until migration % cuts over', writer, TG_RELID::regclass, ${name} USING ERRCODE = '${SQLSTATE.readOnly}';
  END IF;
  ${rememberPassed}
END $sluice$`;
}

/**
 * Gives the shared table the stream's rows, which the sink has written to the staging table. Runs
 * in the commit's transaction, after `passTrigger`. Moves to `kept` the rows that the stream lacks,
 * and drops the staging table. A sink that still writes to it then fails, and later writes the same
 * records to the shared table. Returns a reason if the table would not have exactly the stream's
 * rows, or if a foreign key would make rows of a different table change. The caller MUST then roll
 * back.
 */
export async function takeOver(
  client: pg.ClientBase,
  batch: BatchSpec,
  route: SharedTablePlan,
): Promise<OrReason<RowsChanged>> {
  const { table, staging, kept } = route;
  await client.query(
    `LOCK TABLE ${staging.sql} IN ACCESS EXCLUSIVE MODE; LOCK TABLE ${table.sql} IN SHARE ROW EXCLUSIVE MODE`,
  );
  const unfit = await shapeProblem(client, table, batch.result.key);
  if (unfit !== null) return because(`${table.text}: ${unfit.detail}`);
  await client.query(`CREATE TABLE ${kept.sql} (LIKE ${table.sql})`);
  const changed = await makeEqual(client, batch.result.key, table, staging.text, kept);
  const problem =
    (await followerProblem(client, route, batch.result.key, staging.sql, changed)) ??
    (await triggerProblem(client, batch.result.key, table, staging));
  if (problem !== null) return because(problem);
  await client.query(`DROP TABLE ${staging.sql}`);
  return ok(changed);
}

/**
 * Gives the shared table the batch's rows again. Runs in the rollback's transaction, after
 * `passTrigger`. The batch's rows are the rows that its query returns now, plus the kept rows whose
 * keys the query does not return. Throws Problem `route-unexpected` if the table does not take a
 * kept row or cannot hold exactly the batch's rows. Also throws it if a foreign key would make
 * rows of a different table change.
 */
export async function giveBack(
  client: pg.ClientBase,
  { spec }: ResolvedPlan,
  route: SharedTablePlan,
): Promise<RowsChanged> {
  const { table, kept } = route;
  const [target, batch] = [table.sql, spec.batch!];
  await client.query(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`);
  const unfit = await shapeProblem(client, table, batch.result.key);
  if (unfit !== null)
    throw new Problem(
      'route-unexpected',
      `${table.text}: ${unfit.detail}`,
      `${unfit.remedy}; then: sluice retry`,
    );
  await readInto(client, 'sluice_back', stripSemicolon(batch.query.sql));
  const source = 'pg_temp.sluice_back';
  const changed = await makeEqual(client, batch.result.key, table, source, null);
  // After the commit, a person may have added a foreign key that changes a different table.
  const problem = await followerProblem(client, route, batch.result.key, source, changed);
  if (problem !== null)
    throw new Problem(
      'route-unexpected',
      problem,
      'change the foreign key to ON DELETE NO ACTION and ON UPDATE NO ACTION, then: sluice retry',
    );
  const columns = ((await readTable(client, table.text))?.columns ?? [])
    .filter((c) => !c.generated)
    .map((c) => quoteIdent(c.name));
  const key = batch.result.key.map(quoteIdent).join(', ');
  const returned = await client.query(
    `INSERT INTO ${target} (${columns.join(', ')}) OVERRIDING SYSTEM VALUE SELECT ${columns.join(', ')} FROM ${kept.sql} ON CONFLICT (${key}) DO NOTHING`,
  );
  await refuseLostRows(client, batch.result.key, table, kept);
  return { written: changed.written + (returned.rowCount ?? 0), removed: changed.removed };
}

/**
 * Changes exactly those rows of the shared table that differ from `source`. Moves to `kept` the
 * rows that `source` lacks, or deletes these rows if `kept` is null.
 */
async function makeEqual(
  client: pg.ClientBase,
  key: readonly string[],
  table: Relation,
  source: string,
  kept: Relation | null,
): Promise<RowsChanged> {
  const target = table.sql;
  const { fields } = await client.query(`SELECT * FROM ${quoted(source)} LIMIT 0`);
  const columns = fields.map((field) => field.name);
  const list = columns.map(quoteIdent).join(', ');
  const { values, sameKey, same } = equality(columns, key);
  const differs = values
    .map((name) => `t.${name}::text IS DISTINCT FROM excluded.${name}::text`)
    .join(' OR ');
  const gone = `DELETE FROM ${target} t WHERE NOT EXISTS (SELECT FROM ${quoted(source)} s WHERE ${sameKey})`;
  const removed = await client.query(
    kept ? `WITH gone AS (${gone} RETURNING t.*) INSERT INTO ${kept.sql} SELECT * FROM gone` : gone,
  );
  const update =
    values.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${values.map((name) => `${name} = excluded.${name}`).join(', ')} WHERE ${differs}`;
  const written = await client.query(
    `INSERT INTO ${target} AS t (${list}) SELECT ${list} FROM ${quoted(source)} s WHERE NOT EXISTS (SELECT FROM ${target} t WHERE ${same})
       ON CONFLICT (${key.map(quoteIdent).join(', ')}) DO ${update}`,
  );
  return { written: written.rowCount ?? 0, removed: removed.rowCount ?? 0 };
}

/**
 * Finds out which side may write to the table now. Tries a write that changes no row, once as the
 * sink and once as Sluice's role, which the trigger treats like the batch. Returns null if both
 * writes pass, or if both fail.
 */
export async function observedOwner(
  client: pg.Client,
  route: SharedTablePlan,
  iteration: number,
  epoch: number,
): Promise<'batch' | 'stream' | null> {
  const { role, since } = tableOwner(route.streamRole, iteration, epoch);
  const stream = await mayWrite(client, route.table, [
    `SELECT set_config('sluice.owner', ${quoteLiteral(since)}, true)`,
    `SET LOCAL ROLE ${quoteIdent(role)}`,
  ]);
  const batch = await mayWrite(client, route.table, []);
  return stream === batch ? null : stream ? 'stream' : 'batch';
}

async function mayWrite(
  client: pg.Client,
  table: Relation,
  as: readonly string[],
): Promise<boolean> {
  await client.query('BEGIN');
  try {
    for (const statement of as) await client.query(statement);
    await client.query(`DELETE FROM ${table.sql} WHERE false`);
    return true;
  } catch (error) {
    if (hasState(error, SQLSTATE.readOnly)) return false;
    throw error;
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Returns SQL that drops the function and the kept rows before the lease row's schema is removed.
 * The triggers must be dropped first, because Postgres refuses to drop a function that a trigger
 * uses.
 */
export const dropSharedTableSql = (schema: string): string =>
  `DROP FUNCTION IF EXISTS ${quoteIdent(schema)}.keep_owner(); DROP TABLE IF EXISTS ${quoteIdent(schema)}.kept`;
