// Tests how records in Confluent's wire format become JSON: each type, and schemas that change
// within a topic.
import { describe, expect, it } from 'vitest';
import { HashFold } from '../../../src/compare/hash-fold.js';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { parseSnapshot } from '../../../src/domain/values/position.js';
import { branch, bytes, double, float, framed, long, string } from '../../support/avro-bytes.js';
import { keyOf, rewrite, row } from '../../support/avro-rewritten.js';

describe('a value of each Avro type', () => {
  const DECIMAL = { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 };
  const VARIABLE = {
    type: 'record',
    name: 'VariableScaleDecimal',
    'connect.name': 'io.debezium.data.VariableScaleDecimal',
    fields: [
      { name: 'scale', type: 'int' },
      { name: 'value', type: 'bytes' },
    ],
  };
  it.each([
    ['int', long(-5), '-5'],
    ['long', long(9223372036854775807n), '9223372036854775807'],
    ['long', long(-9223372036854775808n), '-9223372036854775808'],
    ['long', long(9007199254740993n), '9007199254740993'],
    ['long', long(-2147483649), '-2147483649'],
    ['boolean', Buffer.from([1]), 'true'],
    ['float', float(0.1), String(Math.fround(0.1))],
    ['double', double(5e-324), '5e-324'],
    ['double', double(Number.NaN), '"NaN"'],
    ['double', double(-Infinity), '"-Infinity"'],
    ['string', string('tab\t"quote" \\ é 😀'), '"tab\\u0009\\"quote\\" \\\\ é 😀"'],
    ['bytes', bytes(Buffer.from([0, 255])), '"AP8="'],
    [['null', 'string'], branch(0), 'null'],
    [['string', 'null'], branch(0, string('a')), '"a"'],
    [DECIMAL, bytes(Buffer.from([0x04, 0xd2])), '"12.34"'],
    [['null', DECIMAL], branch(1, bytes(Buffer.from([0xff]))), '"-0.01"'],
    [VARIABLE, Buffer.concat([long(1), bytes(Buffer.from([0x0f]))]), '"1.5"'],
    [{ type: 'enum', name: 'Mood', symbols: ['sad', 'ok'] }, long(1), '"ok"'],
    [{ type: 'fixed', name: 'Two', size: 2 }, Buffer.from([1, 2]), '"AQI="'],
    [
      { type: 'array', items: ['null', 'int'] },
      Buffer.concat([long(2), branch(1, long(7)), branch(0), long(0)]),
      '[7,null]',
    ],
    [{ type: 'array', items: 'int' }, long(0), '[]'],
    [
      { type: 'array', items: 'int' }, // a block with its size in bytes
      Buffer.concat([long(-1), long(1), long(3), long(0)]),
      '[3]',
    ],
    [
      { type: 'map', values: 'string' },
      Buffer.concat([long(1), string('k'), string('v'), long(0)]),
      '{"k":"v"}',
    ],
    [{ type: 'int', 'connect.type': 'int16' }, long(3), '3'],
  ])('becomes JSON with the value that Kafka Connect writes (%j)', (type, encoded, json) => {
    expect(rewrite([row(['v', type])], keyOf(1), framed(2, encoded))).toEqual({
      key: '{"id":1}',
      value: `{"v":${json}}`,
    });
  });
});

const SOURCE = {
  type: 'record',
  name: 'Source',
  namespace: 'io.debezium.connector.postgresql',
  fields: [
    { name: 'version', type: 'string' },
    { name: 'ts_ns', type: ['null', 'long'] },
    { name: 'txId', type: ['null', 'long'] },
    { name: 'lsn', type: ['null', 'long'] },
  ],
};
const envelope = (...fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name: 'Envelope',
  namespace: 'shop.public.orders',
  fields: [
    { name: 'before', type: ['null', row(...fields)] },
    { name: 'after', type: ['null', 'Value'] },
    { name: 'source', type: SOURCE },
    { name: 'op', type: 'string' },
    { name: 'ts_ns', type: ['null', 'long'] },
  ],
});
const source = (txId: number): Buffer =>
  Buffer.concat([
    string('3.7'),
    branch(1, long(1795000000000000001n)),
    branch(1, long(txId)),
    branch(1, long(64)),
  ]);
const inserted = (id: number, ...after: readonly Buffer[]): Buffer =>
  framed(id, branch(0), branch(1, Buffer.concat(after)), source(7), string('c'), branch(0));

describe('a change event', () => {
  const ORDERS = envelope(['id', 'long'], ['note', ['null', 'string']]);

  it('keeps the rows, the operation and the transaction, and resolves a named type', () => {
    expect(rewrite([ORDERS], keyOf(3), inserted(2, long(3), branch(1, string('x')))).value).toBe(
      '{"before":null,"after":{"id":3,"note":"x"},"source":{"txId":7,"lsn":64},"op":"c"}',
    );
  });

  it('is read with its own schema, even if earlier events of the topic have a different schema', () => {
    const later = envelope(['id', 'long'], ['amount', 'string'], ['note', ['null', 'string']]);
    const value = inserted(3, long(3), string('1.50'), branch(0));
    expect(rewrite([ORDERS, later], keyOf(3), value).value).toContain(
      '"after":{"id":3,"amount":"1.50","note":null}',
    );
  });

  it('is read completely even if it has members that no comparison reads', () => {
    const more = structuredClone(ORDERS) as { fields: object[] };
    more.fields.splice(2, 0, { name: 'isReplayed', type: 'boolean' });
    const after = branch(1, Buffer.concat([long(3), branch(0)]));
    const rest = [Buffer.from([1]), source(7), string('c'), branch(0)];
    const value = framed(2, branch(0), after, ...rest);
    expect(rewrite([more], keyOf(3), value).value).toContain('"after":{"id":3,"note":null}');
  });

  it('stays a tombstone if it has no value', () => {
    expect(rewrite([], keyOf(3), null)).toEqual({ key: '{"id":3}', value: null });
  });

  it('has the same hash as the same event in JSON', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'int8' },
        { name: 'note', type: 'text' },
      ],
    };
    const snapshot = parseSnapshot('100:100:');
    const [avro, json] = [new HashFold(shape, 8), new HashFold(shape, 8)];
    const texts = [
      rewrite([ORDERS], keyOf(3), inserted(2, long(3), branch(1, string('x')))),
      {
        key: '{"id":3}',
        value:
          '{"before":null,"after":{"id":3,"note":"x"},"source":{"version":"3.7","txId":7,"lsn":64},"op":"c","ts_ms":1}',
      },
    ];
    for (const [at, fold] of [avro, json].entries()) {
      const [key, value] = [Buffer.from(texts[at]!.key!), Buffer.from(texts[at]!.value!)];
      const both = Buffer.concat([key, value]);
      fold.add(0, both, 0, key.length, key.length, both.length, snapshot);
    }
    expect([avro.table.size, avro.unreadable]).toEqual([1, 0]);
    expect(avro.table.digest()).toBe(json.table.digest());
  });
});
