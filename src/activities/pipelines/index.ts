// Finds the host that runs a spec's pipeline, and the consumer groups of that pipeline. Also checks
// that the secrets of the pipeline's statements may be sent to the brokers.
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { HostPlan } from '../../domain/pipelines/index.js';
import { Registry } from '../../domain/values/adapter-registry.js';
import { secretsOfStatements } from '../../connectors/flink-sql.js';
import { hostsOf } from '../../domain/migration/cluster-access.js';
import type { Deps } from '../runtime/deps.js';
import { FlinkHost } from './flink.js';
import { NO_HOST, type PipelineHost } from './host.js';
import { KsqlHost } from './ksqldb.js';

type Make = (plan: ResolvedPlan) => PipelineHost;

export const PIPELINE_HOSTS = new Registry<HostPlan['kind'], Make>('pipeline host', {
  none: () => NO_HOST,
  external: () => NO_HOST,
  flink: (plan) => new FlinkHost(plan),
  ksqldb: (plan) => new KsqlHost(plan),
});

/**
 * Returns the pipeline's host. Returns `NO_HOST` if there is no pipeline, or if Sluice does not
 * deploy it. Throws if the pipeline's statements cannot be used.
 */
export const hostOf = (plan: ResolvedPlan): PipelineHost => PIPELINE_HOSTS.of(plan.host.kind)(plan);

/**
 * Applies the rules of the worker's operator to the secrets that the statements refer to, because
 * Flink sends these secrets to the brokers. Throws Problem `permission-denied` for a secret that
 * must not be sent to these brokers.
 */
export function allowStatements({
  secret,
  plan,
}: Pick<Deps, 'secret'> & { readonly plan: ResolvedPlan }): void {
  const { pipeline, kafka } = plan.spec;
  for (const one of secretsOfStatements(pipeline?.statements?.sql ?? ''))
    secret(one, hostsOf(kafka.brokers), 'allow');
}

/**
 * Returns every consumer group of the pipeline: the groups in the spec, and the groups that only
 * the host knows.
 */
export async function pipelineGroups(plan: ResolvedPlan): Promise<string[]> {
  const groups = plan.spec.pipeline?.groups ?? [];
  return [...groups, ...(await hostOf(plan).groups())];
}
