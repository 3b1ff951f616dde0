// Topics: all made by us before anything writes to them, with explicit settings. Undo beside do.
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import {
  differingSettings,
  topicsToMake,
  type TopicSettings,
} from '../../domain/migration/topic-settings.js';
import type { Deps } from '../runtime/deps.js';
import { ensureOwned, groupExists, removeOwned } from './owned.js';

export function createKafkaActivities({ ledger, systems }: Deps) {
  return {
    /** Afterwards every topic of the plan is there, is ours, and has the settings that it was asked to have. */
    async ensureTopics(ref: MigrationRef): Promise<void> {
      const { kafka: cluster, pipeline } = ref.spec.spec;
      const port = systems.kafka(ref.spec);
      for (const { topic, partitions, settings } of topicsToMake(ref.spec, ref.generation)) {
        await ensureOwned(
          ledger,
          ref,
          { kind: 'topic', name: topic, where: cluster.brokers.join(',') },
          {
            exists: async () => (await port.listTopics()).includes(topic),
            create: () => port.createTopic(topic, partitions, cluster.replication, settings),
          },
        );
        const described = (await port.describeTopics([topic], Object.keys(settings))).get(topic);
        if (described && described.partitions !== partitions && topic !== pipeline?.output.topic) {
          throw new Problem(
            'topic-lost',
            `topic ${topic} has ${described.partitions} partitions ≠ ${partitions} planned`,
          );
        }
        if (described) refuseOtherSettings(topic, settings, described.settings);
      }
    },

    async removeTopic(ref: MigrationRef, object: OwnedObject): Promise<void> {
      const port = systems.kafka(ref.spec);
      await removeOwned(
        ledger,
        ref,
        object,
        async () => (await port.listTopics()).includes(object.name),
        async () => {
          await port.deleteTopic(object.name);
          for (
            let attempt = 0;
            attempt < 50 && (await port.listTopics()).includes(object.name);
            attempt += 1
          )
            await new Promise((resolve) => setTimeout(resolve, 100));
        },
      );
    },

    /** The consumer group of our sink connector; it outlives the connector. */
    async removeGroup(ref: MigrationRef, object: OwnedObject): Promise<void> {
      const port = systems.kafka(ref.spec);
      await removeOwned(
        ledger,
        ref,
        object,
        () => groupExists(port, object.name),
        async () => {
          for (let attempt = 0; ; attempt += 1) {
            try {
              return await port.deleteGroup(object.name);
            } catch (error) {
              if (attempt >= 40) throw error; // the last member's session must end first
              await new Promise((resolve) => setTimeout(resolve, 250));
            }
          }
        },
      );
    },
  };
}

/** Throws Problem `preflight-failed` with the command that sets them right: the topic would lose records that late readers need. */
function refuseOtherSettings(topic: string, asked: TopicSettings, found: TopicSettings): void {
  const differing = differingSettings(asked, found);
  if (differing.length === 0) return;
  const wanted = Object.entries(asked).map(([name, value]) => `${name}=${value}`);
  throw new Problem(
    'preflight-failed',
    `topic ${topic} has ${differing.join(', ')} asked for`,
    `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config ${wanted.join(',')}; then: sluice retry`,
  );
}
