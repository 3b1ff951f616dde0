// Watches the runs of the batch, and pauses, resumes or retires the batch.
import { postAction } from '../../clients/http/route-http.js';
import type { SourceClient } from '../../clients/postgres/connection.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { Problem } from '../../domain/failure.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';
import { pause, stopIfCancelled } from '../runtime/poll-until.js';
import { activeAnywhere } from './source-at-commit.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

const BATCH_POLL_MS = 5000;

type BatchAction = 'pause' | 'resume' | 'retire';

export function createBatchActivities(deps: Pick<Deps, 'secret'>) {
  return withPlan({
    /**
     * Returns a description of the batch run that is active. Returns null if no run is active, or
     * if the spec has no `batch.runs`, so that Sluice cannot see runs.
     */
    async activeBatchRun({ plan }: Planned): Promise<string | null> {
      return plan.batch?.runs ? activeAnywhere(deps, plan) : null;
    },

    /** Waits until no batch run is active. The activity's heartbeat describes the active run. */
    async untilNoBatchRun({ plan }: Planned): Promise<void> {
      for (;;) {
        const active = await activeAnywhere(deps, plan);
        if (active === null) return;
        await pause(BATCH_POLL_MS, { waitsFor: active });
      }
    },

    /**
     * Runs `batch.pause`, `batch.resume` or `batch.retire`, if the spec has it. `until` is the ISO
     * time at which a pause must end. SQL that contains $1 gets this time as its parameter, and a
     * request gets it in its body. Throws Problem `batch-action` if the action fails.
     */
    async batchAction(run: Planned, action: BatchAction, until: string | null): Promise<void> {
      return runAction(deps, run, action, until);
    },
  });
}

async function runAction(
  { secret }: Pick<Deps, 'secret'>,
  { ref, plan }: Planned,
  action: BatchAction,
  until: string | null,
): Promise<void> {
  const wanted = plan.batch?.[action];
  if (!wanted) return;
  stopIfCancelled();
  try {
    if ('url' in wanted)
      return await postAction(wanted.url, { migration: ref.name, action, until });
    const { sql } = wanted;
    const order = (client: SourceClient) =>
      until && sql.includes('$1') ? client.query(sql, [until]) : client.query(sql);
    await withTarget(plan, secret, order, { appliesRowSecurity: true });
  } catch (error) {
    throw new Problem('batch-action', `batch.${action} failed: ${classify(error).message}`);
  }
}
