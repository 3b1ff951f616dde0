// Tests how a result in the registry's JSON Schema format is read.
import { describe, expect, it } from 'vitest';
import { JsonSchemaRecords } from '../../../src/compare/json-schema/json-schema-records.js';
import { framed } from '../../support/avro-bytes.js';
import { readRecord, rewritten, shapeOf } from '../../support/result-record.js';

const KEY = '{"type":"object","properties":{"id":{"type":"integer"}}}';
const key = framed(1, Buffer.from('{"id":7}'));
const CONNECT = 'org.apache.kafka.connect.data.';

const read = (type: string, property: unknown, value: string, more: object = {}) =>
  readRecord(
    shapeOf({ v: type }),
    new JsonSchemaRecords(),
    { 1: KEY, 2: JSON.stringify({ type: 'object', properties: { v: property }, ...more }) },
    key,
    framed(2, Buffer.from(`{"v":${value}}`)),
  );

/** A property as Kafka Connect's converter describes it. */
const connect = (name: string, type: string, parameters?: object): object => ({
  title: `${CONNECT}${name}`,
  'connect.type': type,
  'connect.parameters': parameters,
});
const MONEY = { type: 'number', ...connect('Decimal', 'bytes', { scale: '2' }) };
const DATE = { type: 'integer', ...connect('Date', 'int32') };
const optional = (schema: object): object => ({ oneOf: [{ type: 'null' }, schema] });

describe('a value in JSON Schema', () => {
  it.each([
    ['int8', { type: 'integer' }, '9223372036854775807', '9223372036854775807'],
    ['int8', { type: 'integer' }, '9007199254740993', '9007199254740993'],
    ['numeric', { type: 'string' }, '"1.50"', '1.5'],
    ['numeric', { type: 'number' }, '1.5', '1.5'],
    ['text', { type: 'string' }, '"é\\n"', 'é\n'],
    ['bool', { type: 'boolean' }, 'true', 't'],
    ['date', { type: 'string', format: 'date' }, '"2026-01-01"', '2026-01-01'],
    ['bytea', { type: 'string', 'connect.type': 'bytes' }, '"AP8="', '00ff'],
    ['int4[]', { type: 'array', items: { type: 'integer' } }, '[1,null]', '["1",null]'],
    ['text', { oneOf: [{ type: 'null' }, { type: 'string' }] }, 'null', null],
    ['numeric', MONEY, '"BOI="', '12.5'],
    ['numeric', optional(MONEY), '"BOI="', '12.5'],
    ['numeric', optional(MONEY), 'null', null],
    ['numeric', MONEY, '12345678901234567.25', '12345678901234567.25'],
    ['numeric', MONEY, '12.5', '12.5'],
    ['date', DATE, '20454', '2026-01-01'],
    ['time', { type: 'integer', ...connect('Time', 'int32') }, '36001500', '10:00:01.5'],
    [
      'timestamptz',
      { type: 'integer', ...connect('Timestamp', 'int64') },
      '1767225600500',
      '2026-01-01 00:00:00.5',
    ],
  ])('of %s equals the value of the batch (%j: %s)', (type, property, value, canon) => {
    expect(read(type, property, value)).toEqual({ key: ['7'], row: { values: ['7', canon] } });
  });

  it('is read with the type to which a reference inside the schema points', () => {
    const more = { $defs: { Money: MONEY } };
    const money = { $ref: '#/$defs/Money' };
    expect(read('numeric', money, '"BOI="', more).row).toEqual({ values: ['7', '12.5'] });
    const root = { $ref: '#/definitions/Row', definitions: { Row: { properties: { v: DATE } } } };
    expect(read('date', {}, '20454', root).row).toEqual({ values: ['7', '2026-01-01'] });
  });

  it('of an array is read by the logical type of its items', () => {
    const dates = { type: 'array', items: { oneOf: [{ type: 'null' }, DATE] } };
    expect(read('date[]', dates, '[20454,null]').row).toEqual({
      values: ['7', '["2026-01-01",null]'],
    });
  });

  it.each([
    ['is neither base64 nor a number', MONEY, '"B*I="'],
    ['may have been rounded by its writer', { type: 'number' }, '0.12345678901234567'],
  ])('is unknown if it %s', (_what, property, value) => {
    expect(read('numeric', property, value).row).toMatchObject({
      values: null,
      why: { class: 'undecodable', column: 'v' },
    });
  });
});

describe('a record in JSON Schema', () => {
  const refused = (schema: string, value: Buffer): string =>
    rewritten(new JsonSchemaRecords(), { 1: KEY, 2: schema }, key, value).value!;
  const ROW = JSON.stringify({ properties: { v: DATE } });
  const circle = { $ref: '#/a', a: { $ref: '#/a' } };

  it.each([
    [
      'does not begin with the zero byte of a registry',
      ROW,
      Buffer.from('{"v":1}'),
      /not a JSON Schema record/,
    ],
    ['is not JSON', ROW, framed(2, Buffer.from('{"v":')), /its value is not JSON/],
    [
      'closes its object and adds a member to the envelope into which the decoder puts it',
      ROW,
      framed(2, Buffer.from('{"v":1},"payload":{"v":2}')),
      /its value is not JSON/,
    ],
    ['has a schema that is not JSON', 'x', framed(2, Buffer.from('{}')), /schema is not JSON/],
    [
      'has a schema that refers to itself',
      JSON.stringify(circle),
      framed(2, Buffer.from('{}')),
      /refers to itself/,
    ],
    [
      'has a schema that refers to another one',
      '{"properties":{"v":{"$ref":"money.json"}}}',
      framed(2, Buffer.from('{}')),
      /refers to another schema \(money\.json\)/,
    ],
  ])('is refused, with the reason, if it %s', (_what, schema, value, why) => {
    expect(refused(schema, value)).toMatch(/^!"/);
    expect(refused(schema, value)).toMatch(why);
  });

  it('is passed on unchanged if its schema has no logical type, so only the reader refuses damage', () => {
    expect(() => read('int8', { type: 'integer' }, '1,')).toThrow(SyntaxError);
    expect(read('int8', true, '5').row).toEqual({ values: ['7', '5'] });
  });

  it('deletes its key if it is a tombstone', () => {
    const record = readRecord(shapeOf({}), new JsonSchemaRecords(), { 1: KEY }, key, null);
    expect(record).toEqual({ key: ['7'], row: null });
  });
});
