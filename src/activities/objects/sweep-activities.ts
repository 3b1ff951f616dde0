// Activities of the sweep, which cleans up after a terminated run. They read from the ledger what the
// run left, and close the run there. The rollback's activities remove the objects.
import { auditEvent } from '../../domain/audit.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { latestRun } from './leftovers.js';
import type { Deps } from '../runtime/deps.js';

export function createLeftoverActivities(deps: Deps) {
  return {
    /** Returns the newest run of a name, and the objects that it left, in order of creation. */
    async openRun(name: string): Promise<{ ref: MigrationRef; objects: OwnedObject[] }> {
      const ref = await latestRun(deps, name);
      if (!ref) throw new Problem('name-refused', `there is no migration ${name} in the ledger`);
      return { ref, objects: await deps.ledger.openObjects(name) };
    },

    /** Records what is still left of a run. If nothing is left, it records the outcome `aborted`. */
    async recordSweep(
      ref: MigrationRef,
      by: string,
      leftovers: readonly OwnedObject[],
    ): Promise<void> {
      const record = (await deps.ledger.migrations(ref.name)).find(
        (m) => m.iteration === ref.iteration,
      );
      const at = new Date().toISOString();
      const left = leftovers.map((o) => o.name);
      await deps.ledger.recordEvents(ref, [
        auditEvent(`sweep-${at}`, at, { kind: 'swept', by, left }),
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
