// Tests calls for existing topics after another topic was deleted. In kafkajs, a deleted topic
// makes every refresh of the metadata fail. If the refresh within `addTargetTopic` fails, kafkajs
// restores the earlier list of topics. The fake cluster of this test does the same.
import { describe, expect, it } from 'vitest';
import { denied } from '../../src/clients/kafka/connection-trouble.js';
import { KnownTopics } from '../../src/clients/kafka/known-topics.js';
import type { Cluster } from '../../src/clients/kafka/kafkajs-internals.js';

/** Waits this number of turns of the event loop, as if the brokers needed this time to answer. */
async function answers(turns: number): Promise<void> {
  for (let n = 0; n < turns; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

function aCluster(existing: readonly string[]): Cluster & { refreshes: number } {
  let turn: Promise<unknown> = Promise.resolve();
  const cluster = {
    targetTopics: new Set(['deleted']),
    addTargetTopic: (topic: string): Promise<void> => {
      const mine = turn.then(async () => {
        const before = new Set(cluster.targetTopics);
        cluster.targetTopics.add(topic);
        const isRefused = [...cluster.targetTopics].some((one) => !existing.includes(one));
        await answers(1);
        if (!isRefused) return;
        cluster.targetTopics = before;
        throw new Error('This server does not host this topic-partition');
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    refreshMetadata: async (): Promise<void> => {
      await answers(1);
      if ([...cluster.targetTopics].some((one) => !existing.includes(one)))
        throw new Error('This server does not host this topic-partition');
      cluster.refreshes += 1;
    },
    refreshes: 0,
  };
  return cluster as unknown as Cluster & { refreshes: number };
}

/** In each case, listing the topics takes as long as this number of refreshes. */
const LISTING = [0, 1, 2, 3, 4];
const knownTopics = (turns: number): KnownTopics =>
  new KnownTopics({
    listTopics: async () => {
      await answers(turns);
      return ['new'];
    },
    refuseHidden: () => Promise.resolve(),
  });

describe('a topic that exists', () => {
  it.each(LISTING)(
    'is known to all callers, although a different topic was deleted (turns of the listing: %i)',
    async (turns) => {
      const known = knownTopics(turns);
      const cluster = aCluster(['new']);
      await Promise.all([1, 2, 3].map(() => known.know(cluster, 'new')));
      expect([...cluster.targetTopics]).toEqual(['new']);
    },
  );
});

describe('a topic that was deleted', () => {
  it.each(LISTING)(
    'fails each of its callers, but no later caller of another topic (turns of the listing: %i)',
    async (turns) => {
      const known = knownTopics(turns);
      const cluster = aCluster(['new']);
      const lost = await Promise.allSettled([1, 2].map(() => known.know(cluster, 'gone')));
      for (const one of lost)
        expect(one).toMatchObject({ status: 'rejected', reason: { code: 'topic-lost' } });
      await known.know(cluster, 'new');
      expect([...cluster.targetTopics]).toEqual(['new']);
    },
  );
});

describe('a refresh', () => {
  it('reads the existing topics again, although a different topic was deleted', async () => {
    const cluster = aCluster(['new']);
    cluster.targetTopics.add('new');
    await knownTopics(1).refresh(cluster);
    expect(cluster.refreshes).toBe(1);
    expect([...cluster.targetTopics]).toEqual(['new']);
  });
});

describe('a topic that ACLs hide', () => {
  it('is not treated as deleted', async () => {
    const known = new KnownTopics({
      listTopics: () => Promise.resolve(['new']),
      refuseHidden: ([topic]) => Promise.reject(denied('Describe', topic!)),
    });
    await expect(known.know(aCluster(['new']), 'hidden')).rejects.toMatchObject({
      code: 'permission-denied',
      message: "Kafka does not allow Sluice's principal to DESCRIBE topic hidden",
      remedy: expect.stringContaining('--operation Describe --topic hidden') as string,
    });
  });
});
