// The drain through a pipeline that is being deployed anew: its own topics come and go, and that must never cost the generation.
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { pipelineDrained } from '../../src/activities/barrier.js';
import { TopicLost, type KafkaPort } from '../../src/clients/kafka.js';
import type { MigrationRef } from '../../src/domain/ledger.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

const spec = aSpec({ spec: BATCH_PARTS });
const ref: MigrationRef = { name: 'bank', iteration: 1, generation: 1, workflowId: 'migration-bank', runKey: 'r', planHash: 'p', spec };
const SOURCE = 'bank.public.accounts';
const INTERNAL = `${spec.spec.pipeline!.groups[0]}-totals-repartition`;
const OUTPUT = spec.spec.pipeline!.output.topic;

/** A cluster whose group consumed everything, but for what `lost` says of a topic. */
function aCluster(lost: (topic: string) => void): KafkaPort {
  const cluster = {
    listTopics: () => Promise.resolve([SOURCE, INTERNAL, OUTPUT]),
    groupOffsets: () => Promise.resolve(new Map([SOURCE, INTERNAL].map((topic) => [topic, new Map([[0, 10]])]))),
    offsets: (topic: string) => {
      lost(topic);
      return Promise.resolve([{ partition: 0, low: 0, high: 10, committed: 10 }]);
    },
    onlyControlRecords: () => Promise.resolve(true),
  };
  return cluster as unknown as KafkaPort;
}

const drained = (cluster: KafkaPort): Promise<string | null> =>
  new MockActivityEnvironment().run<[], string | null, () => Promise<string | null>>(() => pipelineDrained(cluster, ref, Date.now() + 2000));

describe('the drain proof', () => {
  it('holds when group, internal topics and output have taken in everything', async () => {
    expect(await drained(aCluster(() => undefined))).toBeNull();
  });

  it.each([`topic ${INTERNAL} does not exist`, `${INTERNAL}/0 has no offset 442895: records were removed or the topic was re-created`])(
    'is not had, and nothing more, when %s',
    async (detail) => {
      const reason = await drained(
        aCluster((topic) => {
          if (topic === INTERNAL) throw new TopicLost(topic, detail);
        }),
      );
      expect(reason).toContain('is being deployed anew');
      expect(reason).toContain(INTERNAL);
    },
  );

  it("is the generation's end when a table's own topic is gone", async () => {
    const cluster = aCluster((topic) => {
      if (topic === SOURCE) throw new TopicLost(topic, `topic ${topic} does not exist`);
    });
    await expect(drained(cluster)).rejects.toMatchObject({ code: 'topic-lost' });
  });

  it('is not had while a topic between two stages was written and its group never committed there', async () => {
    const cluster = Object.assign(
      aCluster(() => undefined),
      { groupOffsets: () => Promise.resolve(new Map([[SOURCE, new Map([[0, 10]])]])) },
    );
    expect(await drained(cluster)).toMatch(new RegExp(`no committed offset for ${INTERNAL}/0: unknown, not drained`));
  });

  it('waits for the stages of an application that made its topics while the sources were being consumed', async () => {
    const sourcesRead = () => asked > 3;
    let asked = 0;
    const committed = { internal: 0 };
    const cluster = {
      listTopics: () => Promise.resolve(sourcesRead() ? [SOURCE, INTERNAL, OUTPUT] : [SOURCE, OUTPUT]),
      groupOffsets: () => {
        asked += 1;
        if (asked > 12) committed.internal = 10;
        return Promise.resolve(
          new Map([[SOURCE, new Map([[0, sourcesRead() ? 10 : 4]])], ...(committed.internal > 0 ? ([[INTERNAL, new Map([[0, 10]])]] as const) : [])]),
        );
      },
      offsets: () => Promise.resolve([{ partition: 0, low: 0, high: 10, committed: 10 }]),
      onlyControlRecords: () => Promise.resolve(false),
    } as unknown as KafkaPort;
    expect(await drained(cluster)).toBeNull();
    expect(committed.internal).toBe(10);
  });
});
