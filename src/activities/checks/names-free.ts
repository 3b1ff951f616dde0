// Checks that the names of a plan's objects are free. Each kind defines its check
// (objects/owned-kind.ts).
import type { Ledger } from '../../clients/ledger/ledger.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ObjectKind, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { EFFECTS } from '../objects/kinds.js';
import type { Asking, NameCheck } from '../objects/owned-kind.js';
import { attempt } from '../runtime/findings.js';

export type IsOurs = (object: OwnedObject) => Promise<boolean>;

/** Without a ledger (an offline doctor), no existing object counts as ours. */
export function ledgerKnows(ledger: Ledger | undefined, migration: string): IsOurs {
  return async (object) => {
    const state = await ledger?.objectState(migration, object);
    return state === 'registered' || state === 'created';
  };
}

/**
 * The planned objects whose names others use, of the kinds that one check reports; with `only`, of
 * that name.
 */
export async function takenNames(
  asking: Asking,
  isOurs: IsOurs,
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
      if (!(await isOurs(object))) taken.push(object);
  }
  return taken;
}

/** The names in the source database: slot, publication, and the schema of the lease. */
export async function checkNamesFree(asking: Asking, isOurs: IsOurs): Promise<Check[]> {
  return [
    await attempt('source.names-free', async () => {
      const taken = await takenNames(asking, isOurs, 'source.names-free');
      return taken.length === 0
        ? 'the names in the source database are free'
        : {
            detail: `exist, but not in the ledger: ${taken.map(({ kind, name }) => `${KINDS[kind].label} ${name}`).join(', ')}`,
            remedy: 'drop them, or choose another metadata.name',
          };
    }),
  ];
}
