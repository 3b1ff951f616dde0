// Selects the route by the type in a spec.
import type { Contradiction } from '../migration/contradiction.js';
import { namesOf } from '../migration/names.js';
import { Registry } from '../values/adapter-registry.js';
import type { MigrationSpec, RouteSpec } from '../migration/spec.js';
import { httpRoute } from './http.js';
import { noRoute } from './none.js';
import type { Route, RouteContext, RoutePlan } from './route.js';
import { tableRoute } from './shared-table.js';
import { viewRoute } from './view.js';

export const ROUTES = new Registry<RouteSpec['type'], Route>('route', {
  none: noRoute,
  'postgres-view': viewRoute,
  'postgres-table': tableRoute,
  http: httpRoute,
});

/**
 * Returns the route of a spec. Throws if the name of a table, a view or the migration is invalid.
 * The parser of specs refuses such names.
 */
export function routeOf(migration: MigrationSpec): RoutePlan {
  const { route } = migration.spec.cutover;
  // A route needs only names of the migration, which are the same in each generation.
  return ROUTES.of(route.type).plan(route, namesOf(migration, 1));
}

/**
 * Finds contradictions between the route and the other parts of a spec. The schema has accepted the
 * spec, but the other rules have not been checked yet.
 */
export const routeContradictions = (
  spec: RouteContext & { readonly cutover: { readonly route: RouteSpec } },
): Contradiction[] => {
  const { route } = spec.cutover;
  return ROUTES.of(route.type).contradictions(route, spec);
};
