// Tests the gap: the rows that differ between a snapshot and a topic up to its ends, with their
// values. The ends are the offsets at which the partitions ended at the still point.
import { describe, expect, it } from 'vitest';
import { Gap } from '../../src/compare/still-point-gap.js';
import { imageOf, stateAfter } from '../../src/compare/row-images.js';
import { canonFromText } from '../../src/compare/column-types.js';
import { literalOf, literalOfCanon, literalOrNothing } from '../../src/compare/literal.js';
import { TOAST_PLACEHOLDER } from '../../src/domain/values/toast-placeholder.js';
import { parseSnapshot } from '../../src/domain/values/position.js';

const shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'note', type: 'text' },
  ],
};
const END = 10;
const snapshot = { ...parseSnapshot('100:110:105'), before: 120 };
const key = (id: number): Buffer => Buffer.from(JSON.stringify({ id }));
const value = (op: string, after: object | null, txId: number | null): Buffer =>
  Buffer.from(JSON.stringify({ op, after, before: { id: 1 }, source: { txId } }));
const row = (id: number, note: string): object => ({ id, note });

function gapOf(...records: [offset: number, id: number, value: Buffer | null][]): Gap {
  const gap = new Gap(shape, new Map([[0, END]]), snapshot);
  for (const [offset, id, bytes] of records) gap.add(0, offset, key(id), bytes);
  return gap;
}

describe('the gap between a snapshot and the ends of a topic', () => {
  it('contains no row whose records are before the ends and visible to the snapshot', () => {
    expect(gapOf([9, 1, value('u', row(1, 'a'), 99)]).rows()).toEqual([]);
  });

  it('contains a row if the snapshot sees a change of this row after the ends', () => {
    const gap = gapOf(
      [8, 1, value('u', row(1, 'old'), 99)],
      [10, 1, value('u', row(1, 'new'), 101)],
    );
    expect(gap.rows()).toEqual([{ key: '["1"]', image: row(1, 'old'), inSnapshot: new Set() }]);
  });

  it('contains a row whose record is before the ends, but not visible to the snapshot', () => {
    const gap = gapOf([9, 1, value('u', row(1, 'early'), 105)]);
    expect(gap.rows()).toMatchObject([{ key: '["1"]', image: row(1, 'early') }]);
  });

  it('contains no row if the snapshot sees none of its changes after the ends', () => {
    expect(gapOf([10, 1, value('u', row(1, 'later'), 112)]).size).toBe(0);
  });

  it("contains a row that the connector's snapshot read after the window's own snapshot", () => {
    const loaded = (txId: number): Gap => gapOf([9, 1, value('r', row(1, 'new'), txId)]);
    expect(loaded(115).rows()).toMatchObject([{ image: row(1, 'new') }]);
    expect(loaded(99).size).toBe(0);
  });

  it('recognizes a deleted row by its delete event or by a tombstone alone', () => {
    const deleted = gapOf([9, 1, value('d', null, 105)], [10, 1, value('c', row(1, 'b'), 101)]);
    expect(deleted.rows()).toMatchObject([{ image: null }]);
    const buried = gapOf([9, 1, null], [10, 1, value('c', row(1, 'b'), 101)]);
    expect(buried.rows()).toMatchObject([{ image: null }]);
    expect(buried.wanted.size).toBe(0);
  });

  it('treats a row that was inserted after the ends as absent before them', () => {
    const gap = gapOf(
      [10, 1, value('c', row(1, 'new'), 101)],
      [11, 1, value('u', row(1, 'b'), 102)],
    );
    expect(gap.wanted.size).toBe(0);
    expect(gap.rows()).toEqual([{ key: '["1"]', image: null, inSnapshot: new Set() }]);
    const changed = gapOf(
      [9, 1, value('u', row(1, 'a'), 99)],
      [10, 1, value('c', row(1, 'b'), 101)],
    );
    expect(changed.rows()).toMatchObject([{ image: row(1, 'a') }]);
  });

  it('asks for older records of a row only while the row at the ends is unknown', () => {
    const gap = gapOf([10, 1, value('u', row(1, 'new'), 101)]);
    expect([...gap.wanted]).toEqual(['["1"]']);
    gap.takeOlder(new Map([['["1"]', stateAfter(shape, undefined, { id: 1, note: 'old' })]]));
    expect(gap.wanted.size).toBe(0);
    expect(gap.rows()).toMatchObject([{ image: row(1, 'old') }]);
  });

  it('takes an omitted TOAST value from the snapshot if no record after the ends changed it', () => {
    const gap = gapOf(
      [9, 1, value('u', row(1, TOAST_PLACEHOLDER), 99)],
      [10, 1, value('u', row(1, TOAST_PLACEHOLDER), 101)],
    );
    expect(gap.wanted.size).toBe(0);
    expect(gap.rows()[0]!.inSnapshot).toEqual(new Set(['note']));
  });

  it('looks for an omitted TOAST value in older records if a record after the ends changed it', () => {
    const gap = gapOf(
      [9, 1, value('u', row(1, TOAST_PLACEHOLDER), 99)],
      [10, 1, value('u', row(1, 'new'), 101)],
    );
    expect(gap.wanted.size).toBe(1);
    gap.takeOlder(new Map([['["1"]', stateAfter(shape, undefined, { id: 1, note: 'far' })]]));
    expect(gap.rows()).toEqual([{ key: '["1"]', image: row(1, 'far'), inSnapshot: new Set() }]);
  });

  it('takes no TOAST value from the snapshot for a key that the snapshot does not see', () => {
    const moved = value('c', row(2, TOAST_PLACEHOLDER), 105);
    const gap = gapOf([7, 1, value('d', null, 105)], [8, 2, moved]);
    const [, changed] = gap.rows();
    expect(changed).toEqual({
      key: '["2"]',
      image: row(2, TOAST_PLACEHOLDER),
      inSnapshot: new Set(),
    });
    const updated = gapOf([8, 2, moved], [9, 2, value('u', row(2, TOAST_PLACEHOLDER), 105)]);
    expect(updated.rows()).toMatchObject([{ inSnapshot: new Set() }]);
  });

  it('refuses a record without a key, and one without a transaction id unless it is of the initial load', () => {
    expect(() => gapOf([9, 1, value('u', row(1, 'a'), null)])).toThrow('no source.txId');
    expect(() => gapOf().add(0, 1, null, null)).toThrow('no key');
    expect(imageOf(shape, key(1), value('r', row(1, 'a'), null)).txId).toBeNull();
  });
});

