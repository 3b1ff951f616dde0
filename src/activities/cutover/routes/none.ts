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

export const sideOf = ({ state }: LeaseRow): ObservedRoute['side'] =>
  state === 'SWITCHED' ? 'stream' : 'batch';

export const noRoute: RouteAdapter<NoRoutePlan> = {
  checks: () => Promise.resolve([]),
  effects: (_route, deps) => ({
    ...NO_EFFECTS,
    observe: async (run) => sideOf(await leaseNow(deps, run)),
  }),
};
