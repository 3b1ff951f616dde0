// Pipelines that Sluice deploys itself, through whatever hosts them. Each part is found again by its name after any restart. Undo beside do.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { capturesOf } from '../../domain/migration/names.js';
import type { Deps } from '../runtime/deps.js';
import { knownGroup } from '../barrier/group-readers.js';
import { claimGroup, ensureOwned, removeOwned } from './owned.js';
import { alive, pollUntil } from '../runtime/poll-until.js';
import type { PipelineHost } from '../pipelines/host.js';
import { hostOf } from '../pipelines/index.js';

const RUNNING_MS = 60_000;
const MOVES_MS = 20_000; // before it is called a block: it may just be starting
const STEADY_POLLS = 3; // an accepted job may still loop between RUNNING and RESTARTING

export function createPipelineActivities({ ledger, systems }: Deps) {
  return {
    /** Makes what is not there yet and waits until every part runs steadily. Idempotent: a part of that name is found, never made twice. */
    async ensurePipeline(ref: MigrationRef): Promise<void> {
      const host = hostOf(ref.spec, ref.generation)!;
      for (const group of ref.spec.spec.pipeline!.groups)
        await claimGroup(ledger, systems.kafka(ref.spec), ref, group);
      // Kept alive: a worker that was killed here is noticed in seconds, however long the host takes over one statement.
      await alive(async () => {
        for (const name of host.names) {
          const object: OwnedObject = { kind: 'job', name, where: host.url };
          await ensureOwned(ledger, ref, object, {
            exists: () => host.isThere(name),
            create: () => host.create(name),
          });
        }
        for (const name of host.names) await untilSteady(host, name);
      });
    },

    /**
     * A new generation has new topics, and a pipeline that is not ours to deploy must be moved to
     * them. Problem `pipeline-must-move` names the topics that no group has read yet, or that a
     * group has not read which read the same table's topic of an earlier generation.
     */
    async pipelineHasMoved(ref: MigrationRef): Promise<void> {
      const { groups } = ref.spec.spec.pipeline!;
      const kafka = systems.kafka(ref.spec);
      const topics: NewTopic[] = [];
      for (const [at, { topic }] of capturesOf(ref.spec, ref.generation).entries()) {
        const earlier = Array.from(
          { length: ref.generation - 1 },
          (_, g) => capturesOf(ref.spec, g + 1)[at]!.topic,
        );
        if ((await kafka.offsets(topic)).some((p) => p.high > p.low))
          topics.push({ topic, earlier }); // nobody commits an empty one
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

    /** Stops the part of that name and waits until it is gone. */
    async removeJob(ref: MigrationRef, object: OwnedObject): Promise<void> {
      const host = hostOf(ref.spec, ref.generation)!;
      await removeOwned(
        ledger,
        ref,
        object,
        () => host.isThere(object.name),
        () => host.remove(object.name),
      );
    },
  };
}

interface NewTopic {
  readonly topic: string;
  /** The topics of the same table in earlier generations. */
  readonly earlier: readonly string[];
}

/** Which topics by which groups, as `topic by group GROUP`. Exported for its test. */
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

async function untilSteady(host: PipelineHost, name: string): Promise<void> {
  let seen = 0;
  let last = 'not there';
  const steady = await pollUntil(Date.now() + RUNNING_MS, 300, async () => {
    const state = await host.state(name);
    last = 'not' in state ? state.not : 'running';
    if (last === 'FAILED')
      throw new Problem('pipeline-failed', `job ${name} was accepted and FAILED`);
    seen = 'running' in state ? seen + 1 : 0;
    return seen >= STEADY_POLLS ? true : null;
  });
  if (!steady) throw new Problem('pipeline-failed', `${name} does not run steadily: ${last}`);
}
