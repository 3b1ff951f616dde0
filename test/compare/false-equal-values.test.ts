// Tests wrong values in records. Each resembles the right value, so a lenient reader would read it
// as equal to the batch's value. It must count as different or unknown. A right value in an unusual
// form must still match.
import { describe, expect, it } from 'vitest';
import { canonFromText } from '../../src/compare/column-types.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { Comparison, joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { envelope, feed } from '../support/rows.js';
import { shapeOf } from '../support/result-record.js';

type Outcome = 'matched' | 'mismatched' | 'unknown';

/** Compares the batch's value with the value in an output record. `record` is the record's JSON. */
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
    'of type %s that is %s in the batch and a Kafka Connect %s %s in the record is %s',
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

  it('is unknown if the record lacks it, even if JavaScript objects inherit a member of its name', () => {
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

describe('a value of the query that a result table stores in a different type', () => {
  const shapeOfKey: Shape = shapeOf({ v: 'text' });
  /**
   * Returns whether the stored text equals the query's text if both are read as `type`. The hashes
   * must give the same answer.
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
