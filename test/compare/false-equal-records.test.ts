// Tests change events with a value that only resembles the row's value, with a JSON key that occurs
// twice, or with text that is not valid JSON. None may make a wrong row equal, and the comparisons
// by hash, by value and with the kernel must agree.
import { describe, expect, it } from 'vitest';
import { canonFromJson, canonFromText } from '../../src/compare/column-types.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { HashComparison } from '../../src/compare/hash-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { RecordBatch } from '../../src/compare/kernel/record-batch.js';
import { joinRow, splitRow, type Shape } from '../../src/compare/row-comparison.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { shapeOf } from '../support/result-record.js';
import { binaryRow, envelope, feed } from '../support/rows.js';

const plain = (value: string): string => `{"id":1,"v":${value}}`;
const NOT_UTF8 = Buffer.from([0x22, 0xff, 0x22]);

/** Reads a record in three ways: by value, by hash, and with the kernel. */
function foldsOf(shape: Shape, record: Buffer) {
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
  return { rows, hashes, kernel };
}

describe('a value in a record of a table', () => {
  const suspects = (
    type: string,
    stored: string | number | boolean | null,
    value: Buffer,
  ): number => {
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
    'of type %s: %s in the table differs from %s in the record, and equals %s, by hash and value',
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

  it.each<[type: string, stored: boolean | null, other: string, equal: string]>([
    ['float8', null, 'nan', 'null'],
    ['text', null, 'nil', 'null'],
    ['text', null, 'nullx', 'null'],
    ['bool', true, 'tRUE', 'true'],
    ['bool', false, 'fALSE', 'false'],
  ])(
    'of type %s: %s in the table differs from the word %s in the record, and equals %s',
    (...each) => {
      const [type, stored, other, equal] = each;
      const found = [other, equal].map((word) => suspects(type, stored, Buffer.from(word)));
      expect(found).toEqual([1, 0]);
    },
  );

  it.each<[what: string, record: (record: string) => string]>([
    ['a second member `after`', (r) => r.replace(/\}$/, ',"after":{"id":1,"v":"b"}}')],
    ['a second member `after` that is null', (r) => r.replace(/\}$/, ',"after":null}')],
    ['a second source', (r) => r.replace(',"op"', ',"source":{"txId":20},"op"')],
    ['a second source without a transaction', (r) => r.replace(',"op"', ',"source":{},"op"')],
    ['a second transaction', (r) => r.replace('"txId":1', '"txId":1,"txId":20')],
    ['a second operation', (r) => r.replace(/\}$/, ',"op":"d"}')],
    ['a longer operation', (r) => r.replace('"op":"c"', '"op":"create"')],
    ['the value in its row three times', (r) => r.replace('"v":"a"', '"v":"b","v":"a","v":"c"')],
  ])(
    'has the same result by value, by hash and with the kernel if the record has %s',
    (_what, change) => {
      const shape: Shape = shapeOf({ v: 'text' });
      const record = Buffer.from(change(envelope('c', plain('"a"'), 1).toString()));
      const { rows, hashes, kernel } = foldsOf(shape, record);
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
    },
  );

  const unreadable = (type: string, record: string): number[] => {
    const { rows, hashes, kernel } = foldsOf(shapeOf({ v: type }), Buffer.from(record));
    return [rows, hashes, kernel].map((fold) => fold.unreadable);
  };
  const changed = (value: string): string => envelope('c', plain(value), 1).toString();

  it.each<[type: string, value: string]>([
    ['int8', '007'],
    ['int8', '-00'],
    ['int8', '7.'],
    ['float8', '007.5'],
    ['float8', '-7.'],
    ['text', '"a\u0001"'],
    ['text', '"a\n"'],
    ['text', `"${'a'.repeat(40)}\u001f\\u0041"`],
    ['text', '"a","o\ther":"b"'],
  ])('of type %s is refused by value, by hash and with the kernel if it is %j', (type, value) => {
    expect(() => JSON.parse(changed(value)) as unknown).toThrow(SyntaxError);
    expect(unreadable(type, changed(value))).toEqual([1, 1, 1]);
  });

  it.each(['c', 'r'] as const)(
    'is refused if the transaction id of its record has a leading zero (operation %s)',
    (op) => {
      const record = envelope(op, plain('7'), 1).toString();
      expect(unreadable('int8', record.replace('"txId":1', '"txId":01'))).toEqual([1, 1, 1]);
      expect(unreadable('int8', record)).toEqual([0, 0, 0]);
    },
  );

  it.each<[type: string, value: string]>([
    ['int8', '0'],
    ['float8', '-0.5'],
    ['float8', '0e1'],
    ['text', '"007. \\u0001\\n"'],
  ])('of type %s is read in all three ways if it is %j', (type, value) =>
    expect(unreadable(type, changed(value))).toEqual([0, 0, 0]),
  );

  it('of type numeric differs from 1 if it has more digits than a numeric of Postgres can have', () => {
    const values = [`1${'0'.repeat(262_144)}`, `0.${'0'.repeat(262_143)}1`];
    expect(values.map((v) => suspects('numeric', '1', Buffer.from(`"${v}"`)))).toEqual([1, 1]);
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
