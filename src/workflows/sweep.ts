// Removes the objects of a run whose workflow no longer runs, for example because it was terminated
// or lost with the server of Temporal. The sweep runs the undo activities of the phase roll-back on
// the objects that the ledger lists.
import type { MigrationRef } from '../domain/evidence/ledger-rows.js';
import { call } from './call.js';
import { removeObject } from './run/remove-object.js';

export interface SweepInput {
  readonly name: string;
  readonly by: string;
  /**
   * If true, the sweep first routes consumers of the stream back to the batch. If false, it refuses
   * a run whose consumers read the stream.
   */
  readonly routeBack: boolean;
}

export interface SweepResult {
  /** The reason why the sweep removed nothing. Null if it ran. */
  readonly refused: string | null;
  readonly removed: readonly { readonly kind: string; readonly name: string }[];
  readonly leftovers: readonly { readonly kind: string; readonly name: string }[];
}

/**
 * Removes the leftovers of a run. The caller MUST first check that the migration's own workflow is
 * not running. Idempotent.
 */
export async function sweepLeftovers({ name, by, routeBack }: SweepInput): Promise<SweepResult> {
  const { ref, objects } = await call(
    'quick',
    'openRun',
    'Read from the ledger what the run left',
    name,
  );
  if (objects.some((o) => o.kind === 'lease')) {
    const refused = await whyOnStream(ref, routeBack);
    if (refused !== null) return { refused, removed: [], leftovers: objects };
    await call('quick', 'batchAction', 'Resume the batch', ref, 'resume', null);
  }
  await call('quick', 'releaseAdopted', 'End the adoption; the adopted objects stay', ref);
  const removed = [];
  for (const object of [...objects].reverse()) {
    await removeObject(ref, object);
    removed.push({ kind: object.kind, name: object.name });
  }
  const leftovers = await call(
    'quick',
    'listLeftovers',
    'Verify that no object of this migration is left',
    ref,
  );
  await call('quick', 'recordSweep', 'Close the run in the ledger', ref, by, leftovers);
  return { refused: null, removed, leftovers };
}

/**
 * Returns null after consumers were observed on the batch side, otherwise the reason for a refusal.
 * Ends every attempt at the cut-over first. Otherwise, a commit that waits for a lock could happen
 * after the observation.
 */
async function whyOnStream(ref: MigrationRef, routesBack: boolean): Promise<string | null> {
  const observe = () => call('quick', 'observeRoute', 'Observe that consumers read the batch', ref);
  const { committed } = await call(
    'quick',
    'endAttempts',
    'End every attempt at the cut-over; did it happen?',
    ref,
  );
  if (!committed && (await observe()).side === 'batch') return null;
  if (!routesBack)
    return committed
      ? 'the cut-over happened, so consumers read the stream side'
      : 'consumers read the stream side, although the lease row does not say that the cut-over happened';
  await call('patient', 'routeBack', 'Route consumers back to the batch', ref);
  if ((await observe()).side === 'batch') return null;
  return 'consumers still read the stream side after the switch back to the batch';
}
