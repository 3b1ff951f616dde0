// catch-up: the pipeline deployed, where that is ours to do; then barriers in a row through source, connector, pipeline, output and sink, each within its time.
import { jobNames } from '../../domain/migration/names.js';
import { hostUrl } from '../../domain/migration/spec.js';
import { call } from '../activities.js';
import type { Run } from '../run/run.js';

export async function catchUp(run: Run): Promise<void> {
  const { pipeline } = run.spec;
  if (pipeline && pipeline.type !== 'external') await deployPipeline(run);
  else if (pipeline && run.ref.generation > 1) {
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
  run.audit('caught-up', `barrier at ${reached.lsn} in ${reached.ms} ms`);
}

async function deployPipeline(run: Run): Promise<void> {
  const { ref } = run;
  const { pipeline, kafka } = run.spec;
  // Groups before jobs: on the way back the jobs are stopped first.
  run.willMake(
    ...pipeline!.groups.map((name) => ({
      kind: 'group' as const,
      name,
      where: kafka.brokers.join(','),
    })),
  );
  run.willMake(
    ...jobNames(ref.spec, ref.generation).map((name) => ({
      kind: 'job' as const,
      name,
      where: hostUrl(pipeline!),
    })),
  );
  await run.step(() =>
    call('long', 'ensurePipeline', `Deploy the pipeline (${pipeline!.type})`, ref),
  );
  run.audit('pipeline', `running: ${jobNames(ref.spec, ref.generation).join(', ')}`);
}
