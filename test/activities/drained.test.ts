// Tests the parts of the drain proof that show that the pipeline has read its whole input: P4 (the
// ends of the topics are known) and P5 (the groups have read to these ends). If the pipeline is
// deployed again during the drain, its internal topics are removed and created again. This must
// never end the generation. The loss of a table's topic does end it. P4 and P5 are parts of the proof
// (see docs/explanation/cutover.md).
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pipelineDrained } from '../../src/activities/barrier/consumers-drained.js';
import { TopicLost, type KafkaPort } from '../../src/clients/kafka/kafka.js';
import { denied } from '../../src/clients/kafka/connection-trouble.js';
import type { GroupDescription } from '../../src/clients/kafka/groups.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';
import { described } from '../support/known-group.js';
import { skipping } from '../support/skipping.js';

const ref = aRef({ spec: BATCH_PARTS });
const { spec } = ref;

const SOURCE = 'bank.public.accounts';

const INTERNAL = `${spec.spec.pipeline!.groups[0]}-totals-repartition`;

const OUTPUT = spec.spec.pipeline!.output.topic;

/**
 * A cluster whose group has consumed everything. `lost` is called for each topic whose end is read.
 * It throws if the topic is lost.
 */
function aCluster(lost: (topic: string) => void): KafkaPort {
  const cluster = {
    refuseHidden: () => Promise.resolve(),
    listTopics: () => Promise.resolve([SOURCE, INTERNAL, OUTPUT]),
    describeGroup: () => Promise.resolve(described()),
    groupOffsets: () =>
      Promise.resolve(new Map([SOURCE, INTERNAL].map((topic) => [topic, new Map([[0, 10]])]))),
    offsets: (topic: string) => {
      lost(topic);
      return Promise.resolve([{ partition: 0, low: 0, high: 10, committed: 10 }]);
    },
    onlyControlRecords: () => Promise.resolve(true),
  };
  return cluster as unknown as KafkaPort;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Runs an activity and skips the time that it waits. */
const skipped = (drain: () => Promise<string | null>): Promise<string | null> =>
  skipping(
    new MockActivityEnvironment().run<[], string | null, () => Promise<string | null>>(drain),
  );

const drained = (cluster: KafkaPort): Promise<string | null> =>
  skipped(() => pipelineDrained(cluster, resolve(ref), Date.now() + 2000));

describe('the drain proof', () => {
  it('holds if the group has read every topic, including internal topics, and the output is stable', async () => {
    expect(await drained(aCluster(() => undefined))).toBeNull();
  });

  it('reports the ends of the topics in its last pass, and that the group has read to these ends', async () => {
    const notes: string[] = [];
    await skipped(() =>
      pipelineDrained(
        aCluster(() => undefined),
        resolve(ref),
        Date.now() + 2000,
        (proof) => void notes.push(`${proof.part} ${proof.holds}`),
      ),
    );
    const both = `${SOURCE} 10, ${INTERNAL} 10`;
    expect(notes).toEqual([
      `P4 the ends were read and are stable: ${both} (pass 2 of 2)`,
      `P5 group totals has read to these ends, apart from control records: ${both} (pass 2 of 2)`,
      `P4 the ends were read and are stable: ${OUTPUT} 10`,
    ]);
  });

  it('fails if ACLs hide a topic that the group reads, so that Sluice cannot see its end', async () => {
    const asked: string[] = [];
    const hiding = (topics: readonly string[]) => {
      asked.push(...topics);
      return Promise.reject(denied('Describe', topics.at(-1)!));
    };
    const cluster = aCluster(() => undefined);
    const reads = described(SOURCE, INTERNAL);
    const readers = Object.assign(cluster, { describeGroup: () => Promise.resolve(reads) });
    const reason = await drained(Object.assign(readers, { refuseHidden: hiding }));
    expect(reason).toContain(`DESCRIBE topic ${INTERNAL}, so it is unknown whether the group`);
    const empty = described();
    const left = Object.assign(cluster, { describeGroup: () => Promise.resolve(empty) });
    expect(await drained(left)).toContain('DESCRIBE topic totals-repartition');
    expect(asked).toEqual([SOURCE, INTERNAL, 'totals-repartition']);
  });

  it.each([
    `topic ${INTERNAL} does not exist`,
    `${INTERNAL}/0 has no offset 442895, because records were removed or the topic was re-created`,
  ])('returns a reason, and throws nothing, when an internal topic is lost: %s', async (detail) => {
    const reason = await drained(
      aCluster((topic) => {
        if (topic === INTERNAL) throw new TopicLost(topic, detail);
      }),
    );
    expect(reason).toContain('is being deployed again');
    expect(reason).toContain(INTERNAL);
  });

  it('fails at once, with the former and the new end, if a topic was created again with fewer records', async () => {
    let asked = 0;
    const behind = Object.assign(
      aCluster(() => undefined),
      {
        groupOffsets: () =>
          Promise.resolve(
            new Map(
              [SOURCE, INTERNAL].map((topic) => [topic, new Map([[0, topic === SOURCE ? 10 : 7]])]),
            ),
          ),
        offsets: (topic: string) => {
          const high = topic === INTERNAL && (asked += 1) > 3 ? 7 : 10;
          return Promise.resolve([{ partition: 0, low: 0, high, committed: high }]);
        },
        onlyControlRecords: () => Promise.resolve(false),
      },
    );
    const deadline = Date.now() + 600_000;
    const reason = await new MockActivityEnvironment().run<
      [],
      string | null,
      () => Promise<string | null>
    >(() => pipelineDrained(behind, resolve(ref), deadline));
    expect(reason).toBe(
      `drain: ${INTERNAL}/0 ended at 10 and now ends at 7, so the topic was created again or truncated`,
    );
  });

  it("ends the generation if a table's own topic is gone", async () => {
    const cluster = aCluster((topic) => {
      if (topic === SOURCE) throw new TopicLost(topic, `topic ${topic} does not exist`);
    });
    await expect(drained(cluster)).rejects.toMatchObject({ code: 'topic-lost' });
  });

  it('fails while a group has records to read in an internal topic, but no committed offsets there', async () => {
    const cluster = Object.assign(
      aCluster(() => undefined),
      { groupOffsets: () => Promise.resolve(new Map([[SOURCE, new Map([[0, 10]])]])) },
    );
    expect(await drained(cluster)).toMatch(
      new RegExp(
        `no committed offset for ${INTERNAL}/0, so it is unknown whether the group has drained`,
      ),
    );
  });

  it('waits for internal topics that the pipeline creates during the drain', async () => {
    const sourcesRead = () => asked > 3;
    let asked = 0;
    const committed = { internal: 0 };
    const cluster = {
      describeGroup: () => Promise.resolve(described()),
      refuseHidden: () => Promise.resolve(),
      listTopics: () =>
        Promise.resolve(sourcesRead() ? [SOURCE, INTERNAL, OUTPUT] : [SOURCE, OUTPUT]),
      groupOffsets: () => {
        asked += 1;
        if (asked > 12) committed.internal = 10;
        return Promise.resolve(
          new Map([
            [SOURCE, new Map([[0, sourcesRead() ? 10 : 4]])],
            ...(committed.internal > 0 ? ([[INTERNAL, new Map([[0, 10]])]] as const) : []),
          ]),
        );
      },
      offsets: () => Promise.resolve([{ partition: 0, low: 0, high: 10, committed: 10 }]),
      onlyControlRecords: () => Promise.resolve(false),
    } as unknown as KafkaPort;
    expect(await drained(cluster)).toBeNull();
    expect(committed.internal).toBe(10);
  });
});

describe('the drain of several groups', () => {
  const groups = ['enrich', 'totals', 'idle'];
  const several = aRef({
    spec: { ...BATCH_PARTS, pipeline: { ...BATCH_PARTS.pipeline, groups } },
  });
  const ended = (high: number) => ({ partition: 0, low: 0, high, committed: high });
  function aClusterOf(
    committed: Record<string, [string, number][]>,
    groupOf: (group: string) => GroupDescription = () => described(),
  ): KafkaPort {
    return {
      refuseHidden: () => Promise.resolve(),
      listTopics: () => Promise.resolve([SOURCE, OUTPUT]),
      describeGroup: (group: string) => Promise.resolve(groupOf(group)),
      groupOffsets: (group: string) =>
        Promise.resolve(
          new Map((committed[group] ?? []).map(([topic, at]) => [topic, new Map([[0, at]])])),
        ),
      offsets: () => Promise.resolve([ended(453), { ...ended(0), partition: 1 }]),
      onlyControlRecords: () => Promise.resolve(false),
    } as unknown as KafkaPort;
  }
  const asked = (cluster: KafkaPort): Promise<string | null> =>
    skipped(() => pipelineDrained(cluster, resolve(several), Date.now() + 300));

  it("fails while one of two groups of a topic has not reached the topic's end", async () => {
    const cluster = aClusterOf({ enrich: [[SOURCE, 453]], totals: [[SOURCE, 402]] });
    expect(await asked(cluster)).toBe(
      `drain: group totals has read ${SOURCE}/0 to offset 402, and 453 is needed; this was still so at the time limit`,
    );
  });
  it('holds if each group of a topic has read the whole topic, and another group reads other topics', async () => {
    expect(
      await asked(
        aClusterOf({ enrich: [[SOURCE, 453]], totals: [[SOURCE, 453]], idle: [['other', 1]] }),
      ),
    ).toBeNull();
  });
  it('fails while a group has an offset beyond the end of a topic that was created again', async () => {
    const cluster = aClusterOf({ enrich: [[SOURCE, 453]], totals: [[SOURCE, 7000]] });
    expect(await asked(cluster)).toBe(
      `drain: group totals has read ${SOURCE}/0 to offset 7000, but it ends at 453, so the topic was created again or truncated after that; this was still so at the time limit`,
    );
  });
  it('is not proven while a group subscribes to a topic and has committed nothing there', async () => {
    const cluster = aClusterOf({ enrich: [[SOURCE, 453]] }, (group) =>
      group === 'totals' ? described(SOURCE) : described(),
    );
    expect(await asked(cluster)).toContain(
      `group totals has no committed offset for ${SOURCE}/0, so it is unknown whether the group has drained`,
    );
  });
  it('is not proven while the broker cannot describe a group, even if it has committed offsets', async () => {
    const dead: GroupDescription = {
      unknown: 'it has committed offsets, but the broker describes it as Dead',
    };
    const cluster = aClusterOf({ enrich: [[SOURCE, 453]], totals: [[SOURCE, 453]] }, (group) =>
      group === 'totals' ? dead : described(),
    );
    expect(await asked(cluster)).toMatch(
      /^drain: group totals cannot be described: it has committed offsets.*, so it is unknown whether the group has drained$/,
    );
  });
});
