// The sweep's own activities: what a run left is read from the ledger, and the run closed there. Removing is what roll-back does too.
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { latestRun } from './leftovers.js';
import type { Deps } from '../runtime/deps.js';

export function createLeftoverActivities(deps: Deps) {
  return {
    /** The newest run of a name and what it left, in the order in which it was made. */
    async openRun(name: string): Promise<{ ref: MigrationRef; objects: OwnedObject[] }> {
      const ref = await latestRun(deps, name);
      if (!ref) throw new Problem('name-refused', `the ledger knows no migration ${name}`);
      return { ref, objects: await deps.ledger.openObjects(name) };
    },

    /** Closes a run whose workflow is gone: what is left is recorded, and the outcome where nothing is. */
    async recordSweep(
      ref: MigrationRef,
      by: string,
      leftovers: readonly OwnedObject[],
    ): Promise<void> {
      const record = (await deps.ledger.migrations(ref.name)).find(
        (m) => m.iteration === ref.iteration,
      );
      const at = new Date().toISOString();
      await deps.ledger.recordEvents(ref, [
        {
          id: `sweep-${at}`,
          at,
          kind: 'swept',
          detail: `by ${by}; left: ${leftovers.map((o) => o.name).join(', ') || 'nothing'}`,
        },
      ]);
      if (!record?.status || record.outcome !== null || leftovers.length > 0) return;
      await deps.ledger.recordStatus(ref, {
        ...record.status,
        phase: 'roll-back',
        outcome: 'aborted',
        blocked: null,
        needsApproval: false,
        leftovers: [],
        next: [],
      });
    },
  };
}
