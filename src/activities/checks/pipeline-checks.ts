// Checks the pipeline and its consumer groups, read-only. If Sluice deploys the pipeline, its host
// (Flink or ksqlDB) must answer and accept the statements. The names of the jobs must be free.
import type { Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';
import { UNDESCRIBED_REMEDY, knownGroup } from '../../clients/kafka/group-readers.js';
import { allowStatements, hostOf } from '../pipelines/index.js';
import { attempt, failed, passed } from '../runtime/make-finding.js';
import type { Asking } from '../objects/owned-kind.js';
import { takenNames, type IsOwned } from './names-free.js';

export async function checkPipeline(asking: Asking, isOwned: IsOwned): Promise<Check[]> {
  const { plan } = asking;
  const host = hostOf(plan);
  if (host.url === null) return [];
  let product: string;
  try {
    product = await host.product();
  } catch (error) {
    return [
      failed(
        'pipeline.reachable',
        host.url,
        classify(error).message,
        'check the URL in spec.pipeline, and the server at that URL',
      ),
    ];
  }
  return [
    passed('pipeline.reachable', host.url, product),
    await attempt('pipeline.statements', async () => {
      allowStatements(asking);
      return host.judge();
    }),
    await attempt('pipeline.names-free', async () => {
      const [taken] = await takenNames(asking, isOwned, 'pipeline.names-free');
      if (taken)
        return {
          detail: `${taken.name} already exists, and the ledger does not say that this migration created it`,
          remedy: 'choose another name, or stop or drop it if nobody uses it',
        };
      return `${host.names.length} name(s) are free`;
    }),
  ];
}

/**
 * Checks that Kafka can describe the consumer groups that the spec names. Without a description,
 * Sluice could neither prove a drain nor notice that a group has changed.
 */
export async function checkGroups(
  { systems }: Pick<Deps, 'systems'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const id of plan.spec.pipeline?.groups ?? []) {
    const ask = async (): Promise<string> => {
      const { type, state, members } = await knownGroup(systems.kafka(plan), id);
      return type === 'absent'
        ? 'the group does not exist yet'
        : `${type}, ${state}, ${members.length} member(s)`;
    };
    checks.push(await attempt('pipeline.groups', ask, id, UNDESCRIBED_REMEDY));
  }
  return checks;
}
