// Implements the route `none`: Sluice switches nothing, so the side in the lease row counts as the
// side that consumers read.
import type { LeaseRow } from '../../../clients/postgres/lease-row.js';
import type { ObservedRoute } from '../../../domain/evidence/ledger-rows.js';
import type { NoRoutePlan } from '../../../domain/routes/route.js';
import { BRIEFLY, leaseAccess } from '../../ownership/lease-store.js';
import type { Planned } from '../../runtime/with-plan.js';
import { NO_EFFECTS, type RouteAdapter, type RouteDeps } from './route-adapter.js';

/** Reads the lease row in a separate transaction. */
export function leaseNow(deps: RouteDeps, run: Planned): Promise<LeaseRow> {
  const { onLease, lease } = leaseAccess(deps);
  return onLease(run.plan, BRIEFLY, (client) => lease(client, run));
}

/** Reads the lease row like `leaseNow`. Returns null if a restore of an old backup removed it. */
export function leaseIfAnyNow(deps: RouteDeps, run: Planned): Promise<LeaseRow | null> {
  const { onLease, leaseIfAny } = leaseAccess(deps);
  return onLease(run.plan, BRIEFLY, (client) => leaseIfAny(client, run));
}

export const sideOf = ({ state }: LeaseRow): ObservedRoute['side'] =>
  state === 'SWITCHED' ? 'stream' : 'batch';

export const noRoute: RouteAdapter<NoRoutePlan> = {
  checks: () => Promise.resolve([]),
  effects: (_route, deps) => ({
    ...NO_EFFECTS,
    // without a row, nothing says that the cut-over happened
    observe: async (run) => {
      const row = await leaseIfAnyNow(deps, run);
      return row ? sideOf(row) : 'batch';
    },
  }),
};
