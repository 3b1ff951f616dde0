// Lists the ACLs that a migration needs at Kafka, for each principal. `sluice plan` prints them.
import { isAuthenticated } from '../migration/cluster-access.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';

export type AclOperation = 'Create' | 'Delete' | 'Describe' | 'DescribeConfigs' | 'Read' | 'Write';

export interface Acl {
  /**
   * `worker` is the login in `kafka.sasl`, or the client certificate in `kafka.tls`. `flink` is the
   * login in `validation.sasl`. `connect` is the login of the Connect workers, and `pipeline` is
   * the login of your pipeline.
   */
  readonly principal: 'worker' | 'flink' | 'connect' | 'pipeline';
  readonly resource: 'topic' | 'group';
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operations: readonly AclOperation[];
  readonly why: string;
}

/** Operations on a topic that Sluice creates, reads, and removes at a rollback. */
const OWNED: readonly AclOperation[] = ['Create', 'Delete', 'Describe', 'DescribeConfigs', 'Read'];

/** Returns the ACLs. The list is empty if the brokers do not authenticate their clients. */
export function aclsOf(plan: ResolvedPlan): Acl[] {
  if (!isAuthenticated(plan.spec.kafka)) return [];
  if (plan.capture.isAdopted) return ofAdopted(plan);
  return [...ofWorker(plan), ...ofEngine(plan), ...ofConnect(plan), ...ofPipeline(plan)];
}

/**
 * Adopted topics and their connector existed before the migration (`spec.existing`). Sluice only
 * reads these topics, and the connector already has its ACLs.
 */
const ofAdopted = ({ captures }: ResolvedPlan): Acl[] =>
  captures.map(({ topic: name }) => ({
    principal: 'worker',
    ...topic(name),
    operations: ['Describe', 'DescribeConfigs', 'Read'],
    why: 'Sluice compares the adopted topic',
  }));

/**
 * All topics that Sluice names begin with one prefix, so a new generation needs no additional ACLs.
 */
const ownTopics = ({ spec, metadata }: ResolvedPlan) =>
  ({
    resource: 'topic',
    name: `${spec.connector.topicPrefix ?? metadata.name}.`,
    pattern: 'prefixed',
  }) as const;

const topic = (name: string) => ({ resource: 'topic', name, pattern: 'literal' }) as const;
const group = (name: string) => ({ resource: 'group', name, pattern: 'literal' }) as const;

/**
 * Returns the pattern of an ACL for the internal topics of a Kafka Streams application, such as its
 * repartition topics. Their names begin with the application's id.
 */
export const betweenStages = (application: string) =>
  ({ resource: 'topic', name: `${application}-`, pattern: 'prefixed' }) as const;

/**
 * Returns a possible name of such an internal topic. The topic need not exist: a request for it
 * already shows whether ACLs hide the internal topics.
 */
export const aTopicBetweenStages = (application: string): string => `${application}-repartition`;

/**
 * Returns a list with the output topic. The list is empty if there is no pipeline, or if the prefix
 * of `ownTopics` covers the topic.
 */
const outputs = (plan: ResolvedPlan): string[] =>
  [plan.spec.pipeline?.output.topic].filter(
    (name): name is string => name !== undefined && !name.startsWith(ownTopics(plan).name),
  );

const stages = (plan: ResolvedPlan): string[] =>
  (plan.batch?.stages ?? [])
    .map((stage) => stage.topic)
    .filter((name) => !name.startsWith(ownTopics(plan).name));

function ofWorker(plan: ResolvedPlan): Acl[] {
  const { spec, names, capture, sink } = plan;
  const writes =
    capture.loading.copies || capture.loading.isSignalled || spec.validation.engine === 'flink';
  const acl = { principal: 'worker' } as const;
  const own = capture.loading.isSignalled ? [names.signalGroup] : [];
  return [
    {
      ...acl,
      ...ownTopics(plan),
      operations: writes ? [...OWNED, 'Write'] : OWNED,
      why: 'Sluice creates these topics, compares them, and removes them at a rollback',
    },
    ...outputs(plan).map((name) => ({
      ...acl,
      ...topic(name),
      operations: OWNED,
      why: 'Sluice creates the output topic, compares it, and removes it at a rollback',
    })),
    ...stages(plan).map((name) => ({
      ...acl,
      ...topic(name),
      operations: ['Describe', 'DescribeConfigs', 'Read'] as const,
      why: 'Sluice compares the stage',
    })),
    ...(spec.pipeline?.groups ?? []).map((name) => ({
      ...acl,
      ...group(name),
      operations: plan.host.groups.includes(name)
        ? (['Delete', 'Describe'] as const)
        : (['Describe'] as const),
      why: 'its offsets prove that the pipeline has read everything',
    })),
    ...(spec.pipeline?.groups ?? []).map((name) => ({
      ...acl,
      ...betweenStages(name),
      operations: ['Describe', 'Read'] as const,
      why: 'the pipeline is drained only when it has also read its internal topics (Kafka Streams)',
    })),
    ...own.map((name) => ({
      ...acl,
      ...group(name),
      operations: ['Delete', 'Describe', 'Read'] as const,
      why: "the connector reads Sluice's signals with the login of the Sluice worker",
    })),
    ...(sink
      ? [
          {
            ...acl,
            ...group(sink.group),
            operations: ['Delete', 'Describe'] as const,
            why: "the sink's offsets prove that it has written everything",
          },
        ]
      : []),
  ];
}

/** Without a login of its own, Flink logs in as the worker, which may read these topics. */
const ofEngine = (plan: ResolvedPlan): Acl[] =>
  plan.spec.validation.sasl
    ? [
        {
          principal: 'flink',
          ...ownTopics(plan),
          operations: ['Describe', 'Read'],
          why: "Flink reads the topics of the tables, and the topic with each window's rows",
        },
      ]
    : [];

function ofConnect(plan: ResolvedPlan): Acl[] {
  const { sink } = plan;
  const acl = { principal: 'connect' } as const;
  const source: Acl = {
    ...acl,
    ...ownTopics(plan),
    operations: ['Describe', 'Write'],
    why: 'the source connector writes the changes of the tables',
  };
  if (!sink) return [source];
  return [
    source,
    ...[plan.spec.pipeline!.output.topic].map((name) => ({
      ...acl,
      ...topic(name),
      operations: ['Describe', 'Read'] as const,
      why: 'the sink reads the output',
    })),
    { ...acl, ...group(sink.group), operations: ['Read'], why: 'the sink commits its offsets' },
  ];
}

function ofPipeline(plan: ResolvedPlan): Acl[] {
  const { pipeline } = plan.spec;
  if (!pipeline) return [];
  const acl = { principal: 'pipeline' } as const;
  return [
    {
      ...acl,
      ...ownTopics(plan),
      operations: ['Describe', 'Read'],
      why: 'the pipeline reads the topics of the tables',
    },
    ...[pipeline.output.topic, ...(plan.batch?.stages ?? []).map((stage) => stage.topic)].map(
      (name) => ({
        ...acl,
        ...topic(name),
        operations: ['Describe', 'Write'] as const,
        why: 'the pipeline writes its results',
      }),
    ),
    ...pipeline.groups.map((name) => ({
      ...acl,
      ...group(name),
      operations: ['Describe', 'Read'] as const,
      why: 'the pipeline commits its offsets',
    })),
  ];
}
