// complete: retires the batch, and removes the scaffolding (the objects that only the migration
// needs). It hands over the running pipeline to its owner, and then removes the lease row as the
// last object. At the end, it verifies that no scaffolding is left.
import { CancellationScope } from '@temporalio/workflow';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { atComplete } from '../../domain/objects/kinds.js';
import { call } from '../call.js';
import { untilOnStream } from '../cutover/on-stream.js';
import { leaveAdopted } from '../run/leave-adopted.js';
import { addLeftovers } from '../run/leftovers.js';
import type { Run } from '../run/run.js';
import { removeObject } from '../run/remove-object.js';

/**
 * Runs the phase. Nothing can interrupt it, because a partial hand-over would leave a pipeline
 * without an owner.
 */
export async function complete(run: Run): Promise<void> {
  await CancellationScope.nonCancellable(() => retireAndHandOver(run));
}

async function retireAndHandOver(run: Run): Promise<void> {
  const { ref, plan, state } = run;
  // the soak has checked the route, but the route may have changed while a pause delayed this phase
  if (!state.isRetiring) await untilOnStream(run, 'sluice retry');
  state.isRetiring = true;
  await run.step(() => call('quick', 'batchAction', 'Retire the batch', ref, 'retire', null));
  if (plan.route.refusesBatch)
    await run.step(() =>
      call('quick', 'retireRole', "Revoke the batch role's privileges to write to the table", ref),
    );
  run.connectors.release();
  // from now on, the owner must watch the slot and its WAL; the report says how
  run.stopGuard();
  if (plan.capture.hasSlot)
    await run.step(() =>
      call(
        'patient',
        'handOverConnector',
        'Reconfigure the connector without barrier and notification topics',
        ref,
      ),
    );
  await leaveAdopted(run);
  await removeScaffolding(run, ({ kind }) => kind !== 'lease');
  const kept = state.undo
    .filter(({ kind }) => kind !== 'lease')
    .map(({ kind, name, where }) => ({ kind, name, where }));
  state.handedOver = await run.step(() =>
    call('patient', 'handOver', 'Hand over the running pipeline, each part observed', ref, kept),
  );
  // The lease row is removed last, because it tells a sweep that consumers read the stream. If the
  // run were terminated without the row, a sweep would remove the pipeline of the consumers.
  await removeScaffolding(run, ({ kind }) => kind === 'lease');
  const listed = await run.step(() =>
    call('quick', 'listLeftovers', 'Verify that no scaffolding is left', ref),
  );
  addLeftovers(state, listed); // an earlier, lost generation may have left something
  await run.step(() => call('quick', 'dropFolds', 'Free memory', ref));
  state.outcome = 'migrated';
  run.audit({ kind: 'outcome', outcome: 'migrated' });
  run.show();
  await run.flushSurely();
}

async function removeScaffolding(
  run: Run,
  isMeant: (object: OwnedObject) => boolean,
): Promise<void> {
  const { plan, state } = run;
  const isScaffolding = (object: OwnedObject): boolean => atComplete(plan, object) === 'remove';
  const objects = state.undo.filter((object) => isScaffolding(object) && isMeant(object));
  for (const object of objects.reverse()) {
    await run.step(() => removeObject(run.ref, object));
    state.undo = state.undo.filter((o) => o !== object);
  }
}
