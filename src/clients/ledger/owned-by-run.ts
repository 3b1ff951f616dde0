// Reads from the ledger what one run owns, and whether it has completed. A run that was reset no
// longer knows this.
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { Ledger, ObjectState } from './ledger.js';

export interface OwnedByRun {
  /** The objects that exist or may exist, in the order of their creation. */
  readonly objects: readonly OwnedObject[];
  /** The objects that the run has handed over. They are no longer its own. */
  readonly handedOver: readonly { readonly kind: string; readonly name: string }[];
  /** True if the run has handed over objects, or has ended as `migrated`. */
  readonly hasCompleted: boolean;
}

/** Returns what this run owns. The objects of other runs of the same name are not included. */
export async function ownedByRun(
  ledger: Pick<Ledger, 'query'>,
  { name, iteration }: Pick<MigrationRef, 'name' | 'iteration'>,
): Promise<OwnedByRun> {
  const rows = await ledger.query<OwnedObject & { readonly state: ObjectState }>(
    `SELECT kind, object_name AS name, location AS where, state FROM sluice.object
      WHERE name = $1 AND iteration = $2 AND state <> 'removed' ORDER BY seq`,
    [name, iteration],
  );
  const migrated = await ledger.query(
    `SELECT FROM sluice.event WHERE name = $1 AND iteration = $2 AND kind = 'outcome' AND fields->>'outcome' = 'migrated' LIMIT 1`,
    [name, iteration],
  );
  const handedOver = rows.filter(({ state }) => state === 'handed-over');
  return {
    objects: rows
      .filter(({ state }) => state !== 'handed-over')
      .map(({ kind, name: object, where }) => ({ kind, name: object, where })),
    handedOver: handedOver.map(({ kind, name: object }) => ({ kind, name: object })),
    hasCompleted: handedOver.length > 0 || migrated.length > 0,
  };
}
