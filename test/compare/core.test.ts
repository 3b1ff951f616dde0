import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCanary } from '../../src/compare/canary.js';
import { canonFromJson, canonFromText, isProvable } from '../../src/compare/column-types.js';
import { canonicalDecimal } from '../../src/compare/canonical-decimal.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { Comparison, joinRow, type Shape, type StreamRow } from '../../src/compare/comparison.js';
import { parseJsonLossless } from '../../src/compare/json.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { SettledComparison } from '../../src/compare/settled.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { withinTolerance } from '../../src/compare/tolerance.js';
import { parseSnapshot, type SnapshotVisibility } from '../../src/domain/values/position.js';
import { feed as feedRecord } from '../support/rows.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const key = (id: number): string => joinRow([String(id)]);
const row = (id: number, v: string | null): string => joinRow([String(id), v]);
const stream = (...rows: [number, string | null][]): Map<string, StreamRow> =>
  new Map(rows.map(([id, v]) => [key(id), { row: row(id, v), mark: 0 }]));

function compare(expected: [number, string | null][], actual: Map<string, StreamRow>) {
  const comparison = new Comparison(SHAPE, actual, 1);
  for (const [id, v] of expected) comparison.add(key(id), row(id, v));
  return comparison.finish();
}

const feed = (fold: TableFold, value: Buffer, snapshot: SnapshotVisibility): void => {
  const id = /"id":(\d+)/.exec(value.toString())?.[1] ?? '1';
  feedRecord(fold, `{"id":${id}}`, value, snapshot);
};

describe('the comparison finds', () => {
  it('missing, extraneous and mismatched rows, each with its key and both sides', () => {
    const { counts, differences } = compare(
      [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ],
      stream([1, 'a'], [2, 'x'], [4, 'd']),
    );
    expect(counts).toMatchObject({ matched: 1, mismatched: 1, missing: 1, extraneous: 1 });
    expect(differences).toContainEqual({
      class: 'mismatched',
      key: { id: '2' },
      column: 'v',
      batch: 'b',
      stream: 'x',
    });
    expect(differences.map((d) => d.class).sort()).toEqual(['extraneous', 'mismatched', 'missing']);
  });
  it('NULL, empty text, the word NULL and moved separators as different', () => {
    for (const [a, b] of [
      [null, ''],
      [null, 'NULL'],
      ['', ' '],
      ['a|b', 'a'],
      ['a","b', 'a'],
    ] as const)
      expect(compare([[1, a]], stream([1, b])).counts.mismatched).toBe(1);
  });
  it('an undecodable row as unknown, never as equal', () => {
    const actual = new Map<string, StreamRow>([[key(1), { row: null, mark: 0 }]]);
    expect(compare([[1, 'a']], actual).counts).toMatchObject({ matched: 0, unknown: 1 });
  });
  it('every single-cell corruption in any rows (property)', () => {
    const rows = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 0, max: 500 }), fc.option(fc.string())),
      { selector: ([id]) => id, minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, fc.nat(), fc.option(fc.string()), (all, at, value) => {
        const victim = all[at % all.length]!;
        const actual = stream(
          ...all.map(([id, v]): [number, string | null] => [id, id === victim[0] ? value : v]),
        );
        const { counts } = compare(all, actual);
        expect(counts.mismatched).toBe(victim[1] === value ? 0 : 1);
        expect(counts.missing + counts.extraneous).toBe(0);
      }),
    );
  });
});

describe('the canary', () => {
  it('plants corruptions in rows of the window, and all are found', () => {
    const sample = [1, 2, 3, 4, 5].map((id): [string, string] => [key(id), row(id, `v${id}`)]);
    const { planted, found } = runCanary(SHAPE, sample);
    expect(planted).toBeGreaterThanOrEqual(5);
    expect(found).toBe(planted);
  });
  it('works without any row', () => expect(runCanary(SHAPE, [])).toEqual({ planted: 2, found: 2 }));
});

