// Tests that Avro records are refused if they are unreadable or in a wrong partition.
import { describe, expect, it } from 'vitest';
import { AvroRecords } from '../../../src/compare/avro/avro-records.js';
import { partitionOf } from '../../../src/domain/values/partition.js';
import { framed, long, string } from '../../support/avro-bytes.js';
import { KEY, keyOf, rewrite, row, textsOf } from '../../support/avro-rewritten.js';

describe('a record that cannot be read', () => {
  const ROW = row(['id', 'long'], ['note', 'string']);
  const value = framed(2, long(1), string('some text'));

  it.each([
    ['has no zero byte', Buffer.from('{"id":1}'), /does not begin with a zero byte/],
    ['is shorter than its header', Buffer.from([0, 0, 0]), /does not begin with a zero byte/],
    ['is empty', Buffer.alloc(0), /does not begin with a zero byte/],
    ['has bytes after its value', Buffer.concat([value, Buffer.from([0])]), /1 bytes remain/],
    ['has a length beyond its end', framed(2, long(1), long(1000)), /ends too early/],
    ['has a negative length', framed(2, long(1), long(-3)), /ends too early/],
    ['has a number of more than 64 bits', framed(2, Buffer.alloc(12, 0xff)), /64 bits/],
    ['has a boolean of 2', framed(3, Buffer.from([2])), /neither true nor false/],
  ])(
    'becomes a text that no reader accepts and that contains the reason, if it %s',
    (_what, bad, why) => {
      const written = rewrite([ROW, row(['is', 'boolean'])], keyOf(1), bad).value!;
      expect(written).toMatch(/^!"/);
      expect(written).toMatch(why);
    },
  );

  it('is refused no matter where it is cut off', () => {
    for (let end = 0; end < value.length; end += 1)
      expect(rewrite([ROW], keyOf(1), value.subarray(0, end)).value).toMatch(/^!"/);
  });

  it('is refused if the registry has no such schema, or a schema that cannot be used', () => {
    const records = new AvroRecords();
    records.learn(1, JSON.stringify(KEY));
    records.learn(8, null);
    records.learn(9, 'no json');
    records.learn(10, '{"type":"record","name":"A","fields":[{"name":"a","type":"Missing"}]}');
    records.begin({ partition: 0, partitions: 0 });
    for (const id of [8, 9, 10]) {
      const both = Buffer.concat([keyOf(1), framed(id, long(1))]);
      records.add(id, both, 0, keyOf(1).length, keyOf(1).length, both.length);
    }
    expect(textsOf(records).map(({ value }) => value)).toEqual([
      '!"schema 8 is not in the schema registry"',
      '!"its schema is not JSON"',
      '!"its schema has no type Missing"',
    ]);
  });

  it('keeps its schema in the list of wanted schemas until the decoder has it', () => {
    const records = new AvroRecords();
    const key = keyOf(1);
    const read = (): void => {
      records.begin({ partition: 0, partitions: 0 });
      records.add(0, key, 0, key.length, -1, key.length);
    };
    read();
    expect([...records.wanted]).toEqual([1]);
    records.learn(1, JSON.stringify(KEY));
    read();
    expect([...records.wanted]).toEqual([]);
    expect(textsOf(records)).toEqual([{ key: '{"id":1}', value: null }]);
  });
});

describe('the partition of a record', () => {
  const place = (id: number) => partitionOf(keyOf(id), 0, keyOf(id).length, 3);
  const other = (id: number) => ({ partition: (place(id) + 1) % 3, partitions: 3 });

  it('is checked with the bytes that the connector wrote, even for a tombstone', () => {
    expect(rewrite([], keyOf(5), null, { partition: place(5), partitions: 3 }).value).toBe(null);
    expect(rewrite([], keyOf(5), null, other(5)).value).toMatch(/^!".*different partition/);
  });

  it.each([3, 1])(
    'cannot be checked after a change of the key’s schema (number of partitions: %d)',
    (partitions) => {
      const records = new AvroRecords();
      for (const id of [1, 2]) records.learn(id, JSON.stringify(KEY));
      const keys = [framed(1, long(5)), framed(2, long(5))];
      const refused = keys.map((key) => {
        records.begin({ partition: partitionOf(key, 0, key.length, partitions), partitions });
        records.add(0, key, 0, key.length, -1, key.length);
        return textsOf(records)[0]!.value;
      });
      expect(refused[0]).toBe(null);
      expect(refused[1]).toMatch(/^!"its key has schema 2 and earlier keys have schema 1/);
    },
  );

  it('cannot be checked if an earlier reading of the topic found a different schema', () => {
    const records = new AvroRecords();
    records.learn(2, JSON.stringify(KEY));
    records.keySchema = 1;
    const key = framed(2, long(5));
    records.begin({ partition: partitionOf(key, 0, key.length, 3), partitions: 3 });
    records.add(0, key, 0, key.length, -1, key.length);
    expect(textsOf(records)[0]!.value).toMatch(/^!"its key has schema 2 and earlier keys/);
  });
});
