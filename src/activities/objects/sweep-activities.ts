// Defines activities of the sweep, which cleans up after a terminated run. They read from the
// ledger which objects the run left, end its attempts at the cut-over, and close the run in the
// ledger. The rollback's activities remove the objects.
import { Context } from '@temporalio/activity';
import { auditEvent } from '../../domain/audit.js';
import { hasCompleted, isRunning } from '../../clients/running-workflow.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject, Status } from '../../domain/evidence/ledger-rows.js';
import { releaseAdopted } from '../../clients/ledger/adopted-objects.js';
import { LAST_ATTEMPT, endAttempts } from '../ownership/lease-store.js';
import { latestRun } from './leftovers.js';
import { otherNamespace, type Deps } from '../runtime/deps.js';
import { originOf } from '../runtime/ledger-activities.js';
import { planned } from '../runtime/with-plan.js';

export function createLeftoverActivities(deps: Deps) {
  return {
    /**
     * Returns the newest run of a name, and the objects that it left, in order of creation. Throws
     * Problem `name-refused` if the ledger does not know the name, or if the run is alive. Also
     * throws it if the run's workflow cannot be seen from this namespace, or if the ledger was
     * restored to a time before the end of the run.
     */
    async openRun(name: string): Promise<{ ref: MigrationRef; objects: OwnedObject[] }> {
      const ref = await latestRun(deps, name);
      if (!ref) throw new Problem('name-refused', `there is no migration ${name} in the ledger`);
      const [record] = await deps.ledger.migrations(name);
      const other = record ? otherNamespace(record, deps.namespace) : null;
      if (other)
        throw new Problem(
          'name-refused',
          `${name} belongs to ${other}`,
          'set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to that namespace, and run the command there',
        );
      await refuseRunning(ref);
      if ((record?.outcome ?? null) === null) await refuseCompleted(ref);
      return { ref, objects: await deps.ledger.openObjects(name) };
    },

    /**
     * Ends every cut-over attempt of a terminated run, under the lock of its lease row. An activity
     * of such an attempt that still runs on some worker can then neither fence nor commit.
     * Idempotent. Returns whether the lease row says that the cut-over happened. If it says so, the
     * row stays unchanged.
     */
    endAttempts: (ref: MigrationRef): Promise<{ committed: boolean }> =>
      endAttempts(deps, planned(ref), LAST_ATTEMPT, () => true),

    /**
     * Ends the adoption of objects, and records which objects of a run are still left. If none is
     * left and the run has no outcome, also records the outcome `aborted`.
     */
    async recordSweep(
      ref: MigrationRef,
      by: string,
      leftovers: readonly OwnedObject[],
    ): Promise<void> {
      const record = (await deps.ledger.migrations(ref.name)).find(
        (m) => m.iteration === ref.iteration,
      );
      await releaseAdopted(deps.ledger, ref); // ends the adoption in the ledger only
      const at = new Date().toISOString();
      const left = leftovers.map((o) => o.name);
      await deps.ledger.recordEvents(ref, [
        auditEvent(`sweep-${at}`, at, { kind: 'swept', by, left }),
      ]);
      if (!record?.status || record.outcome !== null || leftovers.length > 0) return;
      const swept: Status = {
        ...record.status,
        phase: 'roll-back',
        outcome: 'aborted',
        blocked: null,
        needsApproval: false,
        leftovers: [],
        next: [],
      };
      await deps.ledger.recordStatus(ref, swept, originOf(deps));
    },
  };
}

/**
 * Refuses a run whose workflow is running. The caller has already checked this, but minutes may
 * pass between that check and this activity.
 */
async function refuseRunning({ name, workflowId }: MigrationRef): Promise<void> {
  if (await isRunning(Context.current().client, workflowId))
    throw new Problem(
      'name-refused',
      `${name} is running, so it has no leftovers`,
      `sluice cancel ${name}`,
    );
}

/**
 * Refuses a run that has ended by itself, although the ledger has no outcome. Such a ledger was
 * restored from a backup, and may list objects that the run has handed over to the user.
 */
async function refuseCompleted({ name, workflowId }: MigrationRef): Promise<void> {
  if (await hasCompleted(Context.current().client, workflowId))
    throw new Problem(
      'name-refused',
      `the workflow of ${name} has completed, but the ledger has no outcome, so the ledger was restored from a backup. It may list objects that were handed over`,
      `temporal workflow show -w ${workflowId} shows the outcome; then remove by hand what is really left over`,
    );
}
