// Do and undo of every object that Sluice makes: registered before it is made, read back after, removed only when the ledger says it is ours.
import { Problem } from '../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../domain/ledger.js';
import type { Ledger } from '../clients/ledger.js';

export interface Making {
  readonly exists: () => Promise<boolean>;
  readonly create: () => Promise<void>;
}

/** Idempotent: afterwards the object exists and is ours, or Problem `object-not-ours` was thrown and nothing changed. */
export async function ensureOwned(ledger: Ledger, ref: MigrationRef, object: OwnedObject, { exists, create }: Making): Promise<void> {
  const state = await ledger.objectState(ref.name, object);
  const isOurs = state === 'registered' || state === 'created';
  if (await exists()) {
    if (!isOurs) throw new Problem('object-not-ours', `${object.kind} ${object.name} (${object.where}) exists and is not in our ledger`);
    if (state === 'registered') await ledger.setObjectState(ref, object, 'created');
    return;
  }
  await ledger.setObjectState(ref, object, 'registered');
  await create();
  if (!(await exists())) throw new Problem('unexpected', `${object.kind} ${object.name} (${object.where}) was created but is not there`);
  await ledger.setObjectState(ref, object, 'created');
}

/** Idempotent: afterwards the object is gone and the ledger says so. What is not ours is left alone. */
export async function removeOwned(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
  exists: () => Promise<boolean>,
  remove: () => Promise<void>,
): Promise<void> {
  const state = await ledger.objectState(ref.name, object);
  if (state === null || state === 'removed') return;
  if (await exists()) {
    await remove();
    if (await exists()) throw new Problem('clean-up', `${object.kind} ${object.name} (${object.where}) is still there after its removal`);
  }
  await ledger.setObjectState(ref, object, 'removed');
}

/** Registers a consumer group as ours before whoever reads by it makes it. Idempotent. */
export async function claimGroup(ledger: Ledger, ref: MigrationRef, name: string): Promise<void> {
  const object: OwnedObject = { kind: 'group', name, where: ref.spec.spec.kafka.brokers.join(',') };
  const state = await ledger.objectState(ref.name, object);
  if (state !== 'registered' && state !== 'created') await ledger.setObjectState(ref, object, 'registered');
}
