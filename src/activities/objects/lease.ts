// The lease row, wherever it lives: beside the result with a batch, in the ledger without.
import type pg from 'pg';
import {
  heldTransaction,
  type Held,
  type HoldLimits,
} from '../../clients/postgres/held-transaction.js';
import { leaseTable, readLease, type LeaseRow } from '../../clients/postgres/lease-row.js';
import { withSource } from '../../clients/postgres/connection.js';
import { durationMs } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';

const IDLE_MS = 5000;
const OVERALL_MS = 20_000;

/**
 * Of the fence and the commit: inside `maxHold`, so that nobody waits longer than it says, whatever
 * happens to the worker in between.
 */
export function holdLimits({ spec }: ResolvedPlan): HoldLimits {
  const hold = durationMs(spec.cutover.maxHold);
  return { idleMs: Math.min(IDLE_MS, hold / 2), overallMs: Math.min(OVERALL_MS, (hold * 2) / 3) };
}

/** Of what only reads the row, or ends a hold. */
export const BRIEFLY: HoldLimits = { idleMs: IDLE_MS, overallMs: OVERALL_MS };

/** Of the way back, which may run the batch's query: its statements have the spec's own limit. */
export const wayBackLimits = ({ spec }: ResolvedPlan): HoldLimits => ({
  idleMs: IDLE_MS,
  overallMs: 2 * durationMs(spec.source.limits.statementTimeout) + OVERALL_MS,
});

export function leaseAccess({ secret, ledger }: Pick<Deps, 'secret' | 'ledger'>) {
  const lease = async (client: pg.ClientBase, { ref, plan }: Planned): Promise<LeaseRow> => {
    const row = await readLease(client, leaseTable(plan), ref.name);
    if (!row)
      throw new Problem(
        'unexpected',
        `the lease row of ${ref.name} is gone from ${leaseTable(plan)}`,
      );
    return row;
  };
  return {
    /** Runs `use` in one transaction on the database that holds the row; the database ends it at its limits. */
    onLease: <T>(
      plan: ResolvedPlan,
      limits: HoldLimits,
      use: (client: pg.ClientBase, held: Held) => Promise<T>,
    ): Promise<T> => {
      const run = (client: pg.ClientBase): Promise<T> =>
        heldTransaction(client, limits, (held) => use(held.client, held));
      return plan.batch ? withSource(plan, secret, run) : ledger.session(run);
    },

    lease,

    /** The row, read after its lock was granted: nobody else changes it until the transaction ends. */
    lockedLease: async (client: pg.ClientBase, run: Planned): Promise<LeaseRow> => {
      await client.query(
        `SELECT 1 FROM ${leaseTable(run.plan)} WHERE migration = ${quoteLiteral(run.ref.name)} FOR UPDATE`,
      );
      return lease(client, run);
    },
  };
}

/** A condition on the lease row that did not hold: thrown inside its transaction, so that nothing moves. */
export class Refused extends Error {}