describe('canonical values', () => {
  it.each([
    ['numeric', '1.10', '1.1'],
    ['numeric', '-0.00', '0'],
    ['numeric', 'NaN', 'NAN'],
    ['numeric', '1000000', '1E+6'],
    ['bool', 't', true],
    ['int8', '9007199254740993', '9007199254740993'],
    ['float8', '1e+300', 1e300],
    ['float8', 'NaN', 'NaN'],
    ['float4', '0.1', 0.1],
    ['bpchar', 'ab   ', 'ab'],
    ['date', '2024-01-02', '2024-01-02Z'],
    ['timestamp', '2024-01-02 03:04:05.12', '2024-01-02T03:04:05.120Z'],
    ['timestamptz', '2024-01-02 03:04:05+00', '2024-01-02T03:04:05Z'],
    ['time', '03:04:05', '03:04:05Z'],
    ['interval', 'P1Y2M3DT4H5M6.5S', 'P14M3DT4H5M6.5S'],
    ['bytea', '\\xdead', '3q0='],
    ['int4[]', '{1,NULL,3}', [1, null, 3]],
    ['text[]', '{"a b","c\\"d",e}', ['a b', 'c"d', 'e']],
  ])('%s: Postgres %j equals the connector %j', (type, text, json) =>
    expect(canonFromText(type, text)).toBe(canonFromJson(type, json)),
  );
  it.each([
    ['numeric', '1.1', '1.11'],
    ['text', 'a', 'a '],
    ['timestamptz', '2024-01-02 03:04:05+00', '2024-01-02T03:04:06Z'],
    ['bytea', '\\xde', '3q0='],
  ])('%s: %j differs from %j', (type, text, json) =>
    expect(canonFromText(type, text)).not.toBe(canonFromJson(type, json)),
  );
  it.each([
    ['int4', 1.5],
    ['numeric', 1.1],
    ['text', 7],
    ['timestamptz', '2024-01-02T03:04:05+02:00'],
    ['text', '__debezium_unavailable_value'],
    ['text', undefined],
    ['point', { x: 1 }],
  ])('%s %j cannot be proven', (type, json) =>
    expect(() => canonFromJson(type, json)).toThrow(Undecodable),
  );
  it('types that lose information on the way are not provable', () =>
    expect(['point', 'timetz', 'money', 'tsvector'].some(isProvable)).toBe(false));
  it('decimals are equal if and only if they are the same number (property)', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.nat(6),
        fc.nat(4),
        (digits, scale, zeros) => {
          const text = (value: bigint): string => {
            const sign = value < 0n ? '-' : '';
            const abs = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
            return scale === 0
              ? `${sign}${abs}`
              : `${sign}${abs.slice(0, -scale)}.${abs.slice(-scale)}`;
          };
          const padded = scale === 0 ? text(digits) : `${text(digits)}${'0'.repeat(zeros)}`;
          expect(canonicalDecimal(padded)).toBe(canonicalDecimal(text(digits)));
          expect(canonicalDecimal(text(digits + 1n))).not.toBe(canonicalDecimal(text(digits)));
        },
      ),
    );
  });
});

describe('tolerances', () => {
  it('are exact decimals, and NULL is equal only to NULL', () => {
    expect(withinTolerance('1.00', '1.01', '0.01')).toBe(true);
    expect(withinTolerance('1.00', '1.011', '0.01')).toBe(false);
    expect(withinTolerance(null, '0', '1')).toBe(false);
    expect(withinTolerance('NaN', '0', '1')).toBe(false);
  });
});

describe('lossless JSON', () => {
  it('keeps integers beyond 2^53 and touches no string', () => {
    expect(
      parseJsonLossless(
        '{"id":9007199254740993,"t":"x:12345678901234567890,","n":[-12345678901234567890]}',
      ),
    ).toEqual({
      id: '9007199254740993',
      t: 'x:12345678901234567890,',
      n: ['-12345678901234567890'],
    });
    expect(parseJsonLossless('{"q":"a\\"1234567890123456789","s":1.5}')).toEqual({
      q: 'a"1234567890123456789',
      s: 1.5,
    });
  });
});

const change = (op: string, id: number, v: string | null, txId: number): Buffer => {
  const image = { id, v };
  return Buffer.from(
    JSON.stringify({
      op,
      before: op === 'd' ? image : null,
      after: op === 'd' ? null : image,
      source: { txId },
    }),
  );
};

describe('a table fold', () => {
  it('contains what the snapshot sees, and applies the rest when a later snapshot sees it', () => {
    const fold = new TableFold(SHAPE);
    const early = parseSnapshot('10:12:11');
    for (const [op, id, v, tx] of [
      ['r', 1, 'a', 5],
      ['u', 1, 'b', 9],
      ['u', 1, 'c', 11],
      ['c', 2, 'x', 12],
      ['c', 3, 'y', 10],
    ] as const)
      feed(fold, change(op, id, v, tx), early);
    expect([...fold.rows.values()].map((r) => r.row)).toEqual([row(1, 'b'), row(3, 'y')]);
    const late = parseSnapshot('20:20:');
    fold.applyOverlay(late);
    feed(fold, change('d', 3, 'y', 15), late);
    expect([...fold.rows.values()].map((r) => r.row)).toEqual([row(1, 'c'), row(2, 'x')]);
  });
  it('counts records it cannot read', () => {
    const fold = new TableFold(SHAPE);
    for (const bad of [
      'not json',
      '{}',
      '{"op":"t"}',
      '{"op":"u","after":{"id":1,"v":"a"},"source":{}}',
      '{"op":"c","after":{"v":"a"},"source":{"txId":1}}',
    ])
      feed(fold, Buffer.from(bad), parseSnapshot('9:9:'));
    expect(fold.unreadable).toBe(5);
    expect(fold.rows.size).toBe(0);
  });
});

