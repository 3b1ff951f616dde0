// prepare: opens the run (accepts spec and name) and checks every precondition. It creates no
// objects.
import { FAILURES } from '../../domain/failure.js';
import { describeCheck, openChecks } from '../../domain/evidence/check.js';
import { workflowInfo } from '@temporalio/workflow';
import { call } from '../call.js';
import type { Run } from '../run/run.js';

export async function prepare(run: Run): Promise<void> {
  if (!run.state.spec) await openRun(run);
  for (;;) {
    const checks = await run.ask(() =>
      call('long', 'preflight', 'Preflight: source, batch, Kafka, Connect, names', run.ref),
    );
    const open = openChecks(checks);
    for (const { name, subject, detail } of checks.filter((c) => c.status === 'waived'))
      run.audit({ kind: 'waived', check: name, subject, problem: detail });
    if (open.length === 0) return run.unblock();
    const remedies = open
      .map((c) => c.remedy)
      .filter(Boolean)
      .join('; ');
    await run.park(
      {
        code: 'preflight-failed',
        since: run.now(),
        detail: open.map(describeCheck).join('; '),
        remedy: remedies || FAILURES['preflight-failed'].remedy,
      },
      true,
    );
  }
}

/**
 * Opens the run in the ledger. If the run was reset, it gets the iteration and generation that it
 * had before the reset.
 */
export async function openRun(run: Run): Promise<void> {
  const { workflowId } = workflowInfo();
  const opened = await run.step(() =>
    call('quick', 'openMigration', 'Check spec and name, open the run', {
      input: run.input,
      workflowId,
      runKey: run.state.runKey,
    }),
  );
  Object.assign(run.state, opened);
  const { iteration, generation, planHash } = opened;
  run.state.evidencePlan = planHash;
  run.audit({ kind: 'opened', iteration, generation, planHash });
  await run.flush();
}
