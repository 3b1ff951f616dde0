// Tests values of records that resemble the right value. A lenient reader would read each of them
// as equal to the batch's value. Each must count as different or unknown.
import { describe, expect, it } from 'vitest';
import { canonFromJson, canonFromText } from '../../src/compare/column-types.js';
import { HashComparison } from '../../src/compare/hash-comparison.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { RecordBatch } from '../../src/compare/kernel/record-batch.js';
import { Comparison, joinRow, splitRow, type Shape } from '../../src/compare/row-comparison.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { binaryRow, envelope, feed } from '../support/rows.js';
import { shapeOf } from '../support/result-record.js';

type Outcome = 'matched' | 'mismatched' | 'unknown';

/** Compares the batch's value with the value of an output record, which is the text of its JSON. */
function outcomeOf(type: string, batch: string, record: string | Buffer): Outcome {
  const shape = shapeOf({ v: type });
  const fold = new OutputFold(shape);
  fold.add(Buffer.from('{"id":1}'), Buffer.from(record));
  if (fold.unreadable > 0) return 'unknown';
  const comparison = new Comparison(shape, fold.rows, 1);
  comparison.add(joinRow(['1']), joinRow(['1', canonFromText(type, batch)]));
  const { counts } = comparison.finish();
  return counts.matched > 0 ? 'matched' : counts.unknown > 0 ? 'unknown' : 'mismatched';
}

const plain = (value: string): string => `{"id":1,"v":${value}}`;
const connect = (name: string, value: string): string =>
  `{"schema":{"fields":[{"field":"v","name":"org.apache.kafka.connect.data.${name}"}]},"payload":${plain(value)}}`;
const CONNECT = 'org.apache.kafka.connect.data.';
const DECIMAL_OF_1 = `"name":"${CONNECT}Decimal","parameters":{"scale":"1"}`;
const DECIMAL_OF_8 = `"name":"${CONNECT}Decimal","parameters":{"scale":"8"}`;
const MICROS = '"name":"io.debezium.time.MicroTimestamp"';
const NOT_UTF8 = Buffer.from([0x22, 0xff, 0x22]);

