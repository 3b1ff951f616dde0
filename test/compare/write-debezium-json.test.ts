// Tests the records of SnapshotWriter, with which `sluice prove` writes rows. Their values must
// have the same texts as those of Debezium. The expected texts are constants here.
// test/integration/replay-contract.test.ts compares the same writer with a real connector. The
// initial load `copy` uses LineRecords, which line-records.heavy.test.ts compares with this writer.
import { describe, expect, it } from 'vitest';
import { SnapshotWriter } from '../../src/compare/write-debezium-json.js';

/** Returns the JSON text of one value in a record. */
function written(type: string, value: string): string {
  const columns = [
    { name: 'id', type: 'int4' },
    { name: 'v', type },
  ];
  const table = { database: 'shop', schema: 'public', table: 't', columns, key: ['id'] };
  const { key, value: record } = new SnapshotWriter({ ...table, server: 's' }, 0).record([
    '7',
    value,
  ]);
  expect(key).toBe('{"id":7}');
  return /^\{"before":null,"after":\{"id":7,"v":(.*?)\},"source":/s.exec(record)![1]!;
}

describe('a value in a record of SnapshotWriter', () => {
  it.each([
    ['text', 'plain, and ä', '"plain, and ä"'],
    ['text', '"\\\n\u0001\u001f', String.raw`"\"\\\n\u0001\u001F"`],
    ['text', '😀 \ud800', String.raw`"\uD83D\uDE00 \uD800"`],
    ['text', '\u007f\u2028', '"\u007f\u2028"'],
    ['jsonb', '{"a": "b"}', String.raw`"{\"a\": \"b\"}"`],
    ['numeric', '-12.50', '"-12.50"'],
    ['numeric', 'NaN', '"NAN"'],
    ['numeric', '-Infinity', '"NEGATIVE_INFINITY"'],
    ['date', '2026-01-05', '"2026-01-05Z"'],
    ['date', '10000-01-05', '"+10000-01-05Z"'],
    ['date', '0044-03-15 BC', '"-0043-03-15Z"'],
    ['date', 'infinity', '"+5877611-06-21Z"'],
    ['timestamp', '2026-01-05 10:00:00.50', '"2026-01-05T10:00:00.5Z"'],
    ['timestamp', '2026-01-05 10:00:00', '"2026-01-05T10:00:00Z"'],
    ['timestamp', '0044-03-15 10:00:00 BC', '"-0043-03-15T10:00:00Z"'],
    ['timestamp', '-infinity', '"-292275055-05-16T23:00:00Z"'],
    ['timestamptz', '2026-01-05 10:00:00.5+00', '"2026-01-05T10:00:00.500000Z"'],
    ['timestamptz', '2026-01-05 10:00:00+00', '"2026-01-05T10:00:00.000000Z"'],
    ['timestamptz', '12026-01-05 10:00:00+00', '"+12026-01-05T10:00:00.000000Z"'],
    ['timestamptz', '0044-03-15 10:00:00+00 BC', '"-0043-03-15T10:00:00.000000Z"'],
    ['timestamptz', 'infinity', '"infinity"'],
    ['time', '10:00:00.120', '"10:00:00.12Z"'],
    ['date[]', '{2026-01-05,NULL}', '["2026-01-05Z",null]'],
    ['text[]', '{}', '[]'],
    ['text[]', '{"a,}",NULL,"NULL"}', '["a,}",null,"NULL"]'],
    ['text[]', '[0:1]={a,"={b"}', '["a","={b"]'],
    ['int4[]', '[-5:-5]={7}', '[7]'],
  ])('of type %s: %j becomes %s', (type, value, expected) =>
    expect(written(type, value)).toBe(expected),
  );

  it.each(['{{1,2},{3,4}}', '[0:0][1:2]={{1,2}}', '{1,2', '1,2'])(
    'is refused if it is the array %j, and the error names the column but not the value',
    (value) =>
      expect(() => written('int4[]', value)).toThrow(
        /^column v: only an array of one dimension can be written$/,
      ),
  );

  it.each(['26-01-05', 'never', '20x6-01-05'])('is refused if it is the date %j', (value) =>
    expect(() => written('date', value)).toThrow(`date ${value}`),
  );
});
