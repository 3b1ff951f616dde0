// Selects the checks and the effects of a route by the kind of the resolved route.
import type { ResolveSecret } from '../../../clients/postgres/connection.js';
import type { Databases } from '../../../clients/postgres/target-connection.js';
import type { Check } from '../../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { RoutePlan } from '../../../domain/routes/route.js';
import { Registry } from '../../../domain/values/adapter-registry.js';
import { httpRoute } from './http.js';
import { noRoute } from './none.js';
import type { RouteAdapter, RouteDeps, RouteEffects } from './route-adapter.js';
import { tableRoute } from './shared-table.js';
import { viewRoute } from './view.js';

export const ROUTE_ADAPTERS = new Registry<RoutePlan['kind'], RouteAdapter>('route', {
  none: noRoute,
  view: viewRoute,
  table: tableRoute,
  http: httpRoute,
});

/** Binds the effects of the plan's route to the systems that they need. */
export const routeEffects = ({ route }: ResolvedPlan, deps: RouteDeps): RouteEffects =>
  ROUTE_ADAPTERS.of(route.kind).effects(route, deps);

/**
 * Finds what would prevent the switch of the plan's route. It only reads, and runs before the
 * cut-over.
 */
export const checkRoute = (
  databases: Databases,
  plan: ResolvedPlan,
  secret: ResolveSecret,
): Promise<Check[]> =>
  ROUTE_ADAPTERS.of(plan.route.kind).checks(databases, plan, plan.route, secret);