describe('a literal', () => {
  it.each([
    ['numeric', '1.10', '1.10'],
    ['bytea', Buffer.from('a\\').toString('base64'), '\\x615c'],
    ['interval', 'P1Y2M3DT4H5M6.7S', 'P1Y2M3DT4H5M6.7S'],
    ['timestamptz', '2026-11-22T10:00:00.120000Z', '2026-11-22 10:00:00.12'],
    ['bool', true, 't'],
    ['float8', -0, '-0'],
    ['int8', '9223372036854775807', '9223372036854775807'],
    ['text[]', ['a"b', null, 'c\\d', ''], '{"a\\"b",NULL,"c\\\\d",""}'],
    ['text', null, null],
    ['daterange', '[2026-01-01,infinity)', '[2026-01-01,infinity)'],
    ['tstzrange', '["2026-01-01 05:30:00+05:30",)', '["2026-01-01 05:30:00+05:30",)'],
    ['hstore', '{"a":"1","b\\"c":null}', '"a"=>"1", "b\\"c"=>NULL'],
    ['money', '-1234.50', '-1234.50'],
    [
      'geometry',
      { wkb: 'AQEAAAAAAAAAAADwPwAAAAAAAABA', srid: null, extensions: null },
      '0101000000000000000000f03f0000000000000040',
    ],
  ])('is a text that Postgres reads as the value in the record: %s', (type, value, text) =>
    expect(literalOf(type, value)).toBe(text),
  );

  it.each([
    ['bytea', '\\x615c', '\\x615c'],
    ['interval', 'P1Y2M3DT-0.000005S', 'P14M3DT-0.000005S'],
    ['interval', 'PT26H', 'P0M0DT93600.000000S'],
    ['date', '0044-03-15 BC', '0044-03-15 BC'],
    ['date', '0001-01-01 BC', '0001-01-01 BC'],
    ['timestamptz', '0044-03-15 10:00:00.5+00 BC', '0044-03-15 10:00:00.5 BC'],
    ['timestamp', '10000-01-01 00:00:00', '10000-01-01 00:00:00'],
    ['bytea[]', '{"\\\\x61",NULL}', '{"\\\\x61",NULL}'],
    ['text', '0000-01-01', '0000-01-01'],
    ['bool', 't', 't'],
  ])(
    'of a canonical text is a text that Postgres reads as the same value: %s %s',
    (type, printed, text) => {
      const canon = canonFromText(type, printed);
      expect(literalOfCanon(type, canon)).toBe(text);
      const again = type === 'timestamptz' ? text.replace(/( BC)?$/, '+00$1') : text;
      expect(canonFromText(type, again)).toBe(canon);
    },
  );

  it('does not exist for a value that the record omits, and for the type timetz', () => {
    expect(literalOrNothing('text', TOAST_PLACEHOLDER)).toBeUndefined();
    expect(literalOrNothing('timetz', '10:00:00Z')).toBeUndefined();
    const omitted = JSON.stringify({ [TOAST_PLACEHOLDER]: TOAST_PLACEHOLDER });
    expect(literalOrNothing('hstore', omitted)).toBeUndefined();
    expect(stateAfter(shape, undefined, { id: 1, note: omitted }).open).toEqual(new Set(['note']));
  });

  it('does not exist for bits, whose record does not say how many there are, and for a point', () => {
    expect(literalOrNothing('bit', 'AQ==')).toBeUndefined();
    expect(literalOrNothing('point', { x: 1, y: 2 })).toBeUndefined();
  });
});
