// Removes the objects of a run whose workflow no longer exists (it was terminated, or lost with its
// server). The sweep runs the undo activities of roll-back on the objects that the ledger lists.
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
  /** The reason why the sweep changed nothing. Null if it ran. */
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
  if (await call('quick', 'isSwitched', 'Read the lease row: did the cut-over happen?', ref)) {
    if (!routeBack)
      return {
        refused: 'the cut-over happened, so consumers read the stream side',
        removed: [],
        leftovers: objects,
      };
    await call('patient', 'routeBack', 'Route consumers back to the batch', ref);
  }
  if (objects.some((o) => o.kind === 'lease'))
    await call('quick', 'batchAction', 'Resume the batch', ref, 'resume', null);
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
