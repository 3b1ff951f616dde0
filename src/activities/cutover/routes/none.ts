// Implements the route `none`: Sluice switches nothing, so only the lease row says which side
// consumers should read.
import type { NoRoutePlan } from '../../../domain/routes/route.js';
import { leaseIfAnyNow, sideOf } from './lease-now.js';
import { NO_EFFECTS, type RouteAdapter } from './route-adapter.js';

export const noRoute: RouteAdapter<NoRoutePlan> = {
  checks: () => Promise.resolve([]),
  effects: (_route, deps) => ({
    ...NO_EFFECTS,
    // without a lease row, nothing shows that the cut-over happened
    observe: async (run) => {
      const row = await leaseIfAnyNow(deps, run);
      return row ? sideOf(row) : 'batch';
    },
  }),
};
