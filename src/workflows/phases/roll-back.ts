// roll-back: makes consumers read the batch and observes that they do. Then it removes the owned
// objects in reverse order, and verifies that each is gone. Nothing can interrupt this phase. A
// removal that fails blocks the run. Objects that only the ledger still lists do not keep the run
// from ending. `get` and the report name these leftovers with their remedy, and `doctor
// --leftovers` finds them.
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { call } from '../call.js';
import type { Run } from '../run/run.js';
import { leaveAdopted } from '../run/leave-adopted.js';
import { removeObject } from '../run/remove-object.js';

export async function rollBack(run: Run): Promise<void> {
  const { state } = run;
  state.needsApproval = false;
  run.connectors.release();
  run.stopGuard();
  if (state.spec && state.undo.length > 0) {
    const { ref } = run;
    const switched = await run.step(() =>
      call('quick', 'isSwitched', 'Read the lease row: did the cut-over happen?', ref),
    );
    if (switched) {
      await run.step(() => call('patient', 'routeBack', 'Route consumers back to the batch', ref));
      state.committedAt = null;
    } else if (state.fenceToken) {
      const token = state.fenceToken;
      await run.step(() =>
        call('quick', 'releaseFence', 'Release the fence', { ref, token, attempt: state.attempts }),
      );
    }
    await run.step(() => call('quick', 'batchAction', 'Resume the batch', ref, 'resume', null));
    state.route = await run.step(() =>
      call('quick', 'observeRoute', 'Observe that consumers read the batch', ref),
    );
    await removeAll(run, state.undo);
    await leaveAdopted(run);
    state.leftovers = await run.step(() =>
      call('quick', 'listLeftovers', 'Verify that no object of this migration is left', ref),
    );
    await run.step(() => call('quick', 'dropFolds', 'Free memory', ref));
  }
  state.outcome = state.wayBack!.outcome;
  run.audit({ kind: 'outcome', outcome: state.outcome });
  run.show();
  await run.flushSurely();
}

/**
 * Removes the objects of a lost generation. The lease row stays for the next generation. If the run
 * was reset to a point before its commit, the removal would include the table that consumers read.
 * In that case, the run waits for a rollback instead.
 */
export async function clearGeneration(run: Run): Promise<void> {
  while (
    await run.ask(() =>
      call('quick', 'isSwitched', 'Read the lease row: did the cut-over happen?', run.ref),
    )
  ) {
    const detail =
      'the cut-over has happened (the lease row says SWITCHED) and the capture is lost; a new generation would remove what consumers read';
    await run.park(
      {
        code: 'route-unexpected',
        since: run.now(),
        detail,
        remedy: 'sluice rollback ID --reason "..."',
      },
      false,
    );
  }
  run.connectors.release();
  await removeAll(
    run,
    run.state.undo.filter((o) => o.kind !== 'lease'),
  );
}

async function removeAll(run: Run, objects: readonly OwnedObject[]): Promise<void> {
  for (const object of [...objects].reverse()) {
    await run.step(() => removeObject(run.ref, object));
    run.state.undo = run.state.undo.filter((o) => o !== object);
  }
}
