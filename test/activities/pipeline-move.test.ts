// Tests when a pipeline reads the topics of a new generation.
import { describe, expect, it } from 'vitest';
import { unreadBy } from '../../src/activities/pipelines/pipeline-move.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { described } from '../support/known-group.js';

describe('a pipeline has moved to the topics of a new generation', () => {
  const reads: Record<string, string[]> = { enrich: ['g2.orders'], totals: [] };
  const subscribes: Record<string, string[]> = { totals: ['orders'] };
  const kafka = {
    describeGroup: (group: string) => Promise.resolve(described(...(subscribes[group] ?? []))),
    groupOffsets: (group: string) =>
      Promise.resolve(new Map(reads[group]!.map((topic) => [topic, new Map([[0, 1]])]))),
  } as unknown as KafkaPort;
  const unread = () =>
    unreadBy(kafka, ['enrich', 'totals'], [{ topic: 'g2.orders', earlier: ['orders'] }]);

  it("only when each group that reads a table's earlier topic, and at least one group, reads the new one", async () => {
    expect(await unread()).toEqual(['g2.orders by group totals']);
    reads['totals'] = ['orders', 'g2.orders'];
    expect(await unread()).toEqual([]);
    reads['enrich'] = reads['totals'] = [];
    subscribes['totals'] = [];
    expect(await unread()).toEqual(['g2.orders by group enrich, totals']);
  });
});