describe('an output value', () => {
  it.each<[type: string, batch: string, value: string, outcome: Outcome]>([
    ['bytea', '\\x', '"***"', 'unknown'],
    ['bytea', '\\x6869', '"aGk=***"', 'unknown'],
    ['bytea', '\\x6869', '"aG k="', 'unknown'],
    ['bytea', '\\x6869', '"aGk="', 'matched'],
    ['int8', '4503599627370497', '4503599627370497.25', 'mismatched'],
    ['int4', '5', '5.00000000000000000001', 'mismatched'],
    ['int4', '5', '5.00000000000000000000', 'matched'],
    ['text', '1234567890123456', '1234567890123456', 'mismatched'],
    ['int8', '1234567890123456', '1234567890123456', 'matched'],
    ['interval', 'PT0S', '"PT0.0000009S"', 'unknown'],
    ['interval', 'PT0S', '"PT"', 'unknown'],
    ['interval', 'PT59.999999S', '"PT59.99999899999999S"', 'matched'],
    ['float8[]', '{0.1234567890123456,2}', '[0.1234567890123456,2]', 'matched'],
    ['numeric[]', '{1.5,NULL}', '[1.5,null]', 'matched'],
    ['numeric[]', '{1}', '[1.00000000000000000001]', 'unknown'],
    ['numeric', '0', '1e-400', 'unknown'],
    ['numeric', 'Infinity', '1e400', 'unknown'],
    ['numeric', '1000', '1e3', 'matched'],
    ['float8', '1e+100', '1e100', 'matched'],
    ['int4', '5', '"5"', 'mismatched'],
    ['int8[]', '{1,2}', '[1,"2"]', 'mismatched'],
  ])(
    'of type %s that is %s in the batch and %s in the record is %s',
    (type, batch, value, outcome) => expect(outcomeOf(type, batch, plain(value))).toBe(outcome),
  );

  it.each<[type: string, batch: string, name: string, value: string, outcome: Outcome]>([
    ['date', '1970-01-01', 'Date', '""', 'mismatched'],
    ['date', '1970-01-01', 'Date', '0.5', 'mismatched'],
    ['date', '1970-01-02', 'Date', '1', 'matched'],
    ['timestamp', '1970-01-01 00:00:00', 'Timestamp', 'false', 'mismatched'],
    ['timestamp', '1970-01-01 00:00:00.001', 'Timestamp', '1.9', 'mismatched'],
    ['timestamp', '1970-01-01 00:00:00.001', 'Timestamp', '1', 'matched'],
    ['time', '00:00:00', 'Time', '[]', 'mismatched'],
    ['bytea', '\\x10', 'Decimal', '"Cg=="', 'mismatched'],
    ['text', '10', 'Decimal', '"Cg=="', 'mismatched'],
    ['numeric', '10', 'Decimal', '"**Cg=="', 'unknown'],
    ['numeric', '10', 'Decimal', '"Cg=="', 'matched'],
    ['int4', '10', 'Decimal', '"Cg=="', 'matched'],
    ['numeric', '1234567890123456', 'Decimal', '1234567890123456', 'matched'],
  ])(
    'of type %s that is %s in the batch and the %s %s in the record is %s',
    (type, batch, name, value, outcome) =>
      expect(outcomeOf(type, batch, connect(name, value))).toBe(outcome),
  );

  it.each<[type: string, batch: string, schema: string, value: string, outcome: Outcome]>([
    ['float4', '0.1', DECIMAL_OF_1, '"AQ=="', 'matched'],
    ['float8', '1e-08', DECIMAL_OF_8, '"AQ=="', 'matched'],
    ['float8', '1e-07', DECIMAL_OF_8, '"AQ=="', 'mismatched'],
    ['numeric[]', '{0.1,NULL}', `"items":{${DECIMAL_OF_1}}`, '["AQ==",null]', 'matched'],
    ['numeric[]', '{1234}', `"items":{${DECIMAL_OF_1}}`, '["1234"]', 'mismatched'],
    ['date[]', '{1970-01-02}', `"items":{"name":"${CONNECT}Date"}`, '[1]', 'matched'],
    ['date[]', '{1970-01-02}', `"items":{"name":"${CONNECT}Date"}`, '[2]', 'mismatched'],
    ['date[]', '{1970-01-02}', '"items":{"type":"int32"}', '[1]', 'mismatched'],
    ['timestamp', '2023-11-14 22:13:20.000001', MICROS, '1700000000000001', 'matched'],
    ['timestamp', '2023-11-14 22:13:20.000002', MICROS, '1700000000000001', 'mismatched'],
  ])(
    'of type %s that is %s in the batch and has the schema %s and the value %s is %s',
    (type, batch, schema, value, outcome) => {
      const record = `{"schema":{"fields":[{"field":"v",${schema}}]},"payload":${plain(value)}}`;
      expect(outcomeOf(type, batch, record)).toBe(outcome);
    },
  );

  it('is unknown if it is NULL and has a default in its schema, because Kafka Connect reads the default', () => {
    const record = (schema: string): string =>
      `{"schema":{"fields":[{"field":"v","type":"int32"${schema}}]},"payload":${plain('null')}}`;
    const outcomes = ['', ',"default":null', ',"default":0'].map((schema) => {
      const fold = new OutputFold(shapeOf({ v: 'int4' }));
      fold.add(Buffer.from('{"id":1}'), Buffer.from(record(schema)));
      return fold.rows.get(joinRow(['1']))!.row;
    });
    expect(outcomes).toEqual([joinRow(['1', null]), joinRow(['1', null]), null]);
  });

  it('is unknown if the record lacks it, even if every object inherits a member of its name', () => {
    const shape: Shape = shapeOf({ constructor: 'text' });
    const output = new OutputFold(shape);
    output.add(Buffer.from('{"id":1}'), Buffer.from('{}'));
    const table = new TableFold(shape);
    feed(table, '{"id":1}', envelope('c', '{"id":1}', 1), parseSnapshot('9:9:'));
    for (const { rows } of [output, table])
      expect(rows.get(joinRow(['1']))!.why?.class).toBe('undecodable');
  });

  it.each(['text', 'citext'])('of type %s is unknown if its text is not UTF-8', (type) => {
    const [before, after] = plain('|')
      .split('|')
      .map((part) => Buffer.from(part));
    const record = Buffer.concat([before!, NOT_UTF8, after!]);
    expect(outcomeOf(type, '\ufffd', record)).toBe('unknown');
    expect(outcomeOf(type, '\ufffd', plain('"\ufffd"'))).toBe('matched');
  });
});

