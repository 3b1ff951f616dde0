// Compaction removes a tombstone after a while. A fold keeps the latest row of each key. If it did
// not read the tombstone in time, it still has the deleted row and must not be used. Sluice drops a
// fold after half of the time for which the topic keeps tombstones.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { foldHashes, foldOutput } from '../../src/activities/windows/folds/fold-output.js';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import { tombstonesKept } from '../../src/activities/windows/folds/tombstones.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { aRef } from '../support/builders.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SHAPE: Shape = { key: ['id'], columns: [{ name: 'id', type: 'int8' }] };
const SNAPSHOT = parseSnapshot('10:10:');
const HOUR = 3_600_000;
const BEGAN = Date.parse('2026-11-02T00:00:00Z');

type TopicRecord = readonly [offset: number, key: string, value: string | null];
const row = (offset: number): TopicRecord => [
  offset,
  '{"id":7}',
  '{"id":7,"after":{"id":7},"op":"r"}',
];

/** A cluster with one topic, whose records a test replaces as compaction would. */
function brokers(log: { records: readonly TopicRecord[]; end: number }): KafkaPort {
  return {
    spec: {},
    topicId: () => Promise.resolve('one'),
    lows: () => Promise.resolve(new Map([[0, 0]])),
    offsets: () =>
      Promise.resolve([{ partition: 0, low: 0, high: log.end, committed: log.end, epoch: 0 }]),
    epochEnd: () => Promise.resolve(log.end),
    readRange(...[, , from, to, visit]: Parameters<KafkaPort['readRange']>) {
      const records = log.records.filter(([offset]) => offset >= from && offset < to);
      for (const [offset, key, value] of records) {
        const bytes = Buffer.from(key + (value ?? ''));
        const valueAt = value === null ? -1 : key.length;
        visit(offset, bytes, 0, key.length, valueAt, value === null ? -1 : bytes.length);
      }
      return Promise.resolve(records.length);
    },
  } as unknown as KafkaPort;
}

const ref = aRef();
const reading = (kafka: KafkaPort) => ({ kafka, topic: 't', heartbeat: () => undefined });

/**
 * Maps each kind of fold to a function that reads the topic with the cache's fold and returns the
 * number of rows.
 */
const KINDS: Record<string, (folds: FoldCache, kafka: KafkaPort) => Promise<number>> = {
  async 'hashes of a table'(folds, kafka) {
    const fold = await folds.hashes(ref, 't', SHAPE, 8);
    await foldTable(reading(kafka), fold, await kafka.offsets('t'), SNAPSHOT);
    fold.proven(SNAPSHOT);
    await folds.save(ref, 't', fold);
    return fold.table.size;
  },
  async 'rows of a table'(folds, kafka) {
    const fold = folds.table(ref, 't', SHAPE);
    await foldTable(reading(kafka), fold, await kafka.offsets('t'), SNAPSHOT);
    return fold.rows.size;
  },
  async 'an output'(folds, kafka) {
    const fold = folds.output(ref, 't', SHAPE);
    await foldOutput({ ...reading(kafka), format: 'json' }, fold);
    return fold.rows.size;
  },
  async 'hashes of an output'(folds, kafka) {
    const fold = folds.outputHashes(ref, 't', SHAPE);
    await foldHashes({ ...reading(kafka), format: 'json' }, fold);
    return fold.table.size;
  },
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: BEGAN }));
afterEach(() => void vi.useRealTimers());

describe.each(Object.keys(KINDS))('a fold of %s', (kind) => {
  const read = KINDS[kind]!;
  let dir: string;
  const newCache = () => new FoldCache(new FoldFiles(dir), 2 ** 24);
  beforeEach(() => void (dir = temporaryFolder('sluice-old-')));

  /**
   * Reads one row, lets hours pass in which it is deleted and compacted away, and reads again. The
   * topic keeps tombstones for `keptMs`. `next` returns the cache for the second reading.
   */
  async function rowsAfter(hours: number, keptMs: number, next: (folds: FoldCache) => FoldCache) {
    const log = { records: [row(0)], end: 1 };
    const kafka = brokers(log);
    const folds = newCache();
    expect(await read(folds, kafka)).toBe(1);
    vi.setSystemTime(BEGAN + hours * HOUR);
    Object.assign(log, { records: [], end: 3 });
    const later = next(folds);
    later.dropOld(ref, new Map([['t', keptMs]]));
    return read(later, kafka);
  }

  it('is read again after half of the time for which the topic keeps tombstones', async () => {
    expect(await rowsAfter(12, 24 * HOUR, (folds) => folds)).toBe(0);
  });
  it('continues to be used before half of the time for which the topic keeps tombstones', async () => {
    expect(await rowsAfter(11, 24 * HOUR, (folds) => folds)).toBe(1);
  });
  it('is not restored from its file after half of the time for which the topic keeps tombstones', async () => {
    expect(await rowsAfter(12, 24 * HOUR, newCache)).toBe(0);
  });
});

it('Sluice learns from the brokers how long each topic keeps a tombstone', async () => {
  const plan = resolve({ spec: ref.spec, generation: 1 });
  const topics: string[] = [];
  const kafka = {
    describeTopics(asked: readonly string[]) {
      topics.push(...asked);
      const settings = { 'delete.retention.ms': '5000' };
      return Promise.resolve(new Map(asked.map((topic) => [topic, { settings }])));
    },
  } as unknown as KafkaPort;
  const kept = await tombstonesKept(kafka, plan);
  expect([...kept.values()]).toEqual(topics.map(() => 5000));
  expect(topics).toEqual(expect.arrayContaining(plan.captures.map(({ topic }) => topic)));
});
