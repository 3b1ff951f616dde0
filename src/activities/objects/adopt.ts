// Defines the activities that adopt existing objects and that end the adoption. They do not change
// the objects.
import {
  describeHolder,
  heldObjects,
  ledgerTime,
  recordAdopted,
  releaseAdopted,
  type AdoptedRow,
} from '../../clients/ledger/adopted-objects.js';
import { describeCheck, openChecks } from '../../domain/evidence/check.js';
import { Problem } from '../../domain/failure.js';
import type { AdoptedObject } from '../../domain/capture/adopted.js';
import { inspectAdopted } from '../capture/adopted-objects.js';
import type { Deps } from '../runtime/deps.js';
import { stopIfCancelled } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

const taken = (holder: string): Problem =>
  new Problem('object-not-ours', holder, 'let that migration end first, then: sluice retry');

export function createAdoptionActivities(deps: Deps) {
  const { ledger } = deps;
  return withPlan({
    /**
     * Checks the objects once more and records them as adopted, with their identities. Idempotent.
     * Throws Problem `preflight-failed` if an object cannot be adopted. Throws Problem
     * `object-not-ours` if another migration has the object, or if the run has ended. If it throws,
     * nothing is recorded.
     */
    async adoptObjects({ ref, plan }: Planned): Promise<readonly AdoptedObject[]> {
      const begun = await ledgerTime(ledger);
      const { checks, objects } = await inspectAdopted(deps, plan);
      const open = openChecks(checks);
      if (open.length > 0)
        throw new Problem(
          'preflight-failed',
          open.map(describeCheck).join('; '),
          `${open.map(({ remedy }) => remedy).join('; ')}; then: sluice retry`,
        );
      const [held] = await heldObjects(ledger, ref.name, objects);
      if (held) throw taken(describeHolder(held));
      stopIfCancelled();
      const recorded = await recordAdopted(ledger, ref, objects, begun);
      if (recorded === 'taken')
        throw taken('another migration has just adopted one of these objects');
      if (recorded === 'ended')
        throw new Problem(
          'object-not-ours',
          `migration ${ref.name} has ended, or has already released its adopted objects`,
          'nothing was adopted; begin a new run with: sluice start',
        );
      return objects;
    },

    /** Ends the adoption in the ledger, and returns the objects. They stay as they are. */
    releaseAdopted: ({ ref }: Planned): Promise<readonly AdoptedRow[]> =>
      releaseAdopted(ledger, ref),
  });
}
