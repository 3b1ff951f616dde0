// Defines what each route reads from real systems and changes in them. A route is the place from
// which consumers read, such as a view. The part of a route's code that uses no real system is in
// domain/routes.
import type pg from 'pg';
import type { ResolveSecret } from '../../../clients/postgres/connection.js';
import type { Databases } from '../../../clients/postgres/target-connection.js';
import type { RowsChanged } from '../../../clients/postgres/shared-table-rows.js';
import type { LeaseRow } from '../../../clients/postgres/lease-row.js';
import type { Check } from '../../../domain/evidence/check.js';
import type { ObservedRoute } from '../../../domain/evidence/ledger-rows.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { RoutePlan } from '../../../domain/routes/route.js';
import type { Deps } from '../../runtime/deps.js';
import type { Planned } from '../../runtime/with-plan.js';

export type RouteDeps = Pick<Deps, 'secret' | 'ledger'>;

/** The effects of one route. A method that a route does not need does nothing. */
export interface RouteEffects {
  /**
   * Adds to the fence what this route needs, such as triggers. Runs in the fence's transaction,
   * before the lease row is locked.
   */
  inFence(client: pg.ClientBase, run: Planned): Promise<void>;
  /**
   * Tries the switch and then the switch back. The caller MUST end the transaction with ROLLBACK.
   * Throws the Problem that the commit would throw.
   */
  tryOut(client: pg.ClientBase, plan: ResolvedPlan): Promise<void>;
  /**
   * Switches consumers. Runs in the commit's transaction, before the lease row is locked. Returns
   * how many rows changed, or null if the route writes no rows.
   */
  inCommit(client: pg.ClientBase, plan: ResolvedPlan, token: string): Promise<RowsChanged | null>;
  /**
   * Asks another system to switch. Idempotent. `observe` shows whether that system has switched.
   */
  afterCommit(run: Planned): Promise<void>;
  /**
   * Returns the side that consumers read. Throws Problem `route-unexpected` if they do not read
   * exactly one side.
   */
  observe(run: Planned): Promise<ObservedRoute['side']>;
  /** Asks another system to switch back, before the lease row changes. Idempotent. */
  beforeBack(run: Planned): Promise<void>;
  /**
   * Returns consumers to the batch's result, in the rollback's transaction. Idempotent. `lease`
   * returns null if the lease row is missing, as after a restore of an old backup.
   */
  inBack(
    client: pg.ClientBase,
    plan: ResolvedPlan,
    lease: () => Promise<LeaseRow | null>,
  ): Promise<void>;
  /**
   * Revokes privileges that the batch's role must not keep. Throws Problem `batch-action` if the
   * role still has such a privilege.
   */
  atComplete(plan: ResolvedPlan): Promise<void>;
}

/** A route's checks and effects on real systems. */
export interface RouteAdapter<R extends RoutePlan = RoutePlan> {
  /** Finds what would prevent the switch. It only reads, and runs before the cut-over. */
  checks(
    databases: Databases,
    plan: ResolvedPlan,
    route: R,
    secret: ResolveSecret,
  ): Promise<Check[]>;
  effects(route: R, deps: RouteDeps): RouteEffects;
}

/** Effects that do nothing. Each route overrides the effects that it needs, and adds `observe`. */
export const NO_EFFECTS: Omit<RouteEffects, 'observe'> = {
  inFence: () => Promise.resolve(),
  tryOut: () => Promise.resolve(),
  inCommit: () => Promise.resolve(null),
  afterCommit: () => Promise.resolve(),
  beforeBack: () => Promise.resolve(),
  inBack: () => Promise.resolve(),
  atComplete: () => Promise.resolve(),
};
