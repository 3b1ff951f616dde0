// Chooses the settings with which a topic is created, and checks the current settings of a topic. A
// consumer that reads a table's topic later must find the whole table. Therefore, only compaction
// removes records from such a topic, and tombstones are kept for a while.
import type { ResolvedPlan } from './resolved-plan.js';

export type TopicSettings = Readonly<Record<string, string>>;

export interface PlannedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly settings: TopicSettings;
}

const DAY_MS = 86_400_000;
/**
 * The settings of a topic that keeps whole tables or results. delete.retention.ms must be long: a
 * slow reader that has read a record of a key must later still find the tombstone of this key.
 */
export const TABLE_TOPIC: TopicSettings = {
  'cleanup.policy': 'compact',
  'delete.retention.ms': String(7 * DAY_MS),
  'min.compaction.lag.ms': String(DAY_MS),
};
const SHORT_LIVED: TopicSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': String(7 * DAY_MS),
};

/** The settings that decide which records a reader still finds. */
export const RETENTION_SETTINGS: readonly string[] = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'delete.retention.ms',
  'min.compaction.lag.ms',
  'max.compaction.lag.ms',
];

/**
 * Lists every topic that Sluice creates. The topics of the tables and the output are compacted,
 * because each of them represents a whole table or result. The topics of `logTopics` have one
 * partition, because the order of their records matters.
 */
export function topicsToMake({ spec, names, topics, logTopics }: ResolvedPlan): PlannedTopic[] {
  return topics.map((topic) => ({
    topic,
    partitions: logTopics.includes(topic) ? 1 : spec.kafka.partitions,
    settings: logTopics.includes(topic) || topic === names.windowTopic ? SHORT_LIVED : TABLE_TOPIC,
  }));
}

/**
 * Lists each setting that differs from the requested one, such as `cleanup.policy is delete, not
 * compact`.
 */
export function differingSettings(asked: TopicSettings, found: TopicSettings): string[] {
  return Object.entries(asked)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => `${name} is ${found[name] ?? '(none)'}, not ${value}`);
}

/**
 * Returns the setting that makes a topic lose rows. Null if the topic keeps at least the latest
 * record of each key.
 */
export function losesRecords(found: TopicSettings): string | null {
  const { 'cleanup.policy': policy = '(none)' } = found;
  if (policy === 'compact') return null;
  const limit = ['retention.ms', 'retention.bytes'].find((name) => (found[name] ?? '-1') !== '-1');
  return limit === undefined
    ? null
    : `cleanup.policy is ${policy}, and ${limit} is ${found[limit]}`;
}
