// catch-up: deploys the pipeline, unless it is external. In a later generation, the owner of an
// external pipeline has to move it to the new topics; until then, the run is blocked. Then the
// phase proves several barriers in a row through source, connector, pipeline, output and sink. Each
// barrier has the time limit `catchUp.within`.
import { pipelineGroups } from '../../domain/objects/group.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { call } from '../call.js';
import type { Run } from '../run/run.js';

export async function catchUp(run: Run): Promise<void> {
  const { host } = run.plan;
  if (host.url !== null) await deployPipeline(run);
  else if (host.isMovedByOwner && run.ref.generation > 1) {
    await run.step(() =>
      call(
        'patient',
        'pipelineHasMoved',
        `Wait until the pipeline reads the topics of generation ${run.ref.generation}`,
        run.ref,
      ),
    );
  }
  const { barriers, within } = run.spec.catchUp;
  const reached = await run.step(() =>
    call('long', 'catchUp', `${barriers} barriers in a row, each within ${within}`, run.ref),
  );
  run.state.lag = { ...run.state.lag, ms: reached.ms };
  run.audit({ kind: 'caught-up', lsn: reached.lsn, ms: reached.ms });
}

async function deployPipeline(run: Run): Promise<void> {
  const { ref, plan } = run;
  // Groups are listed before jobs. A rollback removes in reverse order, so it stops the jobs first.
  run.willMake(...pipelineGroups(plan), ...KINDS.job.planned(plan));
  await run.step(() =>
    call('long', 'ensurePipeline', `Deploy the pipeline (${run.spec.pipeline!.type})`, ref),
  );
  run.audit({ kind: 'pipeline', jobs: plan.host.jobs });
}