describe('an output fold', () => {
  const shape: Shape = {
    key: ['day'],
    columns: [
      { name: 'day', type: 'date' },
      { name: 'n', type: 'int8' },
      { name: 'sum', type: 'numeric' },
    ],
  };
  const date = { type: 'int32', name: 'org.apache.kafka.connect.data.Date', field: 'day' };
  const decimal = {
    type: 'bytes',
    name: 'org.apache.kafka.connect.data.Decimal',
    parameters: { scale: '2' },
    field: 'sum',
  };
  const withSchema = (fields: object[], payload: object): Buffer =>
    Buffer.from(JSON.stringify({ schema: { type: 'struct', fields }, payload }));
  it('reads plain JSON and JSON with schema as the same row', () => {
    const plain = new OutputFold(shape);
    plain.add(Buffer.from('{"day":"2024-01-02"}'), Buffer.from('{"n":3,"sum":"12.50"}'));
    const schema = new OutputFold(shape);
    schema.add(
      withSchema([date], { day: 19724 }),
      withSchema([{ field: 'n', type: 'int64' }, decimal], {
        n: 3,
        sum: Buffer.from([0x04, 0xe2]).toString('base64'),
      }),
    );
    expect([...schema.rows]).toEqual([...plain.rows]);
  });
  it('removes a key at its tombstone, and treats a missing column as unknown', () => {
    const fold = new OutputFold(shape);
    fold.add(Buffer.from('{"day":"2024-01-02"}'), Buffer.from('{"n":3}'));
    expect([...fold.rows.values()][0]!.row).toBeNull();
    fold.add(Buffer.from('{"day":"2024-01-02"}'), null);
    expect(fold.rows.size).toBe(0);
  });
});

describe('a settled comparison', () => {
  const expected = (...rows: [number, string][]): Map<string, string> =>
    new Map(rows.map(([id, v]) => [key(id), row(id, v)]));
  const touched = (...ids: number[]): Set<string> => new Set(ids.map(key));
  it('matches a key that is equal while its source does not change', () => {
    const settled = new SettledComparison(SHAPE);
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'a']), touched: touched(1) });
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'a']), touched: touched() });
    expect(settled.counts()).toMatchObject({ matched: 1, unstable: 0 });
  });
  it('reports a difference at once for a key that differs and does not change', () => {
    const settled = new SettledComparison(SHAPE);
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'x']), touched: touched() });
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'x']), touched: touched() });
    expect(settled.counts().mismatched).toBe(1);
    expect(settled.differences[0]).toMatchObject({ column: 'v', batch: 'a', stream: 'x' });
  });
  it('never judges a difference on a key that is being written', () => {
    const settled = new SettledComparison(SHAPE);
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'old']), touched: touched(1) });
    settled.add({
      expected: expected([1, 'a']),
      actual: stream([1, 'transient']),
      touched: touched(1),
    });
    expect(settled.counts()).toMatchObject({ mismatched: 0, unstable: 1 });
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'a']), touched: touched(1) });
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'a']), touched: touched() });
    expect(settled.counts()).toMatchObject({ matched: 1, unstable: 0 });
  });
  it('leaves a key whose source changes in every round unstable, never equal', () => {
    const settled = new SettledComparison(SHAPE);
    for (const v of ['a', 'b', 'c'])
      settled.add({ expected: expected([1, v]), actual: stream([1, v]), touched: touched(1) });
    expect(settled.counts()).toMatchObject({ matched: 0, unstable: 1 });
    expect(settled.report()[0]).toMatchObject({ class: 'unstable' });
  });
  it('finds rows that only one side has', () => {
    const settled = new SettledComparison(SHAPE);
    for (let round = 0; round < 2; round += 1)
      settled.add({ expected: expected([1, 'a']), actual: stream([2, 'b']), touched: touched() });
    expect(settled.counts()).toMatchObject({ missing: 1, extraneous: 1 });
  });
});
