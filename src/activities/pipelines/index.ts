// Finds the host that runs a spec's pipeline, and the groups that read for it.
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { FlinkHost } from './flink.js';
import type { PipelineHost } from './host.js';
import { KsqlHost } from './ksqldb.js';

/**
 * Returns the host; null when there is no pipeline or it is deployed externally. Throws when the
 * statements cannot be used.
 */
export function hostOf(spec: MigrationSpec, generation: number): PipelineHost | null {
  const { pipeline } = spec.spec;
  if (!pipeline || pipeline.type === 'external') return null;
  return pipeline.type === 'flink-sql'
    ? new FlinkHost(spec, generation)
    : new KsqlHost(spec, generation);
}

/** Every consumer group of the pipeline: those that the spec names, and those that only the host knows. */
export async function pipelineGroups({
  spec,
  generation,
}: Pick<MigrationRef, 'spec' | 'generation'>): Promise<string[]> {
  const host = spec.spec.pipeline?.type === 'ksqldb' ? hostOf(spec, generation) : null;
  return [...(spec.spec.pipeline?.groups ?? []), ...((await host?.groups()) ?? [])];
}
