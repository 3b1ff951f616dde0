// Consumer groups. A group's first member makes it, and it outlives its members.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { knownGroup } from '../barrier/group-readers.js';
import type { Asking, OwnedKind } from './owned-kind.js';

const SESSION_ATTEMPTS = 40;
const SESSION_POLL_MS = 250;

/** Returns whether a broker knows the group, by its offsets or its members. */
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
  /** The session of the last member must end before a broker deletes the group. */
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
  /** Flink assigns partitions itself: its group has offsets and no members. */
  healthy: async ({ systems, plan }, { name }) => {
    const kafka = systems.kafka(plan);
    if (plan.spec.pipeline?.groups.includes(name))
      return (await kafka.groupOffsets(name)).size > 0 ? null : 'has no offsets';
    return (await knownGroup(kafka, name)).state === 'Stable' ? null : 'is not stable';
  },
  nameCheck: null,
};
