// Implements the route `postgres-table`: batch and stream write to the same table. The commit and
// the rollback change which of them may write to it.
import { codeOf } from '../../../domain/values/sqlstate.js';
import type pg from 'pg';
import { isOverdue } from '../../../clients/postgres/held-transaction.js';
import { withTarget } from '../../../clients/postgres/target-connection.js';
import {
  createOwnerTriggers,
  giveBack,
  observedOwner,
  passTrigger,
  takeOver,
} from '../../../clients/postgres/shared-table-sql.js';
import type { RowsChanged } from '../../../clients/postgres/shared-table-rows.js';
import { revokeWrites } from '../../../clients/postgres/shared-table-rights.js';
import { Problem } from '../../../domain/failure.js';
import { quoteLiteral } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { SharedTablePlan } from '../../../domain/routes/route.js';
import { Refused } from '../../ownership/lease-store.js';
import { attempt } from '../../runtime/make-finding.js';
import { leaseIfAnyNow, sideOf } from './lease-now.js';
import {
  NO_EFFECTS,
  type RouteAdapter,
  type RouteDeps,
  type RouteEffects,
} from './route-adapter.js';
import { checkSharedTable } from './shared-table-checks.js';

// The SQLSTATEs for wrong data, violated constraints, missing names or privileges, and errors of
// the table's own triggers.
const ROWS_DO_NOT_FIT = /^(22|23|42|P0)/;

export const tableRoute: RouteAdapter<SharedTablePlan> = {
  checks: async ({ target }, plan, route, secret) => [
    await attempt(
      'route.table',
      () => checkSharedTable(target, plan, secret, route),
      route.table.text,
    ),
  ],
  effects,
};

function effects(route: SharedTablePlan, deps: RouteDeps): RouteEffects {
  return {
    ...NO_EFFECTS,

    inFence: (client, { ref, plan }) => createOwnerTriggers(client, plan, route, ref.iteration),

    inCommit: (client, plan, token) => changeHands(client, plan, route, token),

    async observe(run) {
      const { ref, plan } = run;
      const row = await leaseIfAnyNow(deps, run);
      if (row === null) {
        await withTarget(plan, deps.secret, (client) => refuseCommitted(client, route));
        return 'batch';
      }
      const side = sideOf(row);
      if (side === 'batch') return side;
      const owner = await withTarget(plan, deps.secret, (client) =>
        observedOwner(client, route, ref.iteration, row.epoch),
      );
      if (owner === 'stream') return side;
      throw new Problem(
        'route-unexpected',
        `the lease row says that the stream owns ${route.table.text}, but the table's trigger does not enforce it`,
      );
    },

    async inBack(client, plan, lease) {
      const row = await lease();
      if (row === null) return refuseCommitted(client, route);
      if (row.state !== 'SWITCHED' || row.token === null) return; // the commit did not happen
      await passTrigger(client, row.token);
      await giveBack(client, plan, route);
    },

    /**
     * Revokes the batch role's privileges to write to the table and its partitions, because no
     * trigger guards them after `complete`.
     */
    async atComplete(plan) {
      const { batchRole, table } = route;
      const left = await withTarget(plan, deps.secret, (client) =>
        revokeWrites(client, table, batchRole),
      );
      if (left.length === 0) return;
      const rights = left.map(({ part, through }) => `${part} (through ${through})`).join(', ');
      throw new Problem(
        'batch-action',
        `role ${batchRole} may still write to ${rights}`,
        `revoke these privileges (INSERT, UPDATE, DELETE, TRUNCATE), or revoke the other role from ${batchRole}; then: sluice retry`,
      );
    },
  };
}

/**
 * Throws Problem `route-unexpected` if the table has the stream's rows, although the lease row is
 * missing. Only a commit creates the table `kept`. A backup that is older than the lease row lacks
 * this table.
 */
async function refuseCommitted(
  client: pg.ClientBase,
  { table, kept }: SharedTablePlan,
): Promise<void> {
  const { rows } = await client.query<{ found: string | null }>(
    `SELECT to_regclass(${quoteLiteral(kept.sql)})::text AS found`,
  );
  if (rows[0]!.found !== null)
    throw new Problem(
      'route-unexpected',
      `the lease row is missing, but ${kept.text} exists, so ${table.text} has the stream's rows`,
      `restore the lease row, or give ${table.text} the batch's rows and drop ${kept.text}; then: sluice retry`,
    );
}

/**
 * Writes the stream's rows into the table. Throws Refused if the table rejects or changes the rows,
 * if another table would change, or if the writes take too long. Nothing is changed then.
 */
async function changeHands(
  client: pg.ClientBase,
  { spec }: ResolvedPlan,
  route: SharedTablePlan,
  token: string,
): Promise<RowsChanged> {
  await passTrigger(client, token);
  try {
    const taken = await takeOver(client, spec.batch!, route);
    if (!taken.ok) throw new Refused(taken.reason);
    return taken.value;
  } catch (error) {
    const { text } = route.table;
    if (isOverdue(error))
      throw new Refused(
        `could not switch ${text} from batch to stream within the commit's time limit`,
      );
    if (ROWS_DO_NOT_FIT.test(codeOf(error)))
      throw new Refused(`${text} does not take the stream's rows: ${(error as Error).message}`);
    throw error;
  }
}