describe('a value in a record of a table', () => {
  const suspects = (type: string, stored: string | number, value: Buffer): number => {
    const shape: Shape = shapeOf({ v: type });
    const fold = new HashFold(shape, 16);
    const [before, after] = envelope('c', plain('|'), 1).toString().split('|');
    const record = Buffer.concat([Buffer.from(before!), value, Buffer.from(after!)]);
    feed(fold, '{"id":1}', record, parseSnapshot('9:9:'));
    const comparison = new HashComparison(fold.table, fold.encoder);
    comparison.add(binaryRow(['int8', type], [1, stored]), 0);
    return comparison.suspected + fold.unreadable;
  };

  it.each(['text', 'citext', 'xml'])(
    'of type %s never equals the text of the table if it is not UTF-8',
    (type) => {
      expect(suspects(type, '\ufffd', NOT_UTF8)).toBe(1);
      expect(suspects(type, '\ufffd', Buffer.from('"\ufffd"'))).toBe(0);
    },
  );

  it.each([
    ['text', '1234567890123456', '1234567890123456', '"1234567890123456"'],
    ['citext', '1234567890123456', '1234567890123456', '"1234567890123456"'],
    ['numeric', '1234567890123456', '1234567890123456', '"1234567890123456"'],
    ['int8', '0', '1e-400', '0'],
    ['float8', '1234567890123456', '"1234567890123456"', '1234567890123456'],
  ])(
    'of type %s never equals %s of the table if it is %s, but %s does, by hash and by value',
    (type, stored, other, equal) => {
      const byValue = (value: string): boolean => {
        const fold = new TableFold(shapeOf({ v: type }));
        feed(fold, '{"id":1}', envelope('c', plain(value), 1), parseSnapshot('9:9:'));
        const row = fold.rows.get(joinRow(['1']))!.row;
        return row === joinRow(['1', canonFromText(type, stored)]);
      };
      expect([byValue(other), byValue(equal)]).toEqual([false, true]);
      const field = type === 'int8' || type === 'float8' ? Number(stored) : stored;
      expect([
        suspects(type, field, Buffer.from(other)),
        suspects(type, field, Buffer.from(equal)),
      ]).toEqual([1, 0]);
    },
  );

  it.each<[what: string, record: (record: string) => string]>([
    ['a second row after it', (r) => r.replace(/\}$/, ',"after":{"id":1,"v":"b"}}')],
    ['a second row that is null', (r) => r.replace(/\}$/, ',"after":null}')],
    ['a second source', (r) => r.replace(',"op"', ',"source":{"txId":20},"op"')],
    ['a second source without a transaction', (r) => r.replace(',"op"', ',"source":{},"op"')],
    ['a second transaction', (r) => r.replace('"txId":1', '"txId":1,"txId":20')],
    ['a second operation', (r) => r.replace(/\}$/, ',"op":"d"}')],
    ['a longer operation', (r) => r.replace('"op":"c"', '"op":"create"')],
    ['the value in its row twice', (r) => r.replace('"v":"a"', '"v":"b","v":"a","v":"c"')],
  ])('is read alike by hash and by value if the record has %s', (_what, change) => {
    const shape: Shape = shapeOf({ v: 'text' });
    const record = Buffer.from(change(envelope('c', plain('"a"'), 1).toString()));
    const snapshot = parseSnapshot('9:9:');
    const [rows, hashes] = [new TableFold(shape), new HashFold(shape, 16)];
    for (const fold of [rows, hashes]) feed(fold, '{"id":1}', record, snapshot);
    const batch = new RecordBatch(shape);
    const bytes = Buffer.concat([Buffer.from('{"id":1}'), record]);
    batch.begin({ partition: 0, partitions: 1 }, bytes);
    batch.add(0, batch.response, 0, 8, 8, bytes.length);
    const kernel = new HashFold(shape, 16);
    const { words, count } = batch.finish();
    kernel.addChanges(words, count, snapshot);
    const encoder = new RowEncoder(shape);
    const row = rows.rows.get(joinRow(['1']))?.row;
    if (row) encoder.rowFromCanon(splitRow(row));
    const expected = row ? [0, 1, ...encoder.row.slice(0, 2)].join() : '';
    const seen = [rows, hashes, kernel].map((fold) => [fold.unreadable, fold.waiting].join());
    expect(new Set(seen).size).toBe(1);
    expect([hashes, kernel].map(({ table }) => table.entries().join())).toEqual([
      expected,
      expected,
    ]);
  });

  it('is refused if a byte order mark comes before the record or its key', () => {
    const record = envelope('c', plain('"a"'), 1).toString();
    for (const [key, value] of [
      ['\ufeff{"id":1}', record],
      ['{"id":1}', `\ufeff${record}`],
    ] as const) {
      const shape = shapeOf({ v: 'text' });
      const folds = [new TableFold(shape), new HashFold(shape, 16)];
      for (const fold of folds) feed(fold, key, Buffer.from(value), parseSnapshot('9:9:'));
      expect(folds.map(({ unreadable }) => unreadable)).toEqual([1, 1]);
    }
  });

  it.each(['"***"', '"aGk=***"', '"aG k="'])(
    'is not equal to the bytes that a lenient reader of base64 would decode: %s',
    (value) => {
      const stored = value === '"***"' ? '' : '6869';
      expect(suspects('bytea', stored, Buffer.from(value))).toBe(1);
      expect(() => canonFromJson('bytea', JSON.parse(value))).toThrow('expected base64');
    },
  );
});

