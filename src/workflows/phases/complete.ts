// complete: the batch is retired, the pipeline handed over running, the scaffolding removed and
// verified gone.
import { CancellationScope } from '@temporalio/workflow';
import { atComplete } from '../../domain/objects/kinds.js';
import { call } from '../call.js';
import type { Run } from '../run/run.js';
import { removeObject } from './roll-back.js';

/**
 * Nothing interrupts this phase, because a partial hand-over would leave a pipeline without an
 * owner.
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
  run.stopGuard(); // the pipeline is the owner's from here on, with the WAL advice in the report
  if (plan.capture.hasSlot)
    await run.step(() =>
      call(
        'patient',
        'handOverConnector',
        'Reconfigure the connector without barrier and notification topics',
        ref,
      ),
    );
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
  run.audit('outcome', 'migrated');
  run.show();
  await run.flushSurely();
}
