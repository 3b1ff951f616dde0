// Creates and removes the objects that Sluice owns. The ledger registers each object before it is
// created (the claim). Then the object is created and read back. If an attempt certainly created
// nothing, its claim is released. Sluice removes only objects that the ledger lists as ours.
import { SQLSTATE } from '../../domain/values/sqlstate.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { KINDS } from '../../domain/objects/kinds.js';
import type { Ledger, ObjectState } from '../../clients/ledger/ledger.js';
import { stopIfCancelled } from '../runtime/poll-until.js';
import type { Planned } from '../runtime/with-plan.js';
import { Refused } from './lease-store.js';

export interface Making {
  readonly exists: () => Promise<boolean>;
  readonly create: () => Promise<void>;
}

/** Returns whether an object in this state of the ledger is ours or may be ours. */
export const isClaimed = (state: ObjectState | null): boolean =>
  state === 'registered' || state === 'created';

/** Returns true if the ledger says that the object is ours or may be ours. */
export async function isOwned(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
): Promise<boolean> {
  return isClaimed(await ledger.objectState(ref, object));
}

/**
 * Creates an object unless it exists and is ours. Idempotent. If the object exists and is not ours,
 * changes nothing and throws Problem `object-not-ours`.
 */
export async function ensureOwned(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
  { exists, create }: Making,
): Promise<void> {
  const state = await ledger.objectState(ref, object);
  if (await exists()) {
    if (!isClaimed(state)) throw notOurs(object);
    if (state === 'registered') await ledger.setObjectState(ref, object, 'created');
    return;
  }
  await makeClaimed(ledger, ref, [object], create);
  if (!(await exists()))
    throw new Problem(
      'unexpected',
      `${object.kind} ${object.name} (${object.where}) was created, but does not exist`,
    );
  await ledger.setObjectState(ref, object, 'created');
}

/**
 * Claims the objects, then calls `create`. If `create` fails, its error decides what happens to the
 * claims. If `create` certainly made nothing, the claims that this attempt added are released. A
 * later object of the same name then does not count as ours. Claims of an earlier attempt stay,
 * because that attempt may still create the object. If a privilege is missing, all claims are
 * released. In that case, no attempt can create the object, but a person may. After any other
 * error, all claims stay.
 */
export async function makeClaimed<T>(
  ledger: Ledger,
  ref: MigrationRef,
  objects: readonly OwnedObject[],
  create: () => Promise<T>,
): Promise<T> {
  stopIfCancelled();
  const fresh: OwnedObject[] = [];
  for (const object of objects) {
    if (!isClaimed(await ledger.objectState(ref, object))) fresh.push(object);
    await ledger.setObjectState(ref, object, 'registered');
  }
  try {
    stopIfCancelled();
    return await create();
  } catch (error) {
    const end = endOf(error);
    await release(ledger, ref, end === 'no right' ? objects : end === 'nothing made' ? fresh : []);
    throw error;
  }
}

/**
 * Handles the failed creation of a connector. Releases the claims of `objects`, which the connector
 * itself would have created. If the creation may have succeeded, the claims stay. Always throws
 * `error`.
 */
export async function giveBack(
  ledger: Ledger,
  ref: MigrationRef,
  objects: readonly OwnedObject[],
  error: unknown,
): Promise<never> {
  await release(ledger, ref, endOf(error) === 'unknown' ? [] : objects);
  throw error;
}

/**
 * Releases claims. An object stays ours if another attempt has created it in the meantime, for
 * example while this attempt hung.
 */
async function release(
  ledger: Ledger,
  ref: MigrationRef,
  objects: readonly OwnedObject[],
): Promise<void> {
  for (const object of objects)
    if ((await ledger.objectState(ref, object)) === 'registered')
      await ledger.setObjectState(ref, object, 'removed');
}

const notOurs = ({ kind, name, where }: OwnedObject): Problem =>
  new Problem(
    'object-not-ours',
    `${kind} ${name} (${where}) exists, and the ledger does not say that this migration created it`,
  );

