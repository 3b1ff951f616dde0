// Tests that LineRecords, which turns rows of COPY into records, writes the same records as
// SnapshotWriter. test/integration/replay-contract.test.ts compares SnapshotWriter with a real
// Debezium.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineRecords } from '../../src/compare/copied/line-records.js';
import { SnapshotWriter } from '../../src/compare/write-debezium-json.js';

/** Texts that Postgres prints for values of each type. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['-32768', '0'],
  int4: ['-2147483648', '7'],
  int8: ['9007199254740993', '-9223372036854775808'],
  oid: ['4294967295'],
  numeric: ['-12.50', '0', 'NaN', 'Infinity', '-Infinity', `${'9'.repeat(300)}.5`, '1.0000'],
  float4: ['-0', '0', '1.1', 'NaN', 'Infinity', '-Infinity', '3.4028235e+38', '1e-45', '16777216'],
  float8: [
    '-0',
    '0.1',
    '5',
    '1e+22',
    '0.001',
    '0.0001',
    '1e-05',
    '9999999',
    '10000000',
    '1.5e+300',
  ],
  date: ['2026-01-05', '10000-01-05', '0044-03-15 BC', 'infinity', '-infinity', '0001-01-01'],
  time: ['10:00:00', '10:00:00.12', '23:59:59.999999', '24:00:00', '10:00:00.120'],
  timestamp: [
    '2026-01-05 10:00:00',
    '2026-01-05 10:00:00.5',
    '2026-01-05 10:00:00.50',
    '9999-12-31 23:59:59.999999',
    '0044-03-15 10:00:00 BC',
    '0044-03-15 10:00:00.5 BC',
    '294276-12-31 23:59:59.999999',
    'infinity',
    '-infinity',
  ],
  timestamptz: [
    '2026-01-05 10:00:00+00',
    '2026-01-05 10:00:00.5+00',
    '2026-01-05 10:00:00.123456+00',
    '12026-01-05 10:00:00+00',
    '0044-03-15 10:00:00+00 BC',
    'infinity',
    '-infinity',
  ],
  interval: ['P1Y2M3DT4H5M6.789S', 'PT0S'],
  bytea: ['\\x', '\\x00ff80fe'],
  bit: ['1', '000000000001'],
  money: ['$1,234.50', '-$0.01'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  jsonb: ['{"b": 1, "a": {"c": "\u{1f600}"}}', '"\\\\\\n"'],
  'text[]': ['{}', '{"a,}",NULL,"NULL","\\\\"}'],
  'date[]': ['{2026-01-05,NULL}'],
  int4range: ['[1,5)', 'empty'],
};
const ANY_TEXT = ['text', 'varchar', 'bpchar', 'char', 'citext', 'enum', 'xml', 'json', 'ltree'];
const TYPES = [...Object.keys(PRINTED), ...ANY_TEXT];

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom(...Array.from('\\"\b\f\n\r\t\v\u0001\u007fNä\u2028€\ud7ff\u{1f600}')),
    maxLength: 60,
  }),
);
const valueOf = (type: string): fc.Arbitrary<string | null> =>
  fc.option(PRINTED[type] ? fc.constantFrom(...PRINTED[type]) : anyText, { freq: 6 });

const LETTERS: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
  '\\': '\\',
};
/** Writes a row as COPY does. */
const lineOf = (values: readonly (string | null)[]): Buffer =>
  Buffer.from(
    `${values.map((v) => v?.replaceAll(/[\b\f\n\r\t\v\\]/g, (c) => `\\${LETTERS[c]}`) ?? '\\N').join('\t')}\n`,
  );

const tableOf = (types: readonly string[]) => ({
  database: 'shop',
  schema: 'pub"lic',
  table: 'tä',
  columns: types.map((type, at) => ({ name: `c${at} "ü"`, type })),
  key: types.length > 2 ? ['c2 "ü"', 'c0 "ü"'] : ['c0 "ü"'],
  server: 's',
  lsn: 12345678901234567n,
});

function recordOf(records: LineRecords, line: Buffer): { key: string; value: string } {
  records.write(line);
  const { bytes, keyFrom, keyTo, valueFrom, valueTo, end } = records;
  return {
    key: bytes.toString('utf8', keyFrom, keyTo),
    value: bytes.toString('utf8', valueFrom, valueTo) + end.toString(),
  };
}

describe('a row of COPY', () => {
  it('becomes the record that SnapshotWriter writes, for random tables and values', () => {
    const tables = fc
      .array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 12 })
      .chain((types) =>
        fc.tuple(
          fc.constant(types),
          fc.array(fc.tuple(...types.map(valueOf)), { minLength: 1, maxLength: 8 }),
        ),
      );
    fc.assert(
      fc.property(tables, ([types, rows]) => {
        const table = tableOf(types);
        const reference = new SnapshotWriter(table, 1_700_000_000_123);
        const records = new LineRecords(table, 1_700_000_000_123);
        for (const row of rows)
          expect(recordOf(records, lineOf(row))).toEqual(reference.record(row));
      }),
      { numRuns: 500 },
    );
  });

  it.each(TYPES)('of type %s becomes the record of SnapshotWriter for each value', (type) => {
    const table = tableOf(['int4', type]);
    const reference = new SnapshotWriter(table, 1);
    const records = new LineRecords(table, 1);
    for (const value of [null, ...(PRINTED[type] ?? ['', 'N', '\\N', '\ud7ff\ue000\uffff'])])
      expect(recordOf(records, lineOf(['7', value]))).toEqual(reference.record(['7', value]));
  });

  it('has the replacement character instead of bytes that are not UTF-8', () => {
    const records = new LineRecords(tableOf(['int4', 'text']), 1);
    for (const bytes of [
      [0xff],
      [0xc3],
      [0xe2, 0x82],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
    ]) {
      const line = Buffer.concat([Buffer.from('7\t'), Buffer.from(bytes), Buffer.from('\n')]);
      const { value } = recordOf(records, line);
      expect(value).toContain(`:${JSON.stringify(Buffer.from(bytes).toString('utf8'))}}`);
    }
  });

  it('is written completely if a long value grows because each byte is escaped', () => {
    const table = tableOf(['int4', 'text', 'text']);
    const row = ['7', '\v'.repeat(100_000), '\u0001"'.repeat(50_000)];
    const records = new LineRecords(table, 1);
    expect(recordOf(records, lineOf(row))).toEqual(new SnapshotWriter(table, 1).record(row));
  });

  it.each(['7\n', '7\ta\tb\n', '7\ta'])('is refused if its columns have changed: %j', (line) =>
    expect(() => new LineRecords(tableOf(['int4', 'text']), 1).write(Buffer.from(line))).toThrow(
      'columns changed during the read',
    ),
  );

  it('is refused if a value cannot be written, and the error names the column but not the value', () =>
    expect(() =>
      new LineRecords(tableOf(['int4', 'int4[]']), 1).write(lineOf(['7', '{{1,2},{3,4}}'])),
    ).toThrow(/^column c1 "ü": only an array of one dimension can be written$/));
});
