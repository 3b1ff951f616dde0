// The sweep: removes what a run left whose workflow is gone (terminated, or lost with its server).
// The same undo steps as roll-back, read from the ledger.
import { call } from './call.js';
import { removeObject } from './phases/roll-back.js';

export interface SweepInput {
  readonly name: string;
  readonly by: string;
  /**
   * Consumers that read the stream are routed back to the batch first; without it such a run is
   * refused.
   */
  readonly routeBack: boolean;
}

export interface SweepResult {
  /** Null = swept; else why nothing was changed. */
  readonly refused: string | null;
  readonly removed: readonly { readonly kind: string; readonly name: string }[];
  readonly leftovers: readonly { readonly kind: string; readonly name: string }[];
}

/** The caller MUST have seen that the migration's own workflow is not running. Idempotent. */
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
        refused: 'the cut-over happened: consumers read the stream side',
        removed: [],
        leftovers: objects,
      };
    await call('patient', 'routeBack', 'Route consumers back to the batch', ref);
  }
  if (objects.some((o) => o.kind === 'lease'))
    await call('quick', 'batchAction', 'Resume the batch', ref, 'resume', null);
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
