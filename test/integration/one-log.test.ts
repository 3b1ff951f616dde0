// Tests folds with real brokers. A fold is the latest record of each key of a topic. It must notice
// if the topic no longer has the records that it has read. Only compaction may remove such records.
import { describe, expect, it, afterAll } from 'vitest';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { sleepUntil } from '../support/builders.js';
import { aTopic } from '../support/live.js';
import { envelope } from '../support/rows.js';

const port = new KafkaPort(
  { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 2, tls: false },
  () => '',
);
const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const SNAPSHOT = parseSnapshot('1000:1000:');
const made: string[] = [];

afterAll(async () => {
  for (const topic of made) await port.deleteTopic(topic);
  await port.disconnect();
});

async function filled(
  config: Record<string, string> = {},
): Promise<{ topic: string; fold: HashFold; read: () => Promise<HashFold> }> {
  const topic = `one-log-${process.pid}-${made.length}`;
  made.push(topic);
  await aTopic(port, topic, 2, { 'cleanup.policy': 'compact', ...config });
  await write(topic, 100);
  const fold = new HashFold(SHAPE, 100);
  const read = async () =>
    foldTable(
      { kafka: port, topic, heartbeat: () => undefined },
      fold,
      await port.offsets(topic),
      SNAPSHOT,
    );
  await read();
  expect(fold.table.size).toBe(100);
  return { topic, fold, read };
}

async function write(
  topic: string,
  records: number,
  key = (n: number): number => n,
): Promise<void> {
  const writer = port.openWriter();
  for (let n = 1; n <= records; n += 1)
    await writer.write(topic, {
      key: `{"id":${key(n)}}`,
      value: envelope('c', `{"id":${key(n)},"v":"a"}`, 5).toString(),
    });
  await writer.flush();
}

describe('a fold of a real topic', () => {
  it('knows the id of the topic and the leader epochs of its partitions, and continues after new records', async () => {
    const { topic, fold, read } = await filled();
    expect(fold.topicId).toMatch(/^[0-9a-f]{32}$/);
    for (const { partition, next, epoch } of fold.read) {
      expect(epoch).toBeGreaterThanOrEqual(0);
      expect(await port.epochEnd(topic, partition, epoch)).toBe(next);
      expect(await port.epochEnd(topic, partition, epoch + 1)).toBe(-1);
    }
    await write(topic, 120);
    await read();
    expect(fold.table.size).toBe(120);
  });

  it('reports the topic as lost if all records that the fold has read were deleted', async () => {
    const { topic, read } = await filled({ 'cleanup.policy': 'compact,delete' });
    const ends = await port.offsets(topic);
    await port.deleteRecords(topic, new Map(ends.map(({ partition, high }) => [partition, high])));
    await expect(read()).rejects.toMatchObject({
      code: 'topic-lost',
      message: expect.stringContaining('records were deleted') as string,
    });
  });

  it('reports the topic as lost if it was created again and a few keys were written past the old end', async () => {
    const { topic, read } = await filled();
    await port.deleteTopic(topic);
    await sleepUntil('the topic is gone', async () => !(await port.listTopics()).includes(topic));
    await aTopic(port, topic, 2, { 'cleanup.policy': 'compact' });
    await write(topic, 400, (n) => n % 6);
    await expect(read()).rejects.toMatchObject({
      code: 'topic-lost',
      message: expect.stringContaining('created again') as string,
    });
  });

  it('stays valid after a compaction that removed records', async () => {
    const { topic, fold, read } = await filled({
      'min.cleanable.dirty.ratio': '0.01',
      'segment.ms': '100',
      'min.compaction.lag.ms': '0',
      'max.compaction.lag.ms': '100',
    });
    const count = async () => {
      let records = 0;
      for (const { partition, low, committed } of await port.offsets(topic))
        await port.readRange(topic, partition, low, committed, () => void (records += 1));
      return records;
    };
    let written = 100;
    await sleepUntil('the cleaner removed records', async () => {
      await write(topic, 20);
      written += 20;
      return (await count()) < written - 50;
    });
    await read();
    expect(fold.table.size).toBe(100);
    expect((await port.lows(topic)).get(0)).toBe(0);
  });
});
