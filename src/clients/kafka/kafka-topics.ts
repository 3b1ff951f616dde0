// Making one topic, so that it is known afterwards whether it was made: one request, and no retry that would find its own work and call it somebody else's.
import type { ITopicConfig, Kafka } from 'kafkajs';
import { Problem } from '../../domain/failure.js';

/** A broker that gave up waiting may still make the topic. */
const END_UNKNOWN: readonly string[] = [
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'UNKNOWN',
  'UNKNOWN_SERVER_ERROR',
];

/**
 * Throws Problem `object-not-ours` when the topic is there already, `permission-denied` when our
 * principal may not make it, `unsupported` when the cluster refuses it for another reason. Any other
 * error leaves open whether it was made.
 */
export async function makeTopic(kafka: Kafka, topic: ITopicConfig): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  await admin.connect();
  try {
    const isMade = await admin.createTopics({ waitForLeaders: false, topics: [topic] });
    if (!isMade)
      throw new Problem('object-not-ours', `topic ${topic.topic} exists and is not in our ledger`);
  } catch (error) {
    throw refusalOf(topic, error) ?? error;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Null where the error is no answer of the broker about this topic. Exported for its test. */
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
    return new Problem(
      'permission-denied',
      `Kafka refused to create topic ${topic}: ${type}`,
      `allow our principal CREATE on the topic (kafka-acls --add --allow-principal User:… --operation Create --topic ${topic}), then: sluice retry`,
    );
  return new Problem(
    'unsupported',
    `Kafka refused to create topic ${topic}: ${type} ${message}`.trim(),
  );
}
