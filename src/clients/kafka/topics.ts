// Describes topics with their settings, creates topics, and finds topics that ACLs hide or that
// could not be created. A topic is created with one request, without retries. A retry could find
// the topic that the first request created, and report a conflict.
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs';
import { Problem } from '../../domain/failure.js';
import { denied, isDenied } from './connection-trouble.js';
import { KafkaDenied } from './kafka-denied.js';
import { TopicLost } from './known-topics.js';

/** After one of these errors, it is unknown whether the broker created the topic. */
const END_UNKNOWN: readonly string[] = [
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'UNKNOWN',
  'UNKNOWN_SERVER_ERROR',
];

const SERVED_MS = 15_000;

export interface TopicDescription {
  /** Null if the topic has no id, as with brokers before Kafka 2.8. */
  readonly id: string | null;
  readonly partitions: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** Describes the topics, with the named settings. Topics that do not exist are omitted. */
export async function describeTopics(
  admin: Admin,
  topics: readonly string[],
  settings: readonly string[],
  idOf: (topic: string) => Promise<string | null>,
): Promise<ReadonlyMap<string, TopicDescription>> {
  const existing = await admin.listTopics();
  const there = [...new Set(topics)].filter((topic) => existing.includes(topic));
  const described = new Map<string, TopicDescription>();
  if (there.length === 0) return described;
  const metadata = await admin.fetchTopicMetadata({ topics: there });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: there.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [...settings],
    })),
  });
  for (const { name, partitions } of metadata.topics) {
    const entries = resources.find((r) => r.resourceName === name)?.configEntries ?? [];
    described.set(name, {
      id: await idOf(name),
      partitions: partitions.length,
      settings: Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue])),
    });
  }
  return described;
}

/**
 * Throws Problem `permission-denied` if ACLs hide one of the topics. Brokers do not list a hidden
 * topic, so it would seem not to exist.
 */
export async function refuseHidden(admin: Admin, topics: readonly string[]): Promise<void> {
  const listed = await admin.listTopics();
  for (const topic of topics.filter((one) => !listed.includes(one))) {
    const error: unknown = await admin.fetchTopicMetadata({ topics: [topic] }).then(
      () => null,
      (refusal: unknown) => refusal,
    );
    if (isDenied(error)) throw denied('Describe', topic);
  }
}

/** Returns the Problem if ACLs hide one of the topics, otherwise null. */
export async function hiddenProblem(
  kafka: { readonly refuseHidden: (topics: readonly string[]) => Promise<void> },
  topics: readonly string[],
): Promise<Problem | null> {
  try {
    await kafka.refuseHidden(topics);
    return null;
  } catch (error) {
    if (error instanceof Problem && error.code === 'permission-denied') return error;
    throw error;
  }
}

/**
 * Waits until brokers serve all partitions of a new topic. Throws Problem `unreachable` if they do
 * not serve them within `limitMs`. The topic does exist, but a busy broker may not know it yet. After
 * the limit, an error of `isServed` is thrown unchanged, except a TopicLost.
 */
export async function served(
  topic: string,
  isServed: () => Promise<boolean>,
  limitMs = SERVED_MS,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const isThere = await isServed().catch((error: unknown) => {
      if (Date.now() <= deadline || error instanceof TopicLost) return false;
      throw error;
    });
    if (isThere) return;
    if (Date.now() > deadline)
      throw new Problem(
        'unreachable',
        `no broker serves all partitions of the new topic ${topic} yet`,
        `check that every partition has a leader (kafka-topics --describe --topic ${topic}); the migration continues by itself, or at once with: sluice retry`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Creates a topic. Throws Problem `object-not-ours` if the topic exists, and `permission-denied` if
 * Sluice's principal has no right to create it. Throws Problem `unsupported` if the cluster refuses
 * it. After any other error, it is unknown whether the topic exists.
 */
export async function makeTopic(kafka: Kafka, topic: ITopicConfig): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  await admin.connect();
  try {
    const isMade = await admin.createTopics({ waitForLeaders: false, topics: [topic] });
    if (!isMade)
      throw new Problem('object-not-ours', `topic ${topic.topic} exists and is not in the ledger`);
  } catch (error) {
    throw refusalOf(topic, error) ?? error;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/**
 * Returns the Problem for a broker's refusal. Returns null for every other error, such as a timeout
 * or NOT_CONTROLLER. Exported for its test.
 */
export function refusalOf({ topic }: Pick<ITopicConfig, 'topic'>, error: unknown): Problem | null {
  const { errors } = (error ?? {}) as { errors?: readonly { type?: string; message: string }[] };
  const { type, message = '' } = errors?.[0] ?? (error as { type?: string; message?: string });
  if (
    error instanceof Problem ||
    type === undefined ||
    END_UNKNOWN.includes(type) ||
    type === 'NOT_CONTROLLER'
  )
    return null;
  if (type.endsWith('_AUTHORIZATION_FAILED'))
    return new KafkaDenied(
      `Kafka refused to create topic ${topic}: ${type}`,
      `allow Sluice's principal to CREATE the topic (kafka-acls --add --allow-principal User:… --operation Create --topic ${topic}), then: sluice retry`,
    );
  return new Problem(
    'unsupported',
    `Kafka refused to create topic ${topic}: ${type} ${message}`.trim(),
  );
}

/** A topic that the brokers would not create, with the name of Kafka's error. */
export interface NotCreatable {
  readonly topic: string;
  readonly type: string;
  readonly message: string;
}

/**
 * Asks the brokers whether these topics could be created, without creating them. A topic that
 * exists already is not reported here, because other checks report it.
 */
export async function notCreatable(
  admin: Admin,
  topics: readonly ITopicConfig[],
): Promise<NotCreatable[]> {
  try {
    await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [...topics] });
    return [];
  } catch (error) {
    const { errors } = (error ?? {}) as {
      errors?: readonly { topic?: string; type?: string; message: string }[];
    };
    if (!errors) throw error;
    return errors.flatMap(({ topic, type = '', message }) =>
      topic === undefined || type === 'TOPIC_ALREADY_EXISTS' ? [] : [{ topic, type, message }],
    );
  }
}
