// Ends the adoption of objects when a run ends. The ledger lists the adopted objects, and they stay
// as they are.
import { call } from '../call.js';
import type { Run } from './run.js';

export async function leaveAdopted(run: Run): Promise<void> {
  if (!run.plan.capture.isAdopted) return;
  const left = await run.step(() =>
    call('quick', 'releaseAdopted', 'End the adoption; the adopted objects stay', run.ref),
  );
  const objects = left.map(({ kind, name }) => `${kind} ${name}`);
  run.audit({ kind: 'left-untouched', objects });
}