describe('a value of the query that the table stores in a different type', () => {
  const shapeOfKey: Shape = shapeOf({ v: 'text' });
  /**
   * Returns whether the stored text equals the query's text. The hashes must agree with the texts.
   */
  const isEqual = (type: string, query: string, stored: string): boolean => {
    const shape: Shape = { ...shapeOfKey, columns: [shapeOfKey.columns[0]!, { name: 'v', type }] };
    const hashOf = (printed: string): string => {
      const encoder = new RowEncoder(shape);
      encoder.rowFromCanon(['1', canonFromText(type, printed)]);
      return encoder.row.slice(0, 2).join();
    };
    const [left, right] = [query, stored].map((printed) => canonFromText(type, printed));
    expect(hashOf(query) === hashOf(stored)).toBe(left === right);
    return left === right;
  };

  it.each([
    ['bool', 't', 'true', 'f', 'false'],
    ['int4', '5', '5.00', '6', '5.50'],
    ['int8', '4503599627370497', '4503599627370497.0', '4503599627370498', '4503599627370497.25'],
    ['float8', '0.1', '0.1', '1e+22', '1e+21'],
  ])(
    'of type %s: %s equals the stored text %s, and %s does not',
    (type, query, stored, other, different) => {
      expect(isEqual(type, query, stored)).toBe(true);
      expect(isEqual(type, other, stored)).toBe(false);
      expect(isEqual(type, query, different)).toBe(false);
    },
  );

  it.each([
    ['bool', '1'],
    ['float8', ''],
    ['float8', 'abc'],
    ['float4', '0x10'],
    ['numeric', ' 5'],
    ['numeric', 'constructor'],
    ['int4', 'five'],
    ['bytea', '\\xzz'],
    ['money', '12.5'],
  ])('of type %s is unknown if the stored text is %j', (type, stored) =>
    expect(() => canonFromText(type, stored)).toThrow(Undecodable),
  );
});
