// Checks that an externally deployed pipeline reads the topics of a new generation, and waits a
// short time for this. A new generation has its own topics. It begins, for example, after a
// slot or a topic was lost.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { Problem } from '../../domain/failure.js';
import { resolve } from '../../domain/plan/resolve.js';
import type { Deps } from '../runtime/deps.js';
import { pollUntil } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { knownGroup } from '../../clients/kafka/group-readers.js';

const MOVES_MS = 20_000; // a pipeline that has just been started gets this much time

export function createPipelineActivities({ systems }: Pick<Deps, 'systems'>) {
  return withPlan({
    /**
     * Throws Problem `pipeline-must-move` if an external pipeline does not yet read the topics of a
     * new generation. The message names each topic that no group has read. It also names the topics
     * that one group has not read, if this group read or subscribed to the topic of the same table
     * in an earlier generation.
     */
    async pipelineHasMoved({ ref, plan }: Planned): Promise<void> {
      const groups = plan.spec.pipeline?.groups ?? [];
      const kafka = systems.kafka(plan);
      const topics: NewTopic[] = [];
      const generations = Array.from({ length: plan.generation - 1 }, (_, g) =>
        resolve({ spec: ref.spec, generation: g + 1 }),
      );
      for (const [at, { topic }] of plan.captures.entries()) {
        const earlier = generations.map(({ captures }) => captures[at]!.topic);
        if ((await kafka.offsets(topic)).some((p) => p.high > p.low))
          // an empty topic is skipped, because groups commit no offsets for it
          topics.push({ topic, earlier });
      }
      let unread: string[] = [];
      const moved = await pollUntil(
        Date.now() + MOVES_MS,
        500,
        async () => {
          unread = await unreadBy(kafka, groups, topics);
          return unread.length === 0 ? true : null;
        },
        () => ({ unread }),
      );
      if (!moved) throw new Problem('pipeline-must-move', `not read yet: ${unread.join('; ')}`);
    },
  });
}

interface NewTopic {
  readonly topic: string;
  /** The topics of the same table in earlier generations. */
  readonly earlier: readonly string[];
}

/** Returns the topics that groups have not read, as `TOPIC by group GROUP`. */
export async function unreadBy(
  kafka: KafkaPort,
  groups: readonly string[],
  topics: readonly NewTopic[],
): Promise<string[]> {
  const readers: {
    group: string;
    committed: ReadonlySet<string>;
    subscribed: readonly string[];
  }[] = [];
  for (const group of groups) {
    const described = await knownGroup(kafka, group);
    readers.push({
      group,
      committed: new Set((await kafka.groupOffsets(group)).keys()),
      subscribed: described.topics,
    });
  }
  const unread: string[] = [];
  for (const { topic, earlier } of topics) {
    const stays = readers.filter(
      ({ committed, subscribed }) =>
        !committed.has(topic) && [...committed, ...subscribed].some((t) => earlier.includes(t)),
    );
    const isRead = readers.some(({ committed }) => committed.has(topic));
    if (stays.length > 0)
      unread.push(`${topic} by group ${stays.map((reader) => reader.group).join(', ')}`);
    else if (!isRead) unread.push(`${topic} by group ${groups.join(', ')}`);
  }
  return unread;
}
