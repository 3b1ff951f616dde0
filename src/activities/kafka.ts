// Topics: all made by us before anything writes to them, with explicit settings. Undo beside do.
import { Problem } from '../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../domain/ledger.js';
import { logTopics, namesOf, plannedTopics } from '../domain/names.js';
import type { Deps } from './deps.js';
import { knownGroup } from './groups.js';
import { ensureOwned, removeOwned } from './owned.js';

export function createKafkaActivities({ ledger, systems }: Deps) {
  return {
    /** Table topics are compacted (they are the table), scaffolding topics short-lived and single-partitioned (their order matters). */
    async ensureTopics(ref: MigrationRef): Promise<void> {
      const { kafka: cluster, pipeline } = ref.spec.spec;
      const names = namesOf(ref.spec, ref.generation);
      const port = systems.kafka(ref.spec);
      const single = logTopics(ref.spec, ref.generation);
      for (const topic of plannedTopics(ref.spec, ref.generation)) {
        const isSingle = single.includes(topic);
        const partitions = isSingle ? 1 : cluster.partitions;
        // delete.retention.ms: a reader that starts late must still see every tombstone that its earlier records need.
        const config: Record<string, string> =
          isSingle || topic === names.windowTopic
            ? { 'cleanup.policy': 'delete', 'retention.ms': String(7 * 86_400_000) }
            : { 'cleanup.policy': 'compact', 'delete.retention.ms': String(7 * 86_400_000), 'min.compaction.lag.ms': String(86_400_000) };
        await ensureOwned(
          ledger,
          ref,
          { kind: 'topic', name: topic, where: cluster.brokers.join(',') },
          {
            exists: async () => (await port.listTopics()).includes(topic),
            create: () => port.createTopic(topic, partitions, cluster.replication, config),
          },
        );
        const described = await port.describeTopic(topic);
        if (described && described.partitions !== partitions && topic !== pipeline?.output.topic) {
          throw new Problem('topic-lost', `topic ${topic} has ${described.partitions} partitions ≠ ${partitions} planned`);
        }
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
          for (let attempt = 0; attempt < 50 && (await port.listTopics()).includes(object.name); attempt += 1)
            await new Promise((resolve) => setTimeout(resolve, 100));
        },
      );
    },

    /** The consumer group of our sink connector; it outlives the connector. */
    async removeGroup(ref: MigrationRef, object: OwnedObject): Promise<void> {
      const port = systems.kafka(ref.spec);
      const exists = async (): Promise<boolean> => (await port.groupOffsets(object.name)).size > 0 || (await knownGroup(port, object.name)).type !== 'absent';
      await removeOwned(ledger, ref, object, exists, async () => {
        for (let attempt = 0; ; attempt += 1) {
          try {
            return await port.deleteGroup(object.name);
          } catch (error) {
            if (attempt >= 40) throw error; // the last member's session must end first
            await new Promise((resolve) => setTimeout(resolve, 250));
          }
        }
      });
    },
  };
}
