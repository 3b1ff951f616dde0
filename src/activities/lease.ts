// The lease row, wherever it lives: beside the result with a batch, in the ledger without.
import type pg from 'pg';
import { leaseTable, readLease, type LeaseRow } from '../clients/lease.js';
import { transaction, withSource } from '../clients/source.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef } from '../domain/ledger.js';
import { quoteLiteral } from '../domain/names.js';
import type { Deps } from './deps.js';

export function leaseAccess({ secret, ledger }: Pick<Deps, 'secret' | 'ledger'>) {
  const lease = async (client: pg.ClientBase, ref: MigrationRef): Promise<LeaseRow> => {
    const row = await readLease(client, leaseTable(ref.spec), ref.name);
    if (!row) throw new Problem('unexpected', `the lease row of ${ref.name} is gone from ${leaseTable(ref.spec)}`);
    return row;
  };
  return {
    /** Runs `use` in one transaction on the database that holds the row. */
    onLease: <T>(ref: MigrationRef, use: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
      ref.spec.spec.batch ? withSource(ref.spec, secret, (client) => transaction(client, 'BEGIN', () => use(client))) : ledger.transaction(use),

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
