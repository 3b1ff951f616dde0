// Checks that no other object already has a name that the plan uses. Each kind of object defines
// how its names are looked up (objects/owned-kind.ts).
import type { Ledger } from '../../clients/ledger/ledger.js';
import { hasTarget } from '../../domain/migration/databases.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ObjectKind, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { EFFECTS } from '../objects/kinds.js';
import type { Asking, NameCheck } from '../objects/owned-kind.js';
import { attempt } from '../runtime/make-finding.js';

export type IsOwned = (object: OwnedObject) => Promise<boolean>;

/**
 * Asks the ledger whether this migration has claimed or made an object. If `doctor` runs without
 * SLUICE_LEDGER_URL, there is no ledger, and every existing object counts as foreign.
 */
export function ledgerKnows(ledger: Ledger | undefined, migration: string): IsOwned {
  return async (object) => {
    const state = await ledger?.objectState({ name: migration }, object);
    return state === 'registered' || state === 'created';
  };
}

/**
 * Returns the planned objects whose name is already used by an object that this migration did not
 * make. `check` selects the kinds of objects that this check covers, and `only` restricts the
 * search to one name.
 */
export async function takenNames(
  asking: Asking,
  isOwned: IsOwned,
  check: NameCheck['check'],
  only?: string,
): Promise<OwnedObject[]> {
  const taken: OwnedObject[] = [];
  for (const kind of Object.keys(KINDS) as ObjectKind[]) {
    const { nameCheck } = EFFECTS[kind];
    if (nameCheck?.check !== check) continue;
    const planned = KINDS[kind]
      .planned(asking.plan)
      .filter(({ name }) => only === undefined || name === only);
    for (const object of await nameCheck.taken(asking, planned))
      if (!(await isOwned(object))) taken.push(object);
  }
  return taken;
}

/**
 * Checks the names in the databases: the slot, the publication, and the schema of the lease row.
 */
export async function checkNamesFree(asking: Asking, isOwned: IsOwned): Promise<Check[]> {
  return [
    await attempt('source.names-free', async () => {
      const taken = await takenNames(asking, isOwned, 'source.names-free');
      return taken.length === 0
        ? `the names in the ${hasTarget(asking.plan) ? 'databases' : 'source database'} are free`
        : {
            detail: `these objects exist, but the ledger does not say that this migration created them: ${taken.map(({ kind, name }) => `${KINDS[kind].label} ${name}`).join(', ')}`,
            remedy: 'choose another metadata.name, or drop them if nobody uses them',
          };
    }),
  ];
}
