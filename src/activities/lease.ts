// The lease row, wherever it lives: beside the result with a batch, in the ledger without.
import type pg from 'pg';
import { leaseTable, readLease, type LeaseRow } from '../clients/lease.js';
import { transaction, withSource } from '../clients/source.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef } from '../domain/ledger.js';
import type { Deps } from './deps.js';

export function leaseAccess({ secret, ledger }: Pick<Deps, 'secret' | 'ledger'>) {
  return {
    /** Runs `use` in one transaction on the database that holds the row. */
    onLease: <T>(ref: MigrationRef, use: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
      ref.spec.spec.batch ? withSource(ref.spec, secret, (client) => transaction(client, 'BEGIN', () => use(client))) : ledger.transaction(use),

    lease: async (client: pg.ClientBase, ref: MigrationRef): Promise<LeaseRow> => {
      const row = await readLease(client, leaseTable(ref.spec), ref.name);
      if (!row) throw new Problem('unexpected', `the lease row of ${ref.name} is gone from ${leaseTable(ref.spec)}`);
      return row;
    },
  };
}

/** A condition on the lease row that did not hold: thrown inside its transaction, so that nothing moves. */
export class Refused extends Error {}
