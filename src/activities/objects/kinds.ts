// Lists the functions that create, check and remove the objects of each kind. The compiler reports
// a kind that is missing here. Also defines how an object of any kind is created, claimed and
// removed together with its entry in the ledger.
import type { ObjectKind, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { connector } from './connector.js';
import { group } from './group.js';
import { job } from './job.js';
import { lease } from './lease.js';
import { claim, ensureOwned, removeOwned } from '../ownership/owned.js';
import type { OwnedKind, Site } from './owned-kind.js';
import { publication } from './publication.js';
import { sinkTable } from './sink-table.js';
import { slot } from './slot.js';
import { topic } from './topic.js';
import { trigger } from './trigger.js';

export const EFFECTS: Readonly<Record<ObjectKind, OwnedKind>> = {
  lease,
  publication,
  slot,
  topic,
  'sink-table': sinkTable,
  group,
  connector,
  job,
  trigger,
};

/**
 * Creates an object unless it exists and is ours. Idempotent. If the object exists and is not ours,
 * changes nothing and throws Problem `object-not-ours`.
 */
export async function ensureObject(site: Site, object: OwnedObject): Promise<void> {
  const { exists, create } = EFFECTS[object.kind];
  if (!create) throw new Error(`Sluice only claims a ${object.kind}; another system creates it`);
  await ensureOwned(site.ledger, site.ref, object, {
    exists: () => exists(site, object),
    create: () => create(site, object),
  });
}

/**
 * Claims an object that another system will create. Idempotent. Throws Problem `object-not-ours` if
 * the object already exists and is not ours.
 */
export async function claimObject(site: Site, object: OwnedObject): Promise<void> {
  await claim(site.ledger, site.ref, object, () => EFFECTS[object.kind].exists(site, object));
}

/**
 * An unnoticed object of one of these kinds could harm the source. Therefore `removeObject` looks
 * for such an object even if the ledger has no entry for it.
 */
const LOOKED_FOR: readonly ObjectKind[] = ['slot', 'publication', 'connector'];

/**
 * Removes an object if it is ours, and records the removal in the ledger. Idempotent. An object of
 * the same name that is not ours stays. Returns true if that object is a slot, publication or
 * connector that exists and that the ledger has never listed.
 */
export async function removeObject(site: Site, object: OwnedObject): Promise<boolean> {
  const { exists, mayExist = exists, remove } = EFFECTS[object.kind];
  const isUnlisted = await removeOwned(
    site.ledger,
    site.ref,
    object,
    () => exists(site, object),
    () => remove(site, object),
    () => mayExist(site, object),
  );
  // if the system does not answer, an error here would block the removal of the other objects
  return (
    isUnlisted &&
    LOOKED_FOR.includes(object.kind) &&
    (await exists(site, object).catch(() => false))
  );
}
