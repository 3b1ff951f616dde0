// Tests how a result in Protobuf is read: its types, absent fields, and records that are refused.
import { describe, expect, it } from 'vitest';
import { ProtobufRecords } from '../../../src/compare/protobuf/protobuf-records.js';
import {
  field,
  fixed,
  message,
  number,
  sized,
  varint,
  zigzag,
} from '../../support/protobuf-bytes.js';
import { readRecord, rewritten, shapeOf } from '../../support/result-record.js';

const KEY = 'syntax = "proto3"; message Key { int64 id = 1; }';
const key = message(1, [], number(1, 7));
const file = (fields: string, more = ''): string => `// the result
syntax = "proto3"; package shop.v1;
import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
message Row { ${fields} } ${more}`;

const read = (type: string, declared: string, ...fields: readonly Buffer[]) =>
  readRecord(
    shapeOf({ v: type }),
    new ProtobufRecords(),
    { 1: KEY, 2: file(declared) },
    key,
    message(2, [], ...fields),
  );
const double = (id: number, value: number): Buffer =>
  fixed(id, 8, (bytes) => bytes.writeDoubleLE(value));
const inside = (...fields: readonly Buffer[]): Buffer => sized(1, Buffer.concat(fields));
const MOOD = 'enum Mood { CALM = 0; BUSY = 3; } Mood v = 1;';

describe('a value in Protobuf', () => {
  it.each([
    ['int8', 'int64 v = 1;', number(1, -9223372036854775808n), '-9223372036854775808'],
    ['int8', 'int64 v = 1;', number(1, 9007199254740993n), '9007199254740993'],
    ['int4', 'int32 v = 1;', number(1, -5), '-5'],
    ['int8', 'sint64 v = 1;', field(1, 0, zigzag(-9007199254740993n)), '-9007199254740993'],
    ['int4', 'sint32 v = 1;', field(1, 0, zigzag(-3)), '-3'],
    ['int8', 'uint32 v = 1;', number(1, 4294967295), '4294967295'],
    ['numeric', 'uint64 v = 1;', number(1, 18446744073709551615n), '18446744073709551615'],
    ['int8', 'sfixed64 v = 1;', fixed(1, 8, (b) => b.writeBigInt64LE(-7n)), '-7'],
    ['int8', 'fixed64 v = 1;', fixed(1, 8, (b) => b.writeBigUInt64LE(7n)), '7'],
    ['int4', 'sfixed32 v = 1;', fixed(1, 4, (b) => b.writeInt32LE(-7)), '-7'],
    ['int8', 'fixed32 v = 1;', fixed(1, 4, (b) => b.writeUInt32LE(4294967295)), '4294967295'],
    ['float8', 'double v = 1;', double(1, 5e-324), '5e-324'],
    ['float8', 'double v = 1;', double(1, Number.NaN), 'NaN'],
    ['float4', 'float v = 1;', fixed(1, 4, (b) => b.writeFloatLE(0.1)), '0.10000000149011612'],
    ['bool', 'bool v = 1;', number(1, 1), 't'],
    ['text', 'string v = 1;', sized(1, 'é "x" 😀'), 'é "x" 😀'],
    ['bytea', 'bytes v = 1;', sized(1, Buffer.from([0, 255])), '00ff'],
    ['enum', MOOD, number(1, 3), 'BUSY'],
    ['numeric', 'string v = 1;', sized(1, '12.50'), '12.5'],
    [
      'int4[]',
      'repeated int32 v = 1;',
      sized(1, Buffer.concat([varint(1), varint(2)])),
      '["1","2"]',
    ],
    [
      'text[]',
      'repeated string v = 1;',
      Buffer.concat([sized(1, 'a'), sized(1, 'b')]),
      '["a","b"]',
    ],
    [
      'timestamptz',
      'google.protobuf.Timestamp v = 1;',
      inside(number(1, -1), number(2, 500_000_000)),
      '1969-12-31 23:59:59.5',
    ],
    ['int8', '.google.protobuf.Int64Value v = 1;', inside(), '0'],
    ['text', 'google.protobuf.StringValue v = 1;', inside(sized(1, 'a')), 'a'],
    ['numeric', 'google.type.Decimal v = 1;', inside(sized(1, '1.50')), '1.5'],
    [
      'numeric',
      'confluent.type.Decimal v = 1;',
      inside(sized(1, Buffer.from([0x04, 0xe2])), number(2, 10), number(3, 2)),
      '12.5',
    ],
    [
      'date',
      'google.type.Date v = 1;',
      inside(number(1, 2026), number(2, 1), number(3, 9)),
      '2026-01-09',
    ],
    [
      'time',
      'google.type.TimeOfDay v = 1;',
      inside(number(1, 9), number(3, 5), number(4, 1000)),
      '09:00:05.000001',
    ],
  ])('of %s equals the value of the batch (%s)', (type, declared, encoded, canon) => {
    expect(read(type, declared, encoded)).toEqual({ key: ['7'], row: { values: ['7', canon] } });
  });

  it('that is absent is NULL if its field has presence, or else the default of its type', () => {
    const absent = (type: string, declared: string): unknown => read(type, declared).row;
    for (const declared of [
      'optional int64 v = 1;',
      'google.protobuf.Int64Value v = 1;',
      'oneof o { int64 v = 1; int64 w = 2; }',
    ])
      expect(absent('int8', declared)).toEqual({ values: ['7', null] });
    expect(absent('int8', 'int64 v = 1;')).toEqual({ values: ['7', '0'] });
    expect(absent('text', 'string v = 1;')).toEqual({ values: ['7', ''] });
    expect(absent('bool', 'bool v = 1;')).toEqual({ values: ['7', 'f'] });
    expect(absent('enum', MOOD)).toEqual({ values: ['7', 'CALM'] });
    expect(absent('int4[]', 'repeated int32 v = 1;')).toEqual({ values: ['7', '[]'] });
  });

  it('is the last one if a field or a oneof occurs more than once', () => {
    expect(read('int8', 'int64 v = 1;', number(1, 1), number(1, 2)).row).toEqual({
      values: ['7', '2'],
    });
    const either = 'oneof o { int64 v = 1; string w = 2; }';
    expect(read('int8', either, number(1, 1), sized(2, 'x')).row).toEqual({ values: ['7', null] });
    const orMessage = 'oneof o { int64 v = 1; other.Money w = 2; }';
    expect(read('int8', orMessage, number(1, 1), sized(2, '')).row).toEqual({
      values: ['7', null],
    });
  });

  it('is unknown if its field is a map, an unknown message, or not in the schema of the record', () => {
    for (const declared of ['map<string, int32> v = 1;', 'other.Money v = 1;', 'int64 w = 1;'])
      expect(read('int8', declared).row).toMatchObject({ values: null, why: { column: 'v' } });
  });

  it.each([
    ['timestamptz', 'google.protobuf.Timestamp v = 1;', number(2, 1), 'nanoseconds'],
    ['date', 'google.type.Date v = 1;', number(1, 2026), 'a date without a month'],
  ])('of %s is unknown if Postgres cannot store it (%s)', (type, declared, part) => {
    expect(read(type, declared, inside(part)).row).toMatchObject({
      values: null,
      why: { class: 'undecodable' },
    });
  });
});

