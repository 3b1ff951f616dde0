// Defines the effects of a route on other systems. The pure half is in domain/routes.
import type pg from 'pg';
import type { ResolveSecret } from '../../../clients/postgres/connection.js';
import type { RowsChanged } from '../../../clients/postgres/shared-table-sql.js';
import type { LeaseRow } from '../../../clients/postgres/lease-row.js';
import type { Check } from '../../../domain/evidence/check.js';
import type { Route } from '../../../domain/evidence/ledger-rows.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { RoutePlan } from '../../../domain/routes/route.js';
import type { Deps } from '../../runtime/deps.js';
import type { Planned } from '../../runtime/with-plan.js';

export type RouteDeps = Pick<Deps, 'secret' | 'ledger'>;

/** The effects of one route. A method that a route does not need does nothing. */
export interface RouteEffects {
  /** Adds to the fence, in its transaction and before the lease row is locked. */
  inFence(client: pg.ClientBase, run: Planned): Promise<void>;
  /**
   * Does the switch and the rollback. The caller ends the transaction by ROLLBACK. Throws the
   * Problem that the commit would meet.
   */
  tryOut(client: pg.ClientBase, plan: ResolvedPlan): Promise<void>;
  /**
   * Switches in the commit's transaction, before the lease row is locked. Null when no rows changed
   * hands.
   */
  inCommit(client: pg.ClientBase, plan: ResolvedPlan, token: string): Promise<RowsChanged | null>;
  /** Tells another system of the switch. Idempotent; `observe` says whether it obeyed. */
  afterCommit(run: Planned): Promise<void>;
  /** Asks which side consumers read. Throws Problem `route-unexpected` when it is neither. */
  observe(run: Planned): Promise<Route['side']>;
  /** Tells another system of the rollback, before the lease row changes. Idempotent. */
  beforeBack(run: Planned): Promise<void>;
  /** Gives consumers the batch's result again, in the rollback's transaction. Idempotent. */
  inBack(client: pg.ClientBase, plan: ResolvedPlan, lease: () => Promise<LeaseRow>): Promise<void>;
  /** Takes from the batch what it must not keep. Problem `batch-action` when it keeps it. */
  atComplete(plan: ResolvedPlan): Promise<void>;
}

/** The half of a route that meets real systems. */
export interface RouteAdapter<R extends RoutePlan = RoutePlan> {
  /** Finds in preflight what the switch would meet. Reads only. */
  checks(
    client: pg.ClientBase,
    plan: ResolvedPlan,
    route: R,
    secret: ResolveSecret,
  ): Promise<Check[]>;
  effects(route: R, deps: RouteDeps): RouteEffects;
}

/**
 * The effects of a route that switches nothing, except `observe`. Each route overrides those that
 * it has.
 */
export const NO_EFFECTS: Omit<RouteEffects, 'observe'> = {
  inFence: () => Promise.resolve(),
  tryOut: () => Promise.resolve(),
  inCommit: () => Promise.resolve(null),
  afterCommit: () => Promise.resolve(),
  beforeBack: () => Promise.resolve(),
  inBack: () => Promise.resolve(),
  atComplete: () => Promise.resolve(),
};
