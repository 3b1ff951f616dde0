// Reads the lease row, which says what consumers should read. The routes call these functions
// outside of the commit's transaction, for example to compare the row with what consumers read.
import type { LeaseRow } from '../../../clients/postgres/lease-row.js';
import type { ObservedRoute } from '../../../domain/evidence/ledger-rows.js';
import { BRIEFLY, leaseAccess } from '../../ownership/lease-store.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { RouteDeps } from './route-adapter.js';

/** Reads the lease row in a separate transaction. */
export function leaseNow(deps: RouteDeps, run: Planned): Promise<LeaseRow> {
  const { onLease, lease } = leaseAccess(deps);
  return onLease(run.plan, BRIEFLY, (client) => lease(client, run));
}

/** Like `leaseNow`, but returns null if the row is missing, as after a restore of an old backup. */
export function leaseIfAnyNow(deps: RouteDeps, run: Planned): Promise<LeaseRow | null> {
  const { onLease, leaseIfAny } = leaseAccess(deps);
  return onLease(run.plan, BRIEFLY, (client) => leaseIfAny(client, run));
}

export const sideOf = ({ state }: LeaseRow): ObservedRoute['side'] =>
  state === 'SWITCHED' ? 'stream' : 'batch';
