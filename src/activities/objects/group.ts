// Checks and removes consumer groups. Sluice does not create them, because the first member of a
// group creates it. The group remains after its last member has left.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { knownGroup } from '../../clients/kafka/group-readers.js';
import type { Asking, OwnedKind } from './owned-kind.js';

const SESSION_ATTEMPTS = 40;
const SESSION_POLL_MS = 250;

/** Returns true if Kafka knows offsets or members of the group. */
export async function groupExists(kafka: KafkaPort, name: string): Promise<boolean> {
  return (
    (await kafka.groupOffsets(name)).size > 0 || (await knownGroup(kafka, name)).type !== 'absent'
  );
}

const exists = ({ systems, plan }: Asking, { name }: OwnedObject): Promise<boolean> =>
  groupExists(systems.kafka(plan), name);

export const group: OwnedKind = {
  exists,
  create: null,
  /**
   * Tries repeatedly, because Kafka deletes a group only after the session of its last member has
   * ended.
   */
  remove: async ({ systems, plan }, { name }) => {
    const kafka = systems.kafka(plan);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await kafka.deleteGroup(name);
      } catch (error) {
        if (attempt >= SESSION_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, SESSION_POLL_MS));
      }
    }
  },
  /**
   * For a pipeline's group, committed offsets are enough, because Flink commits them without
   * becoming a member of the group.
   */
  healthy: async ({ systems, plan }, { name }) => {
    const kafka = systems.kafka(plan);
    if (plan.spec.pipeline?.groups.includes(name))
      return (await kafka.groupOffsets(name)).size > 0 ? null : 'has no committed offsets';
    return (await knownGroup(kafka, name)).state === 'Stable' ? null : 'is not stable';
  },
  nameCheck: null,
};
