// roll-back: makes consumers read the batch and observes that they do. Then it removes the owned
// objects in reverse order, and verifies that each is gone. Nothing can interrupt this phase. A
// removal that fails blocks the run. If the run was reset, the ledger may list objects that are not
// on its undo list, and they are removed too. If the ledger lists objects even after this, they are
// leftovers. `sluice get` and the report name them with their remedy, and
// `sluice doctor --leftovers` finds them.
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { call } from '../call.js';
import { openRun } from './prepare.js';
import type { Run } from '../run/run.js';
import { leaveAdopted } from '../run/leave-adopted.js';
import { addLeftovers } from '../run/leftovers.js';
import { removeObject } from '../run/remove-object.js';

export async function rollBack(run: Run): Promise<void> {
  const { state } = run;
  state.needsApproval = false;
  run.connectors.release();
  run.stopGuard();
  // A run that was reset to its first workflow task does not know what its earlier execution made.
  if (!state.spec && run.isContinued) await openRun(run);
  if (state.spec) {
    const { ref } = run;
    // Consumers return before the ledger is asked, because the ledger may not answer for hours.
    const isReturned = state.undo.length > 0;
    if (isReturned) await returnToBatch(run);
    const { objects, handedOver, hasCompleted } = await run.step(() =>
      call('quick', 'listOwned', 'Read from the ledger what this run owns', ref),
    );
    run.willMake(...objects);
    state.handedOver = [...handedOver];
    // An empty undo list can have three causes. If nothing was made, or if the run continued as new
    // after the last removal, consumers already read the batch. If the run was reset, its list now
    // has the objects of the ledger, and consumers may read the stream. If it had completed before
    // the reset, they may read the stream although the run owns nothing any more.
    if (!isReturned && (state.undo.length > 0 || hasCompleted)) await returnToBatch(run);
    // The adoption ends before the lease row is removed. If the run is terminated while the row
    // exists, a sweep finds the row, and also ends the adoption.
    await leaveAdopted(run);
    await removeAll(run, state.undo);
    const listed = await run.step(() =>
      call('quick', 'listLeftovers', 'Verify that no object of this migration is left', ref),
    );
    addLeftovers(state, listed);
    await run.step(() => call('quick', 'dropFolds', 'Free memory', ref));
  }
  await run.unblock(); // if `prepare` failed, no step has run that would clear the block
  state.outcome = state.wayBack!.outcome;
  run.audit({ kind: 'outcome', outcome: state.outcome });
  run.show();
  await run.flushSurely();
}

/**
 * Returns consumers to the batch, and waits until they are observed there. The lease row alone does
 * not prove which side they read. A restored database can lack the commit, and another system can
 * switch late.
 */
async function returnToBatch(run: Run): Promise<void> {
  const { ref, plan } = run;
  if (await isCommitted(run)) await routeBack(run);
  await run.step(() => call('quick', 'batchAction', 'Resume the batch', ref, 'resume', null));
  for (let looks = 1; !(await isOnBatch(run)); looks += 1) {
    if (looks > 1) {
      const detail = 'consumers still read the stream side after the switch back to the batch';
      const remedy = `${plan.route.words.unexpected}, then: sluice retry`;
      await run.park({ code: 'route-unexpected', since: run.now(), detail, remedy }, true);
    }
    await routeBack(run);
  }
  await run.unblock();
}

/** Returns whether the lease row says that the commit happened. If not, releases its fence. */
async function isCommitted(run: Run): Promise<boolean> {
  const { ref } = run;
  const { fenceToken: token, attempts: attempt } = run.state;
  const switched = await run.step(() =>
    call('quick', 'isSwitched', 'Read the lease row: did the cut-over happen?', ref),
  );
  if (switched || !token) return switched;
  const { committed } = await run.step(() =>
    call('quick', 'releaseFence', 'Release the fence', { ref, token, attempt }),
  );
  return committed;
}

async function routeBack(run: Run): Promise<void> {
  await run.ask(() => call('patient', 'routeBack', 'Route consumers back to the batch', run.ref));
  run.state.committedAt = null;
}

async function isOnBatch(run: Run): Promise<boolean> {
  run.state.route = await run.ask(() =>
    call('quick', 'observeRoute', 'Observe that consumers read the batch', run.ref),
  );
  return run.state.route.side === 'batch';
}

/**
 * Removes the objects of a lost generation. The lease row stays for the next generation. If the run
 * was reset to a point before its commit, the removal would include the table that consumers read.
 * In that case, the run waits for a rollback instead. It also waits if it had already ended before
 * the reset, because a new generation could then never be cut over.
 */
export async function clearGeneration(run: Run): Promise<void> {
  while (
    await run.ask(() =>
      call('quick', 'isSwitched', 'Read the lease row: did the cut-over happen?', run.ref, true),
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
    if (await run.step(() => removeObject(run.ref, object))) noteUnlisted(run, object);
    run.state.undo = run.state.undo.filter((o) => o !== object);
  }
}

/**
 * Reports an object that exists although the ledger has never listed it. If the run has completed
 * the phase `connect`, it must have made the object, and the ledger must have been restored from an
 * older backup. Otherwise, another system may have made the object.
 */
function noteUnlisted(run: Run, { kind, name }: OwnedObject): void {
  const isOurs = run.isBehind('connect');
  const why = `${kind} ${name} exists, but the ledger does not list it`;
  const advice = isOurs
    ? 'this migration made it, so remove it by hand'
    : 'another system may have made it, so it stays';
  run.audit({ kind: 'left-untouched', objects: [`${why}; ${advice}`] });
  if (isOurs) addLeftovers(run.state, [{ kind, name }]);
}
