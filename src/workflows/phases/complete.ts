// complete: retires the batch, hands over the running pipeline, removes the scaffolding, and
// verifies that the scaffolding is gone.
import { CancellationScope } from '@temporalio/workflow';
import { atComplete } from '../../domain/objects/kinds.js';
import { call } from '../call.js';
import { leaveAdopted } from '../run/leave-adopted.js';
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
  await run.step(() => call('quick', 'batchAction', 'Retire the batch', ref, 'retire', null));
  if (plan.route.refusesBatch)
    await run.step(() =>
      call('quick', 'retireRole', "Revoke the batch's right to write the table", ref),
    );
  run.connectors.release();
  // the owner now runs the pipeline, and the report says how to watch its WAL
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
  const scaffolding = state.undo.filter((object) => atComplete(plan, object) === 'remove');
  for (const object of scaffolding.reverse()) {
    await run.step(() => removeObject(run.ref, object));
    state.undo = state.undo.filter((o) => o !== object);
  }
  const kept = state.undo.map(({ kind, name, where }) => ({ kind, name, where }));
  state.handedOver = await run.step(() =>
    call('patient', 'handOver', 'Hand over the running pipeline, each part observed', ref, kept),
  );
  state.leftovers = await run.step(() =>
    call('quick', 'listLeftovers', 'Verify that no scaffolding is left', ref),
  );
  await run.step(() => call('quick', 'dropFolds', 'Free memory', ref));
  state.outcome = 'migrated';
  run.audit({ kind: 'outcome', outcome: 'migrated' });
  run.show();
  await run.flushSurely();
}
