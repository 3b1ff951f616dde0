// Folding an Avro topic with several threads gives the same result as with one thread, no matter
// which thread first needs a schema.
import { describe, expect, it } from 'vitest';
import { decodingOf } from '../../src/activities/capture/captured-records.js';
import { FoldThreads } from '../../src/activities/windows/folds/fold-threads.js';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { SchemaRegistry } from '../../src/clients/http/schema-registry.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { Problem } from '../../src/domain/failure.js';
import { partitionOf } from '../../src/domain/values/partition.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { branch, framed, long, string } from '../support/avro-bytes.js';
import { clusterOf, type Message } from '../support/topic-in-memory.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'note', type: 'text' },
  ],
};
const SNAPSHOT = parseSnapshot('100:110:103');
const PARTITIONS = 2;
const [KEY, VALUE, LATER_VALUE, OTHER_KEY, MISSING] = [1, 2, 3, 4, 77];

const record = (name: string, ...fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields: fields.map(([field, type]) => ({ name: field, type })),
});
const envelope = (...fields: readonly (readonly [string, unknown])[]): object =>
  record(
    'Envelope',
    ['before', ['null', record('Value', ...fields)]],
    ['after', ['null', 'Value']],
    ['source', record('Source', ['txId', 'long'])],
    ['op', 'string'],
  );
const SCHEMAS: Readonly<Record<number, object>> = {
  [KEY]: record('Key', ['id', 'long']),
  [VALUE]: envelope(['id', 'long'], ['note', 'string']),
  [LATER_VALUE]: envelope(['id', 'long'], ['added', 'string'], ['note', 'string']),
  [OTHER_KEY]: record('Key', ['id', 'long'], ['more', ['null', 'string']]),
};

/** Makes the nth message. Some messages are deletes or tombstones, and some must be refused. */
function message(n: number): Message {
  const id = (n * 7) % 3000;
  const key = n % 499 === 3 ? framed(OTHER_KEY, long(id), branch(0)) : framed(KEY, long(id));
  if (n % 101 === 7) return { key, value: null };
  const image = (...more: readonly Buffer[]): Buffer =>
    Buffer.concat([long(id), ...more, string(`note ${n}`)]);
  const [schema, row] = n > 4000 ? [LATER_VALUE, image(string('x'))] : [VALUE, image()];
  const op = n < 3000 ? 'r' : n % 13 === 0 ? 'd' : 'u';
  const [before, after] = op === 'd' ? [branch(1, row), branch(0)] : [branch(0), branch(1, row)];
  const parts = [before, after, long(90 + (n % 25)), string(op)];
  if (n % 997 === 5) return { key, value: Buffer.from('no Avro') };
  return { key, value: framed(n % 503 === 9 ? MISSING : schema, ...parts) };
}

/** Returns the messages of each partition. A few are not in the partition of their key. */
function topic(count: number): Message[][] {
  const partitions: Message[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let n = 0; n < count; n += 1) {
    const made = message(n);
    const place = partitionOf(made.key, 0, made.key.length, PARTITIONS);
    partitions[n % 1009 === 11 ? 1 - place : place]!.push(made);
  }
  return partitions;
}

const known: SchemaRegistry['schema'] = (id) =>
  Promise.resolve(SCHEMAS[id] ? JSON.stringify(SCHEMAS[id]) : null);

async function byThreads(kafka: KafkaPort): Promise<HashFold> {
  const fold = new HashFold(SHAPE, 10);
  const decoding = decodingOf(kafka)!;
  const threads = new FoldThreads(SHAPE, decoding);
  try {
    for (const { partition, committed } of await kafka.offsets('t')) {
      fold.readFrom(partition, 0);
      const range = { topic: 't', partition, partitions: PARTITIONS, from: 0, to: committed };
      await threads.fold(kafka, range, { fold, snapshot: SNAPSHOT, heartbeat: () => undefined });
    }
  } finally {
    await threads.close();
  }
  fold.keySchema = decoding.decoder.keySchema;
  return fold;
}

describe('folding an Avro topic by several threads', () => {
  it('gives the same result as folding in one thread, and refuses the same records', async () => {
    const kafka = clusterOf(topic(6000), known, 100);
    const reading = { kafka, topic: 't', heartbeat: () => undefined };
    const empty = new HashFold(SHAPE, 10);
    const one = await foldTable(reading, empty, await kafka.offsets('t'), SNAPSHOT);
    const many = await byThreads(kafka);
    expect(many.refused).toEqual(one.refused);
    expect(one.unreadable).toBeGreaterThan(30);
    expect([many.table.size, many.table.digest(), many.unreadable, many.keySchema]).toEqual([
      one.table.size,
      one.table.digest(),
      one.unreadable,
      KEY,
    ]);
    const before = one.table.digest();
    for (const fold of [one, many]) fold.applyOverlay(parseSnapshot('200:200:'));
    expect(one.table.digest()).not.toBe(before);
    expect(many.table.digest()).toBe(one.table.digest());
  });

  it('fails with the problem of the registry if a thread needs a schema that cannot be read', async () => {
    const away: SchemaRegistry['schema'] = (id, type) =>
      id === LATER_VALUE
        ? Promise.reject(new Problem('unreachable', 'away', 'start it'))
        : known(id, type);
    await expect(byThreads(clusterOf(topic(6000), away, 100))).rejects.toMatchObject({
      code: 'unreachable',
      message: 'away',
      remedy: 'start it',
    });
  });
});
