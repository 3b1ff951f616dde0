// Ends the adoption of objects when a run ends. The run has used adopted objects without owning
// them: they existed before, and stay as they are. A run calls this before it removes its lease
// row. If the run is terminated before this call, the lease row is left over, so a sweep is needed.
// The sweep then also ends the adoption.
import { call } from '../call.js';
import type { Run } from './run.js';

export async function leaveAdopted(run: Run): Promise<void> {
  if (!run.plan.capture.isAdopted) return;
  const left = await run.step(() =>
    call('quick', 'releaseAdopted', 'End the adoption; the adopted objects stay', run.ref),
  );
  if (left.length === 0) return; // an earlier call has ended the adoption
  const objects = left.map(({ kind, name }) => `${kind} ${name}`);
  run.audit({ kind: 'left-untouched', objects });
}
