// The effects of every kind of object. A kind that is missing here does not compile.
import type { ObjectKind, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { connector } from './connector.js';
import { group } from './group.js';
import { job } from './job.js';
import { lease } from './lease.js';
import { claim, ensureOwned, removeOwned } from './owned.js';
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
  sink: sinkTable,
  group,
  connector,
  job,
  trigger,
};

/**
 * Idempotent: afterwards the object exists and is ours, or Problem `object-not-ours` was thrown and
 * nothing changed.
 */
export async function ensureObject(site: Site, object: OwnedObject): Promise<void> {
  const { exists, create } = EFFECTS[object.kind];
  if (!create) throw new Error(`a ${object.kind} is claimed here, and made by something else`);
  await ensureOwned(site.ledger, site.ref, object, {
    exists: () => exists(site, object),
    create: () => create(site, object),
  });
}

/**
 * Registers something as ours that its maker makes later. Idempotent. Throws Problem
 * `object-not-ours` when it exists already.
 */
export async function claimObject(site: Site, object: OwnedObject): Promise<void> {
  await claim(site.ledger, site.ref, object, () => EFFECTS[object.kind].exists(site, object));
}

/**
 * Idempotent: afterwards the object is gone and the ledger says so. Foreign objects are left alone.
 */
export async function removeObject(site: Site, object: OwnedObject): Promise<void> {
  const { exists, remove } = EFFECTS[object.kind];
  await removeOwned(
    site.ledger,
    site.ref,
    object,
    () => exists(site, object),
    () => remove(site, object),
  );
}
