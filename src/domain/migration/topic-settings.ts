// Settings that a topic gets at creation, and checks of its present settings. PURE.
// A fold, and every consumer that starts late, finds the whole table only if compaction alone
// removes records and tombstones stay for a while.
import { logTopics, plannedTopics } from '../capture/index.js';
import { namesOf } from './names.js';
import type { MigrationSpec } from './spec.js';

export type TopicSettings = Readonly<Record<string, string>>;

export interface PlannedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly settings: TopicSettings;
}

const DAY_MS = 86_400_000;
/** delete.retention.ms: a reader that starts late must still see every tombstone that its earlier records need. */
const KEPT: TopicSettings = {
  'cleanup.policy': 'compact',
  'delete.retention.ms': String(7 * DAY_MS),
  'min.compaction.lag.ms': String(DAY_MS),
};
const SHORT_LIVED: TopicSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': String(7 * DAY_MS),
};

/** Settings that decide which records a reader still finds. */
export const RETENTION_SETTINGS: readonly string[] = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'delete.retention.ms',
  'min.compaction.lag.ms',
  'max.compaction.lag.ms',
];

/** Every topic that we make. Table topics are compacted, for they are the table; scaffolding topics have one partition, for their order matters. */
export function topicsToMake(spec: MigrationSpec, generation: number): PlannedTopic[] {
  const single = logTopics(spec, generation);
  const { windowTopic } = namesOf(spec, generation);
  return plannedTopics(spec, generation).map((topic) => ({
    topic,
    partitions: single.includes(topic) ? 1 : spec.spec.kafka.partitions,
    settings: single.includes(topic) || topic === windowTopic ? SHORT_LIVED : KEPT,
  }));
}

/** Each setting that is not as it was asked for: `cleanup.policy=delete ≠ compact`. */
export function differingSettings(asked: TopicSettings, found: TopicSettings): string[] {
  return Object.entries(asked)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => `${name}=${found[name] ?? '(none)'} ≠ ${value}`);
}
