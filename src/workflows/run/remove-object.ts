// Undoes the creation of one owned object: for the rollback, the phase complete, a lost generation,
// the end of a hold, and the sweep.
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { call } from '../call.js';

/**
 * Removes an object with its kind's undo activity. Idempotent, and only for objects that the ledger
 * records as owned. If a slot, a publication or a connector exists that the ledger has never
 * listed, returns true, and the object stays.
 */
export function removeObject(ref: MigrationRef, object: OwnedObject): Promise<boolean> {
  const { undo, label } = KINDS[object.kind];
  return call('patient', undo, `Remove ${label} ${object.name}`, ref, object);
}