describe('a record in Protobuf', () => {
  const ROWS = file(
    'int64 v = 1; string s = 2;',
    'message Other { message Inner { int64 v = 4; } }',
  );
  const refused = (schema: string, value: Buffer): string =>
    rewritten(new ProtobufRecords(), { 1: KEY, 2: schema }, key, value).value!;
  const good = message(2, [], number(1, 300), sized(2, 'some text'));

  it('is read as the message that its message indexes name, even a nested message', () => {
    expect(refused(ROWS, message(2, [1, 0], number(4, 5)))).toBe('{"v":5}');
    expect(refused(ROWS, message(2, [0], number(1, 5)))).toBe('{"v":5,"s":""}');
    expect(refused(ROWS, message(2, [2], number(1, 5)))).toMatch(/a message \(2\) that its schema/);
    expect(refused(ROWS, message(2, [-1]))).toMatch(
      /index of its message in the schema is negative/,
    );
  });

  it('may have fields that its schema does not have', () => {
    const more = [number(9, 1), sized(10, 'x'), double(11, 1), fixed(12, 4, () => undefined)];
    expect(refused(ROWS, message(2, [], ...more, number(1, 5)))).toBe('{"v":5,"s":""}');
  });

  it.each([
    [
      'does not begin with the zero byte of a registry',
      ROWS,
      Buffer.from('{"v":1}'),
      /not a Protobuf record/,
    ],
    ['has a field of a different type', ROWS, message(2, [], sized(1, 'x')), /different type/],
    [
      'has a string that is not UTF-8',
      ROWS,
      message(2, [], sized(2, Buffer.from([0xff]))),
      /UTF-8/,
    ],
    [
      'has a length beyond its end',
      ROWS,
      message(2, [], field(2, 2, varint(99))),
      /ends too early/,
    ],
    ['has a number of more than 64 bits', ROWS, message(2, [], Buffer.alloc(12, 0xff)), /64 bits/],
    ['has a field with the number 0', ROWS, message(2, [], number(0, 1)), /number 0/],
    ['has a group', ROWS, message(2, [], field(9, 3, Buffer.alloc(0))), /encoding 3/],
    ['has a value that its enum lacks', file(MOOD), message(2, [], number(1, 9)), /enum value 9/],
    [
      'has the same message twice',
      file('google.type.Date v = 1;'),
      message(2, [], inside(number(1, 1)), inside(number(2, 1))),
      /occurs several times/,
    ],
    ['has a schema of proto2', 'message A { optional int32 v = 1; }', good, /not in proto3/],
    ['has a schema of an edition', 'edition = "2023"; message A {}', good, /not in proto3/],
    ['has a schema that is damaged', 'syntax = "proto3"; message {', good, /cannot be used/],
  ])('is refused, with the reason, if it %s', (_what, schema, value, why) => {
    expect(refused(schema, value)).toMatch(/^!"/);
    expect(refused(schema, value)).toMatch(why);
  });

  it('is refused if it is cut off, except between two fields, where Protobuf shows no cut', () => {
    const whole = refused(ROWS, good);
    for (let end = 0; end < good.length; end += 1) {
      const found = refused(ROWS, good.subarray(0, end));
      // Protobuf marks no end, so a record that is cut between two fields lacks the later ones.
      if (!found.startsWith('!"')) expect(['{"v":0,"s":""}', '{"v":300,"s":""}']).toContain(found);
    }
    expect(whole).toBe('{"v":300,"s":"some text"}');
  });
});
