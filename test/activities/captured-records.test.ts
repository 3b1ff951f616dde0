// Tests how a fold reads a connector's Avro records. The fold keeps the latest row of each key. It
// gets the schemas from the registry while it reads the topic.
import { describe, expect, it } from 'vitest';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { SchemaRegistry } from '../../src/clients/http/schema-registry.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { partitionOf } from '../../src/domain/values/partition.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { Problem } from '../../src/domain/failure.js';
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
const record = (name: string, ...fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields: fields.map(([field, type]) => ({ name: field, type })),
});
const VALUE = record('Value', ['id', 'long'], ['note', 'string']);
const SCHEMAS: Readonly<Record<number, object>> = {
  1: record('Key', ['id', 'long']),
  2: record(
    'Envelope',
    ['before', ['null', VALUE]],
    ['after', ['null', 'Value']],
    ['source', record('Source', ['txId', 'long'])],
    ['op', 'string'],
  ),
};

const message = (id: number, note: string): Message => ({
  key: framed(1, long(id)),
  value: framed(
    2,
    branch(0),
    branch(1, Buffer.concat([long(id), string(note)])),
    long(7),
    string('c'),
  ),
});

const SNAPSHOT = parseSnapshot('100:100:');

async function folded<F extends HashFold | TableFold>(kafka: KafkaPort, fold: F): Promise<F> {
  const reading = { kafka, topic: 't', heartbeat: () => undefined };
  return foldTable(reading, fold, await kafka.offsets('t'), SNAPSHOT);
}

const known: SchemaRegistry['schema'] = (id) =>
  Promise.resolve(SCHEMAS[id] ? JSON.stringify(SCHEMAS[id]) : null);

describe('a fold of an Avro topic', () => {
  it('contains the latest row of each key, and requests each schema once from the registry', async () => {
    const asked: number[] = [];
    const schema: SchemaRegistry['schema'] = (id) => {
      asked.push(id);
      return known(id, 'AVRO');
    };
    const kafka = clusterOf([[message(1, 'a'), message(2, 'b'), message(1, 'c')]], schema);
    const fold = await folded(kafka, new TableFold(SHAPE));
    expect([...fold.rows.values()].map(({ row }) => row)).toEqual(['["1","c"]', '["2","b"]']);
    expect(asked).toEqual([1, 2]);
    const hashes = await folded(kafka, new HashFold(SHAPE, 8));
    expect([hashes.table.size, hashes.unreadable]).toEqual([2, 0]);
  });

  it('fails if the registry does not answer', async () => {
    const away = (): Promise<never> => Promise.reject(new Problem('unreachable', 'away'));
    const kafka = clusterOf([[message(1, 'a')]], away);
    await expect(folded(kafka, new HashFold(SHAPE, 8))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it('counts a record as unreadable, and says why, if it is not Avro or the registry lacks its schema', async () => {
    const { key } = message(1, 'a');
    const bad = [
      { key, value: Buffer.from('{"after":{"id":1,"note":"a"},"op":"r"}') },
      { key, value: framed(77, long(1)) },
    ];
    const fold = await folded(clusterOf([[message(2, 'b'), ...bad]], known), new TableFold(SHAPE));
    expect([fold.unreadable, fold.rows.size]).toEqual([2, 1]);
    expect(fold.refused.map(({ value }) => value)).toEqual([
      expect.stringContaining('does not begin with a zero byte'),
      expect.stringContaining('schema 77 is not in the schema registry'),
    ]);
    const hashes = await folded(clusterOf([bad], known), new HashFold(SHAPE, 8));
    expect(hashes.unreadable).toBe(2);
  });

  it('counts a record as unreadable if it is not in the partition that the hash of its key selects', async () => {
    const place = ({ key }: Message): number => partitionOf(key, 0, key.length, 2);
    const all = [1, 2, 3, 4, 5, 6].map((id) => message(id, 'n'));
    const parts = [0, 1].map((part) => all.filter((one) => place(one) === part));
    const right = await folded(clusterOf(parts, known), new HashFold(SHAPE, 8));
    expect([right.table.size, right.unreadable]).toEqual([6, 0]);
    const [first = [], second = []] = parts;
    const moved = [[...first, second[0]!], second.slice(1)];
    const wrong = await folded(clusterOf(moved, known), new HashFold(SHAPE, 8));
    expect([wrong.table.size, wrong.unreadable]).toEqual([5, 1]);
  });
});
