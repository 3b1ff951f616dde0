// Finds the host that runs a spec's pipeline, and the groups that read for it.
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { hostPlan, type HostPlan } from '../../domain/pipelines/index.js';
import { Registry } from '../../domain/values/registry.js';
import { FlinkHost } from './flink.js';
import type { PipelineHost } from './host.js';
import { KsqlHost } from './ksqldb.js';

type Make = (spec: MigrationSpec, generation: number) => PipelineHost | null;

export const PIPELINE_HOSTS = new Registry<HostPlan['kind'], Make>('pipeline host', {
  none: () => null,
  external: () => null,
  flink: (spec, generation) => new FlinkHost(spec, generation),
  ksqldb: (spec, generation) => new KsqlHost(spec, generation),
});

/**
 * Returns the host. Null means that there is no pipeline, or that Sluice does not deploy it. Throws if
 * the statements cannot be used.
 */
export const hostOf = (spec: MigrationSpec, generation: number): PipelineHost | null =>
  PIPELINE_HOSTS.of(hostPlan(spec, generation).kind)(spec, generation);

/** Returns every consumer group of the pipeline: those in the spec, and those that only the host knows. */
export async function pipelineGroups({
  spec,
  generation,
}: Pick<MigrationRef, 'spec' | 'generation'>): Promise<string[]> {
  const host = hostOf(spec, generation);
  return [...(spec.spec.pipeline?.groups ?? []), ...((await host?.groups()) ?? [])];
}
