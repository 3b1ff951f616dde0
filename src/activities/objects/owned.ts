// Creates and removes every object that Sluice owns. An object is registered before it is created,
// and read back afterwards. The claim is released if the object was certainly not created. Only
// objects that are ours by the ledger are removed.
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { Ledger, ObjectState } from '../../clients/ledger/ledger.js';
import { Refused } from './lease-store.js';

export interface Making {
  readonly exists: () => Promise<boolean>;
  readonly create: () => Promise<void>;
}

const isClaimed = (state: ObjectState | null): boolean =>
  state === 'registered' || state === 'created';

/** Returns whether the object is ours, or may be, by the ledger. */
export async function isOurs(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
): Promise<boolean> {
  return isClaimed(await ledger.objectState(ref.name, object));
}

/**
 * Idempotent: afterwards the object exists and is ours, or Problem `object-not-ours` was thrown and
 * nothing changed.
 */
export async function ensureOwned(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
  { exists, create }: Making,
): Promise<void> {
  const state = await ledger.objectState(ref.name, object);
  if (await exists()) {
    if (!isClaimed(state)) throw notOurs(object);
    if (state === 'registered') await ledger.setObjectState(ref, object, 'created');
    return;
  }
  await makeClaimed(ledger, ref, [object], create);
  if (!(await exists()))
    throw new Problem(
      'unexpected',
      `${object.kind} ${object.name} (${object.where}) was created but is not there`,
    );
  await ledger.setObjectState(ref, object, 'created');
}

/**
 * Claims objects that do not exist, then runs our own `create`. If the create certainly made
 * nothing, it releases the claims, because a later object of that name is foreign. An earlier
 * attempt with an unknown end may still have made them, so its claims stay. If a right is missing,
 * nothing of ours can appear, and a person who reads that may create the object by hand. The claims
 * are then released.
 */
export async function makeClaimed<T>(
  ledger: Ledger,
  ref: MigrationRef,
  objects: readonly OwnedObject[],
  create: () => Promise<T>,
): Promise<T> {
  const fresh: OwnedObject[] = [];
  for (const object of objects) {
    if (!isClaimed(await ledger.objectState(ref.name, object))) fresh.push(object);
    await ledger.setObjectState(ref, object, 'registered');
  }
  try {
    return await create();
  } catch (error) {
    const end = endOf(error);
    for (const object of end === 'no right' ? objects : end === 'nothing made' ? fresh : [])
      await ledger.setObjectState(ref, object, 'removed');
    throw error;
  }
}

/**
 * Rethrows the error of a create; what only its object could have made is given back unless it may
 * have been made.
 */
export async function giveBack(
  ledger: Ledger,
  ref: MigrationRef,
  objects: readonly OwnedObject[],
  error: unknown,
): Promise<never> {
  for (const object of endOf(error) === 'unknown' ? [] : objects)
    if ((await ledger.objectState(ref.name, object)) === 'registered')
      await ledger.setObjectState(ref, object, 'removed');
  throw error;
}

const notOurs = ({ kind, name, where }: OwnedObject): Problem =>
  new Problem('object-not-ours', `${kind} ${name} (${where}) exists and is not in the ledger`);

const NOTHING_MADE: readonly string[] = [
  'object-not-ours',
  'connector-failed',
  'pipeline-failed',
  'lock-timeout',
  'unsupported',
  'spec-invalid',
];
/** The connection, the server, or the statement's end was lost: the create may have succeeded. */
const END_UNKNOWN = /^(08|57P|40003|XX)/;

/** Returns what the error of a create says about the object. */
export function endOf(error: unknown): 'no right' | 'nothing made' | 'unknown' {
  const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown };
  if (severity !== undefined && typeof code === 'string' && !END_UNKNOWN.test(code))
    return code === '42501' ? 'no right' : 'nothing made';
  if (severity !== undefined || !(error instanceof Problem || error instanceof Refused))
    return 'unknown';
  if (error instanceof Refused) return 'nothing made';
  if (error.code === 'permission-denied') return 'no right';
  return NOTHING_MADE.includes(error.code) ? 'nothing made' : 'unknown';
}

/**
 * Idempotent: afterwards the object is gone and the ledger says so. Foreign objects are left alone.
 */
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
    if (await exists())
      throw new Problem(
        'clean-up',
        `${object.kind} ${object.name} (${object.where}) is still there after its removal`,
      );
  }
  await ledger.setObjectState(ref, object, 'removed');
}

/**
 * Registers something as ours that a reader of ours makes later: a group, a slot. Idempotent;
 * throws Problem `object-not-ours` when it exists already.
 */
export async function claim(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
  exists: () => Promise<boolean>,
): Promise<void> {
  if (await isOurs(ledger, ref, object)) return;
  if (await exists()) throw notOurs(object);
  await ledger.setObjectState(ref, object, 'registered');
}
