// Tests the settings of the topics that Sluice reads. Sluice sets them when it creates a topic and
// checks them when it finds one. Evidence depends on these settings.
import { describe, expect, it } from 'vitest';
import { createObjectActivities } from '../../src/activities/objects/object-activities.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { topicFacts } from '../../src/activities/windows/topic-facts.js';
import type { KafkaPort, TopicDescription } from '../../src/clients/kafka/kafka.js';
import { factsChange } from '../../src/domain/evidence/epoch.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { topicsToMake } from '../../src/domain/plan/topic-settings.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';

const ref = aRef({ spec: BATCH_PARTS });
const TABLE = 'bank.public.accounts';

/**
 * A cluster with every planned topic. All settings are as planned, except those that `change`
 * changes.
 */
function aCluster(
  change: (topics: Map<string, TopicDescription>) => void = () => undefined,
): KafkaPort {
  const topics = new Map<string, TopicDescription>();
  for (const { topic, partitions, settings } of topicsToMake(resolve(ref)))
    topics.set(topic, { id: `id of ${topic}`, partitions, settings });
  change(topics);
  const cluster = {
    describeTopics: () => Promise.resolve(topics),
    listTopics: () => Promise.resolve([...topics.keys()]),
    refuseHidden: () => Promise.resolve(),
  };
  return cluster as unknown as KafkaPort;
}

const changed = async (
  change: (topics: Map<string, TopicDescription>) => void,
): Promise<string | null> =>
  factsChange(
    await topicFacts(aCluster(), resolve(ref)),
    await topicFacts(aCluster(change), resolve(ref)),
  )?.epoch ?? null;
const set = (name: string, value: string) => (topics: Map<string, TopicDescription>) => {
  const known = topics.get(TABLE)!;
  topics.set(TABLE, { ...known, settings: { ...known.settings, [name]: value } });
};

describe('a topic', () => {
  it('causes a new epoch, which names the change, if its cleanup policy or retention changes', async () => {
    const why =
      'topic settings: as planned → bank.public.accounts: cleanup.policy is delete, not compact';
    expect(await changed(set('cleanup.policy', 'delete'))).toBe(why);
    expect(await changed(set('delete.retention.ms', '1'))).toContain(
      'delete.retention.ms is 1, not 604800000',
    );
  });

  it('causes a new epoch if it is gone, or has a different id or number of partitions', async () => {
    for (const change of [{ id: 'another' }, { partitions: 9 }])
      expect(
        await changed((topics) => topics.set(TABLE, { ...topics.get(TABLE)!, ...change })),
      ).toContain('topics: ');
    expect(await changed((topics) => topics.delete(TABLE))).toContain('topics: ');
  });

  it('causes no new epoch if nothing changed', async () =>
    expect(await changed(() => undefined)).toBeNull());
});

describe('a planned topic that already exists', () => {
  const ensure = (cluster: KafkaPort): Promise<void> => {
    const ledger = { objectState: () => Promise.resolve('created') };
    return createObjectActivities({
      ledger,
      systems: { kafka: () => cluster },
    } as unknown as Deps).ensureTopics(ref);
  };

  it('is refused if its settings were changed, and the remedy is the command that restores them', async () => {
    await expect(ensure(aCluster(set('cleanup.policy', 'delete')))).rejects.toMatchObject({
      code: 'preflight-failed',
      message: expect.stringContaining(
        'topic bank.public.accounts has settings that differ from the plan: cleanup.policy is delete, not compact',
      ) as string,
      remedy: expect.stringContaining(
        '--entity-name bank.public.accounts --add-config cleanup.policy=compact',
      ) as string,
    });
  });

  it('is used if it is as planned', async () =>
    expect(ensure(aCluster())).resolves.toBeUndefined());
});
