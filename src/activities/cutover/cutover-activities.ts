// Carries out the commit and the way back on the lease row, the route and the batch's role. Only
// the lease row says what really happened, because the workflow's memory may be wrong, for example
// after a reset. So an activity that depends on the row reads it first.
import { heldTransaction } from '../../clients/postgres/held-transaction.js';
import { leaseTable } from '../../clients/postgres/lease-row.js';
import type { RowsChanged } from '../../clients/postgres/shared-table-rows.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import type { ObservedRoute } from '../../domain/evidence/ledger-rows.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import { commitOrRefuse } from './commit.js';
import type { FenceInput, Refusable } from './fence.js';
import {
  BRIEFLY,
  Refused,
  holdLimits,
  leaseAccess,
  wayBackLimits,
} from '../ownership/lease-store.js';
import { refuseIfOver } from '../ownership/owned.js';
import { observedRoute } from './observed-route.js';
import { routeEffects } from './routes/index.js';
import { stopIfCancelled } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

export function createCutoverActivities(deps: Deps) {
  return withPlan({
    /**
     * Commits the cut-over in one short transaction. Afterwards, only the way back or a sweep
     * returns consumers to the batch. Returns the reason if the commit was refused. After its
     * checks, the transaction switches the route. The switch of a view may wait for the view's
     * readers, at most for lock_timeout. Then the transaction locks the lease row, and finally it
     * updates the row if the fence still holds. A separate statement locks the row. Otherwise, the
     * UPDATE might wait for the lock, and then compare the expiry with a time from before the wait.
     */
    async commitCutover(
      input: FenceInput & Planned,
    ): Promise<Refusable & { readonly rows?: RowsChanged }> {
      return commitOrRefuse(deps, input);
    },

    /**
     * With a route that can be tried (a view), tries the switch and the switch back in a
     * transaction that is rolled back. Throws the Problem that the commit would throw. The view
     * stays locked until the transaction ends.
     */
    async proveRoute({ plan }: Planned): Promise<void> {
      return proveRoute(deps, plan);
    },

    /**
     * Returns true if the lease row says that the cut-over happened. Returns false if the row does
     * not exist. With `needsRow`, throws Problem `already-ended` if this run has removed the row,
     * because the absence of the row then says nothing about a commit. Also throws it if the run
     * has replaced this generation.
     */
    async isSwitched(run: Planned, needsRow = false): Promise<boolean> {
      return isSwitched(deps, run, needsRow);
    },

    /** Returns the side that consumers read; see `observedRoute`. */
    async observeRoute(run: Planned): Promise<ObservedRoute> {
      return observedRoute(run, deps);
    },

    /**
     * After the commit, asks the system that serves the route to switch. Does nothing if no other
     * system serves the route. Idempotent. `observeRoute` shows whether that system has switched.
     */
    async orderRoute(run: Planned): Promise<void> {
      await routeEffects(run.plan, deps).afterCommit(run);
    },

    /**
     * Routes consumers back to the batch, and sets the lease row to ROLLED_BACK in the same
     * transaction. With the route `http`, asks the service to switch before this transaction.
     * Idempotent.
     */
    async routeBack(run: Planned): Promise<void> {
      return routeBack(deps, run);
    },

    /**
     * Revokes the batch role's privileges to write to a shared table, which now belongs to the
     * stream. The phase `complete` calls this. Throws Problem `batch-action` if the role can still
     * write to the table. With the other routes, does nothing.
     */
    async retireRole({ plan }: Planned): Promise<void> {
      await routeEffects(plan, deps).atComplete(plan);
    },
  });
}

async function isSwitched(deps: Deps, run: Planned, needsRow: boolean): Promise<boolean> {
  const { onLease, leaseIfAny } = leaseAccess(deps);
  const row = await onLease(run.plan, BRIEFLY, (client) => leaseIfAny(client, run));
  if (needsRow) await refuseIfOver(deps.ledger, run, row !== null);
  return row?.state === 'SWITCHED';
}

async function proveRoute(deps: Deps, plan: ResolvedPlan): Promise<void> {
  if (!plan.route.isTried) return;
  const tried = new Refused('tried');
  const attempt = withTarget(plan, deps.secret, (client) =>
    heldTransaction(client, holdLimits(plan), async (held) => {
      await routeEffects(plan, deps).tryOut(held.client, plan);
      throw tried; // this rolls the transaction back
    }),
  );
  await attempt.catch((error: unknown) => {
    if (error !== tried) throw error;
  });
}

async function routeBack(deps: Deps, run: Planned): Promise<void> {
  const { onLease, leaseIfAny } = leaseAccess(deps);
  const { ref, plan } = run;
  const route = routeEffects(plan, deps);
  await route.beforeBack(run);
  await onLease(plan, wayBackLimits(plan), async (client) => {
    // An activity that was cancelled meanwhile stops here. If the worker's process hangs later, the
    // database itself ends the transaction.
    stopIfCancelled();
    await route.inBack(client, plan, () => leaseIfAny(client, run));
    // the row may be missing after the restore of an old backup
    if (!(await leaseIfAny(client, run))) return;
    await client.query(
      `SELECT 1 FROM ${leaseTable(plan)} WHERE migration = ${quoteLiteral(ref.name)} FOR UPDATE`,
    );
    await client.query(
      `UPDATE ${leaseTable(plan)} SET state = 'ROLLED_BACK', token = NULL, fenced_at = NULL, expires_at = NULL WHERE migration = ${quoteLiteral(ref.name)}`,
    );
  });
}