const NOTHING_MADE: readonly string[] = [
  'object-not-ours',
  'connector-failed',
  'pipeline-failed',
  'lock-timeout',
  'unsupported',
  'spec-invalid',
];
/**
 * Matches error codes after which the creation may have succeeded: the connection or the server was
 * lost, or the server had an internal error.
 */
const END_UNKNOWN = /^(08|57P|40003|XX)/;

/**
 * Returns what an error of `create` shows: a privilege is missing, nothing was created, or the
 * result is unknown.
 */
export function endOf(error: unknown): 'no right' | 'nothing made' | 'unknown' {
  const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown };
  if (severity !== undefined && typeof code === 'string' && !END_UNKNOWN.test(code))
    return code === SQLSTATE.insufficientPrivilege ? 'no right' : 'nothing made';
  if (severity !== undefined || !(error instanceof Problem || error instanceof Refused))
    return 'unknown';
  if (error instanceof Refused) return 'nothing made';
  if (error.code === 'permission-denied') return 'no right';
  return NOTHING_MADE.includes(error.code) ? 'nothing made' : 'unknown';
}

/**
 * Removes an object if the ledger lists it as ours, and records the removal. Idempotent. `mayExist`
 * is called before the removal, and may ask the system several times. If it returns false, only
 * records the removal. An object that was handed over belongs to the user, so it stays. This is
 * also true for a run that was reset and no longer knows the hand-over. Throws Problem `clean-up`
 * if the object still exists afterwards. Returns true if the ledger has never listed the object.
 * Then the object was never ours, or a restore of the ledger has lost the entry.
 */
export async function removeOwned(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
  exists: () => Promise<boolean>,
  remove: () => Promise<void>,
  mayExist: () => Promise<boolean> = exists,
): Promise<boolean> {
  const state = await ledger.objectState(ref, object);
  if (!isClaimed(state)) return state === null;
  if (await mayExist()) {
    stopIfCancelled();
    await remove();
    if (await exists())
      throw new Problem(
        'clean-up',
        `${object.kind} ${object.name} (${object.where}) still exists after its removal`,
      );
  }
  await ledger.setObjectState(ref, object, 'removed');
  return false;
}

/**
 * Claims an object that another system will create, such as a group or a slot. Idempotent. Throws
 * Problem `object-not-ours` if the object already exists and is not ours.
 */
export async function claim(
  ledger: Ledger,
  ref: MigrationRef,
  object: OwnedObject,
  exists: () => Promise<boolean>,
): Promise<void> {
  if (await isOwned(ledger, ref, object)) return;
  if (await exists()) throw notOurs(object);
  stopIfCancelled();
  await ledger.setObjectState(ref, object, 'registered');
}

/**
 * Throws Problem `already-ended` if Temporal has reset the run to a point from which it cannot
 * continue. `hasRow` says whether the run's lease row exists, because only the end of a run removes
 * this row. A generation also cannot continue after the run has replaced it.
 */
export async function refuseIfOver(
  ledger: Pick<Ledger, 'objectState' | 'migrations'>,
  { ref, plan }: Planned,
  hasRow: boolean,
): Promise<void> {
  const { name, iteration, generation } = ref;
  for (const lease of hasRow ? [] : KINDS.lease.planned(plan))
    if ((await ledger.objectState(ref, lease)) === 'removed')
      throw new Problem(
        'already-ended',
        `run ${iteration} of ${name} has removed its lease row, so it had already ended before it was reset`,
      );
  const known = (await ledger.migrations(name)).find((run) => run.iteration === iteration);
  if (known !== undefined && known.generation > generation)
    throw new Problem(
      'already-ended',
      `the run was reset to generation ${generation}, but it has already begun generation ${known.generation}`,
      'reset the workflow to a later point, or: sluice rollback, which also removes the later generation',
    );
}
