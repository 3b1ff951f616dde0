// Finds the topics that the pipeline's groups read, and notices topics that ACLs hide.
import { aTopicBetweenStages } from '../../domain/access/acls.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { hiddenProblem } from '../../clients/kafka/topics.js';

/** Matches the names of the repartition topics and foreign-key join topics of Kafka Streams. */
const BETWEEN_STAGES = /-(repartition|subscription-(registration|response)(-\d+)?-topic)$/i;

/**
 * Returns a reason if ACLs hide a topic that a group reads, otherwise null. Brokers leave out such
 * a topic when they list topics, so its unread records would not count. The subscriptions of a
 * group without members are unknown. For such a group, this function asks for a name that an
 * internal topic of Kafka Streams could have. If ACLs hide this name, they can also hide a real
 * topic.
 */
export async function hiddenTopic(
  kafka: KafkaPort,
  groups: readonly string[],
  subscribed: Subscribed,
): Promise<string | null> {
  const read = groups.flatMap((group) => {
    const topics = [...(subscribed.get(group) ?? [])];
    return topics.length > 0 ? topics : [aTopicBetweenStages(group)];
  });
  const problem = await hiddenProblem(kafka, read);
  return problem === null
    ? null
    : `drain: ${problem.message}, so it is unknown whether the group has drained; ${problem.remedy}`;
}

/**
 * Returns the existing topics that a group committed offsets for or subscribes to. It also returns
 * repartition topics and foreign-key join topics of Kafka Streams, which it recognizes by their
 * names. Such a topic may have records but no committed offset yet.
 */
export async function groupTopics(
  kafka: KafkaPort,
  groups: readonly string[],
  subscribed: Subscribed,
): Promise<string[]> {
  const existing = new Set(await kafka.listTopics());
  const between = (topic: string): boolean =>
    groups.some((group) => topic.startsWith(`${group}-`) && BETWEEN_STAGES.test(topic));
  const topics = new Set([...existing].filter(between));
  for (const group of groups) {
    const read = [...(await kafka.groupOffsets(group)).keys(), ...(subscribed.get(group) ?? [])];
    for (const topic of read) if (existing.has(topic)) topics.add(topic);
  }
  return [...topics];
}

/** The topics that each group subscribes to. */
export type Subscribed = ReadonlyMap<string, ReadonlySet<string>>;
