// Folding with several threads gives the same result as with one thread, no matter in which order
// the threads finish.
import { describe, expect, it } from 'vitest';
import { FoldThreads } from '../../src/activities/windows/folds/fold-threads.js';
import { BatchBuilder } from '../../src/clients/kafka/batch-builder.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import {
  TransactionFilter,
  visibleBatches,
  walkBatch,
} from '../../src/clients/kafka/record-batch.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { Problem } from '../../src/domain/failure.js';
import { parseSnapshot } from '../../src/domain/values/position.js';

const SHAPES: readonly Shape[] = [
  {
    key: ['id'],
    columns: [
      { name: 'id', type: 'int8' },
      { name: 'v', type: 'text' },
    ],
  },
  {
    key: ['v', 'id'],
    columns: [
      { name: 'id', type: 'int8' },
      { name: 'v', type: 'text' },
    ],
  },
];
const SNAPSHOT = parseSnapshot('5000000000:5000000010:5000000003');

/**
 * Builds the brokers' answers, each with one batch. The batches have different sizes, so that
 * threads overtake each other. Returns a port that serves exactly these answers.
 */
function topicOf(
  shape: Shape,
  batches: number,
  damage = (batch: Buffer, _at: number): Buffer => batch,
): KafkaPort {
  const answers: Buffer[] = [];
  let n = 0;
  for (let at = 0; at < batches; at += 1) {
    const builder = new BatchBuilder(1024);
    for (let i = 0; i < 1 + ((at * 37) % 400); i += 1, n += 1) {
      const id = (n * 7) % 500;
      const row: Record<string, unknown> = {
        id,
        v: `v${id % 3}${n % 11 === 0 ? 'x'.repeat(n % 700) : ''}`,
      };
      const image = JSON.stringify(row);
      const key = JSON.stringify(
        Object.fromEntries(
          shape.key.map((name) => [
            name,
            n % 499 === 3 ? (name === 'id' ? 77_777 : 'foreign') : row[name],
          ]),
        ),
      );
      const op = n < 500 ? 'r' : n % 13 === 0 ? 'd' : 'u';
      const txId = 4_999_999_990 + (n % 25);
      const value =
        n % 997 === 5
          ? 'no json'
          : `{"before":${op === 'd' ? image : 'null'},"after":${op === 'd' ? 'null' : image},"source":{"txId":${txId}},"op":"${op}"}`;
      builder.add(key, n % 101 === 7 ? null : value);
    }
    const batch = Buffer.from(builder.finish({ producerId: -1n, epoch: -1 }, 0, 0));
    batch.writeBigInt64BE(BigInt(n), 0); // the base offset; the fold only needs it to grow
    answers.push(damage(batch, at));
  }
  return {
    async readBatches(
      _topic: string,
      _partition: number,
      from: number,
      to: number,
      take: (records: Buffer, batches: object[]) => void | Promise<void>,
    ) {
      for (const answer of answers)
        await take(answer, visibleBatches(answer, from, to, new TransactionFilter()).batches);
    },
  } as unknown as KafkaPort;
}

async function inOne(kafka: KafkaPort, shape: Shape): Promise<HashFold> {
  const fold = new HashFold(shape, 10);
  await kafka.readBatches('t', 0, 0, 1e9, (records, batches) => {
    for (const batch of batches)
      walkBatch(records, batch, 0, 1e9, (...record) => fold.add(...record, SNAPSHOT));
  });
  return fold;
}

async function byThreads(kafka: KafkaPort, shape: Shape): Promise<HashFold> {
  const fold = new HashFold(shape, 10);
  const threads = new FoldThreads(shape);
  try {
    const range = { topic: 't', partition: 0, partitions: 0, from: 0, to: 1e9 };
    await threads.fold(kafka, range, { fold, snapshot: SNAPSHOT, heartbeat: () => undefined });
  } finally {
    await threads.close();
  }
  return fold;
}

describe('folding by several threads', () => {
  it('fails if the threads have ended before they got work, for example because none could start', async () => {
    const [shape] = SHAPES;
    const threads = new FoldThreads(shape!);
    await threads.close();
    const into = { fold: new HashFold(shape!, 10), snapshot: SNAPSHOT, heartbeat: () => undefined };
    const range = { topic: 't', partition: 0, partitions: 0, from: 0, to: 1e9 };
    await expect(threads.fold(topicOf(shape!, 1), range, into)).rejects.toThrow(
      'a folding thread ended',
    );
  });
  it.each(SHAPES.map((shape) => [shape.key.join('+'), shape] as const))(
    'gives the same result as one thread for key %s, with invisible and unreadable records',
    async (_key, shape) => {
      const kafka = topicOf(shape, 60);
      const [one, many] = [await inOne(kafka, shape), await byThreads(kafka, shape)];
      const later = parseSnapshot('6000000000:6000000000:');
      for (const fold of [one, many]) expect(fold.unreadable).toBeGreaterThan(5);
      expect([many.table.size, many.table.digest(), many.unreadable]).toEqual([
        one.table.size,
        one.table.digest(),
        one.unreadable,
      ]);
      expect(many.refused).toEqual(one.refused);
      expect(new Set(one.refused.map(({ why }) => why)).size).toBe(2);
      const before = one.table.digest();
      for (const fold of [one, many]) fold.applyOverlay(later);
      expect(one.table.digest()).not.toBe(before);
      expect(many.table.digest()).toBe(one.table.digest());
    },
  );

  it("throws a thread's error with its code and message", async () => {
    const damaged = topicOf(SHAPES[0]!, 20, (batch, at) => {
      // the header claims LZ4, which the checksum contradicts
      if (at === 11) batch.writeInt16BE(3, 21);
      return batch;
    });
    const failed = await byThreads(damaged, SHAPES[0]!).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Problem);
    expect(failed).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('checksum') as string,
    });
  });
});
