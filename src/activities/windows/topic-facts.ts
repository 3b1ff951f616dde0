// Reads facts about the topics: their identity, and the settings that decide how long they keep
// records.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Facts, FactValue } from '../../domain/evidence/epoch.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import {
  RETENTION_SETTINGS,
  differingSettings,
  topicsToMake,
} from '../../domain/plan/topic-settings.js';

/**
 * Reads the facts. Throws if a broker refuses the request, because an unknown fact may have
 * changed.
 */
export async function topicFacts(kafka: KafkaPort, plan: ResolvedPlan): Promise<Facts> {
  const planned = topicsToMake(plan);
  const others = othersTopics(plan).filter(({ topic }) => !planned.some((p) => p.topic === topic));
  const all = await kafka.describeTopics(
    [...planned, ...others].map(({ topic }) => topic),
    RETENTION_SETTINGS,
  );
  const identities: string[] = [];
  const drift: string[] = [];
  for (const { topic, settings } of planned) {
    const found = all.get(topic);
    identities.push(
      found
        ? `${topic} with ${found.partitions} partitions (${found.id ?? 'no id'})`
        : `${topic} missing`,
    );
    const differing = found ? differingSettings(settings, found.settings) : [];
    if (differing.length > 0) drift.push(`${topic}: ${differing.join(', ')}`);
  }
  const facts: Record<string, FactValue> = {
    topics: identities,
    'topic settings': drift.length === 0 ? 'as planned' : drift.join('; '),
  };
  for (const { label, topic } of others) {
    const found = all.get(topic);
    const settings = RETENTION_SETTINGS.map(
      (name) => `${name}=${found?.settings[name] ?? '(none)'}`,
    ).join(' ');
    facts[`${label} ${topic}`] = found
      ? `${found.id ?? 'no id'}, ${found.partitions} partitions, ${settings}`
      : 'missing';
  }
  return facts;
}

/** Lists the topics that windows read and that Sluice did not create. */
const othersTopics = ({ adopts, batch }: ResolvedPlan): { label: string; topic: string }[] => [
  ...(batch?.stages ?? []).map(({ topic }) => ({ label: 'stage topic', topic })),
  ...adopts
    .filter(({ kind }) => kind === 'topic')
    .map(({ name }) => ({ label: 'adopted topic', topic: name })),
];
