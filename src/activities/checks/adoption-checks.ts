// Checks that no other migration owns or has adopted an object that this migration adopts.
import { describeHolder, heldObjects } from '../../clients/ledger/adopted-objects.js';
import type { Ledger } from '../../clients/ledger/ledger.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { attempt } from '../runtime/make-finding.js';

/**
 * Returns the check `adopt.free`. Without a ledger, returns no check, because only the ledger lists
 * the objects of other migrations.
 */
export async function checkNotHeld(
  ledger: Ledger | undefined,
  { adopts, metadata }: ResolvedPlan,
): Promise<Check[]> {
  if (!ledger || adopts.length === 0) return [];
  return [
    await attempt('adopt.free', async () => {
      const held = await heldObjects(ledger, metadata.name, adopts);
      return held.length === 0
        ? 'no other migration uses the adopted objects'
        : {
            detail: held.map(describeHolder).join('; '),
            remedy: 'let that migration end first',
          };
    }),
  ];
}
