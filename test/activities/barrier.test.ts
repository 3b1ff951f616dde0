// The drain through a pipeline that is being deployed anew: its own topics come and go, and that must never cost the generation.
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { pipelineDrained } from '../../src/activities/barrier.js';
import { markerRead } from '../../src/activities/drain.js';
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

  it('says with its numbers where the topics ended, and that the groups are past them: of the last hop, not of each', async () => {
    const notes: string[] = [];
    await new MockActivityEnvironment().run(() =>
      pipelineDrained(
        aCluster(() => undefined),
        ref,
        Date.now() + 2000,
        (proof) => void notes.push(proof),
      ),
    );
    const both = `${SOURCE} 10, ${INTERNAL} 10`;
    expect(notes).toEqual([
      `P4 captured, and stable: ${both} (hop 2 of 2)`,
      `P5 group totals is past them, but for control records: ${both} (hop 2 of 2)`,
      `P4 captured, and stable: ${OUTPUT} 10`,
    ]);
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

describe('P3 of the drain proof', () => {
  const topicOf = (...values: string[]): KafkaPort =>
    ({
      offsets: () => Promise.resolve([{ partition: 0, low: 0, high: values.length, committed: values.length }]),
      readRange: (_topic: string, _partition: number, from: number, to: number, visit: (...record: unknown[]) => void) => {
        for (let at = from; at < to; at += 1) {
          const bytes = Buffer.from(values[at]!);
          visit(at, bytes, -1, -1, 0, bytes.length);
        }
        return Promise.resolve();
      },
    }) as unknown as KafkaPort;
  const read = async (kafka: KafkaPort): Promise<{ reason: string | null; notes: string[] }> => {
    const notes: string[] = [];
    const reason = await new MockActivityEnvironment().run<[], string | null, () => Promise<string | null>>(() =>
      markerRead(kafka, ref, 'my-token', Date.now() + 300, (proof) => void notes.push(proof)),
    );
    return { reason, notes };
  };
  const record = (token: string): string => JSON.stringify({ op: 'm', message: { prefix: 'p', content: Buffer.from(token).toString('base64') } });

  it('is had when the very marker of this fence stands in the topic', async () => {
    expect(await read(topicOf(record('nudge'), record('my-token'), record('barrier')))).toEqual({
      reason: null,
      notes: ["P3 the fence's own marker was read from bank.message/0 at 1"],
    });
  });
  it("is unknown, and not a drain, when only others' are there", async () => {
    expect(await read(topicOf(record('nudge'), record('their-token')))).toEqual({
      reason: "P3: the fence's marker is not in bank.message: unknown, not drained",
      notes: [],
    });
  });
});
