// Builds the fence on the source tables from triggers that read the lease row. Therefore the fence
// expires by the database's clock, even if no worker is alive. The file docs/explanation/cutover.md
// explains why triggers are used instead of REVOKE, and why they read the row FOR SHARE.
import { SQLSTATE } from '../../domain/values/sqlstate.js';
import type pg from 'pg';
import { leaseTable } from './lease-row.js';
import { createTriggers, passIfPassed, passedKey, rememberPassed } from './trigger-sql.js';
import { quoteIdent, quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

const fenceFunction = ({ names }: ResolvedPlan): string =>
  `${quoteIdent(names.leaseSchema)}.refuse_write`;

/**
 * Creates the fence triggers. `createTriggers` explains the conditions for the caller, and what is
 * proven when the caller's transaction has committed.
 */
export async function createFenceTriggers(
  client: pg.ClientBase,
  plan: ResolvedPlan,
): Promise<void> {
  await client.query(refuseWriteSql(plan));
  await createTriggers(client, plan, 'fence', fenceFunction(plan));
}

/**
 * Builds the trigger's function. The function refuses writes if the lease row is gone, or if the
 * row is FENCED and has not expired. Otherwise writers pass. The function is SECURITY DEFINER, so
 * writers need no privilege on Sluice's schema.
 */
function refuseWriteSql(plan: ResolvedPlan): string {
  const name = plan.metadata.name;
  return `CREATE OR REPLACE FUNCTION ${fenceFunction(plan)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sluice$
DECLARE held record; passed text := ${passedKey(name)};
BEGIN
  ${passIfPassed}
  SELECT state, expires_at INTO held FROM ${leaseTable(plan)} WHERE migration = ${quoteLiteral(name)} FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'writes to % are refused: the lease row of migration % is gone', TG_RELID::regclass, ${quoteLiteral(name)} USING ERRCODE = '${SQLSTATE.readOnly}';
  END IF;
  IF held.state = 'FENCED' AND held.expires_at > clock_timestamp() THEN
    RAISE EXCEPTION 'writes to % are refused while migration % cuts over, until % at the latest', TG_RELID::regclass, ${quoteLiteral(name)}, held.expires_at
      USING ERRCODE = '${SQLSTATE.readOnly}', HINT = 'try again in a few seconds';
  END IF;
  ${rememberPassed}
END $sluice$`;
}

/**
 * Returns SQL that drops the function before the lease row's schema is removed. The triggers must
 * be dropped first, because Postgres refuses to drop a function that a trigger uses.
 */
export const dropFenceFunctionSql = (schema: string): string =>
  `DROP FUNCTION IF EXISTS ${quoteIdent(schema)}.refuse_write()`;
