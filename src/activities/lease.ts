// The lease row, wherever it lives: beside the result with a batch, in the ledger without.
import type pg from 'pg';
import { heldTransaction, type Held, type HoldLimits } from '../clients/held.js';
import { leaseTable, readLease, type LeaseRow } from '../clients/lease.js';
import { withSource } from '../clients/source.js';
import { durationMs } from '../domain/duration.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef } from '../domain/ledger.js';
import { quoteLiteral } from '../domain/names.js';
import type { Deps } from './deps.js';

const IDLE_MS = 5000;
const OVERALL_MS = 20_000;

/**
 * Of the fence and the commit: inside `maxHold`, so that nobody waits longer than it says, whatever
 * happens to the worker in between.
 */
export function holdLimits({ spec }: MigrationRef): HoldLimits {
  const hold = durationMs(spec.spec.cutover.maxHold);
  return { idleMs: Math.min(IDLE_MS, hold / 2), overallMs: Math.min(OVERALL_MS, (hold * 2) / 3) };
}

/** Of what only reads the row, or ends a hold. */
export const BRIEFLY: HoldLimits = { idleMs: IDLE_MS, overallMs: OVERALL_MS };

/** Of the way back, which may run the batch's query: its statements have the spec's own limit. */
export const wayBackLimits = ({ spec }: MigrationRef): HoldLimits => ({
  idleMs: IDLE_MS,
  overallMs: 2 * durationMs(spec.spec.source.limits.statementTimeout) + OVERALL_MS,
});

export function leaseAccess({ secret, ledger }: Pick<Deps, 'secret' | 'ledger'>) {
  const lease = async (client: pg.ClientBase, ref: MigrationRef): Promise<LeaseRow> => {
    const row = await readLease(client, leaseTable(ref.spec), ref.name);
    if (!row) throw new Problem('unexpected', `the lease row of ${ref.name} is gone from ${leaseTable(ref.spec)}`);
    return row;
  };
  return {
    /** Runs `use` in one transaction on the database that holds the row; the database ends it at its limits. */
    onLease: <T>(ref: MigrationRef, limits: HoldLimits, use: (client: pg.ClientBase, held: Held) => Promise<T>): Promise<T> => {
      const run = (client: pg.ClientBase): Promise<T> => heldTransaction(client, limits, (held) => use(held.client, held));
      return ref.spec.spec.batch ? withSource(ref.spec, secret, run) : ledger.session(run);
    },

    lease,

    /** The row, read after its lock was granted: nobody else changes it until the transaction ends. */
    lockedLease: async (client: pg.ClientBase, ref: MigrationRef): Promise<LeaseRow> => {
      await client.query(`SELECT 1 FROM ${leaseTable(ref.spec)} WHERE migration = ${quoteLiteral(ref.name)} FOR UPDATE`);
      return lease(client, ref);
    },
  };
}

/** A condition on the lease row that did not hold: thrown inside its transaction, so that nothing moves. */
export class Refused extends Error {}
