// Finds the topics and the progress of the consumer groups of the pipeline and the sink.
import type { KnownGroup } from './groups.js';
import type { KafkaPort } from './kafka.js';
import { Problem } from '../../domain/failure.js';
import { because, ok, type OrReason } from '../../domain/values/or-reason.js';

export const UNDESCRIBED_REMEDY =
  "allow Sluice's principal to DESCRIBE the group, or use a group protocol that can be described: classic, consumer or streams";

/**
 * Describes a group. Throws Problem `unsupported` if Kafka does not describe the group. Otherwise,
 * a caller could assume that members that it cannot see have not changed.
 */
export async function knownGroup(kafka: KafkaPort, id: string): Promise<KnownGroup> {
  const group = await kafka.describeGroup(id);
  if (!('unknown' in group)) return group;
  throw new Problem('unsupported', undescribed(id, group.unknown), UNDESCRIBED_REMEDY);
}

/**
 * Returns the topics that each group subscribes to. If a group cannot be described, returns a
 * reason that names the group.
 */
export async function subscriptionsOf(
  kafka: KafkaPort,
  groups: readonly string[],
): Promise<OrReason<ReadonlyMap<string, ReadonlySet<string>>>> {
  const topics = new Map<string, ReadonlySet<string>>();
  for (const id of groups) {
    const group = await kafka.describeGroup(id);
    if ('unknown' in group) return because(undescribed(id, group.unknown));
    topics.set(id, new Set(group.topics));
  }
  return ok(topics);
}

/**
 * A group's committed offset in one partition. `at` is undefined if the group never committed an
 * offset in that partition.
 */
export interface Reader {
  readonly group: string;
  readonly at: number | undefined;
}

/** The committed offsets and subscriptions of several groups. */
export class Readers {
  readonly #offsets: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, number>>>;
  readonly #subscribed: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(
    offsets: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, number>>>,
    subscribed: ReadonlyMap<string, ReadonlySet<string>>,
  ) {
    this.#offsets = offsets;
    this.#subscribed = subscribed;
  }

  /**
   * Returns every group that has committed an offset for the topic, or whose members subscribe to
   * it.
   */
  of(topic: string, partition: number): Reader[] {
    const readers: Reader[] = [];
    for (const [group, topics] of this.#offsets) {
      const committed = topics.get(topic);
      const reads = (committed?.size ?? 0) > 0 || this.#subscribed.get(group)?.has(topic);
      if (reads) readers.push({ group, at: committed?.get(partition) });
    }
    return readers;
  }
}

export async function readersOf(
  kafka: KafkaPort,
  groups: readonly string[],
  subscribed: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Readers> {
  const offsets = new Map<string, Map<string, Map<number, number>>>();
  for (const group of groups) offsets.set(group, await kafka.groupOffsets(group));
  return new Readers(offsets, subscribed);
}

const undescribed = (id: string, why: string): string => `group ${id} cannot be described: ${why}`;
