// Checks Kafka's ACLs, as far as this is possible without changing anything.
import { hiddenProblem, notCreatable } from '../../clients/kafka/topics.js';
import { aTopicBetweenStages, aclsOf, betweenStages, type Acl } from '../../domain/access/acls.js';
import { isAuthenticated } from '../../domain/migration/cluster-access.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { topicsToMake } from '../../domain/plan/topic-settings.js';
import type { Asking } from '../objects/owned-kind.js';
import { attempt } from '../runtime/make-finding.js';

/**
 * Asks the brokers whether they would create the topics of the plan. Rights to read and write
 * cannot be tried before the topics exist. Also checks that ACLs do not hide internal topics of the
 * pipeline. Returns no check if the brokers do not authenticate their clients.
 */
export async function checkAcls({ plan, systems }: Asking): Promise<Check[]> {
  const { kafka } = plan.spec;
  if (!isAuthenticated(kafka)) return [];
  const topics = topicsToMake(plan).map(({ topic, partitions, settings }) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: kafka.replication,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  }));
  return [
    await attempt('kafka.acls', async () => {
      const refused = await notCreatable(await systems.kafka(plan).admin(), topics);
      const denied = refused.filter(({ type }) => type.endsWith('_AUTHORIZATION_FAILED'));
      const [other] = refused.filter((one) => !denied.includes(one));
      if (denied.length > 0)
        return {
          detail: `${principalOf(plan)} is not allowed to CREATE ${denied.map(({ topic }) => topic).join(', ')}`,
          remedy: commandsOf(plan, () => true),
        };
      if (other)
        return {
          detail: `the brokers would not create ${other.topic}: ${other.type} ${other.message}`,
          remedy: 'correct spec.kafka.replication or the policy of the brokers',
        };
      return `the brokers would create ${topics.length} topic(s)`;
    }),
    ...(await Promise.all(
      pipelineGroupsOf(plan).map((group) => seesStages({ plan, systems }, group)),
    )),
  ];
}

const pipelineGroupsOf = ({ spec }: ResolvedPlan): readonly string[] => spec.pipeline?.groups ?? [];

/**
 * Checks that ACLs do not hide the internal topics of this group's application. A window could not
 * prove that the application has read hidden topics.
 */
const seesStages = ({ plan, systems }: Pick<Asking, 'plan' | 'systems'>, group: string) =>
  attempt(
    'kafka.acls',
    async () => {
      if ((await hiddenProblem(systems.kafka(plan), [aTopicBetweenStages(group)])) === null)
        return 'the internal topics of a Kafka Streams application are visible';
      const { name } = betweenStages(group);
      return {
        detail: `${principalOf(plan)} is not allowed to DESCRIBE topics whose names begin with ${name}`,
        remedy: commandsOf(plan, (acl) => acl.name === name),
      };
    },
    group,
  );

const principalOf = ({ spec: { kafka } }: ResolvedPlan): string =>
  kafka.sasl === undefined
    ? "the principal of the worker's certificate"
    : kafka.sasl.mechanism === 'oauthbearer'
      ? "the principal of the worker's token"
      : `User:${kafka.sasl.username}`;

/** Returns the commands that add the wanted ACLs of the worker. */
const commandsOf = (plan: ResolvedPlan, isWanted: (acl: Acl) => boolean): string =>
  aclsOf(plan)
    .filter((acl) => acl.principal === 'worker' && isWanted(acl))
    .map((acl) => aclCommand(acl, principalOf(plan)))
    .join('; ');

/** Returns the command that adds an ACL. */
function aclCommand({ resource, name, pattern, operations }: Acl, principal: string): string {
  const unnamed = principal.endsWith('token') ? 'User:…' : 'User:CN=…';
  const who = principal.startsWith('User:') ? principal : unnamed;
  const what = operations.map((operation) => `--operation ${operation}`).join(' ');
  return `kafka-acls --add --allow-principal ${who} ${what} --${resource} ${name} --resource-pattern-type ${pattern}`;
}
