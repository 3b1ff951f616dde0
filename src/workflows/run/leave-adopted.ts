// Ends the adoption of objects when a run ends. The ledger lists the adopted objects, and they stay
// as they are. A run calls this before it removes its lease row. Until then, the row is a leftover
// of a terminated run, so that the sweep ends the adoption.
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
