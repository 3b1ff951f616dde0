// An initial load in chunks overwrites a change if it writes an older row after the change. This
// file tests which changes were overwritten, and which records must be written again. All records
// are of one partition.
import { describe, expect, it } from 'vitest';
import { ChangesToRepeat, OverwrittenChanges } from '../../src/compare/overwritten-changes.js';

type Row = Readonly<Record<string, unknown>> | null;
/** A record. Without `lsn`, the position of a change is 1 more than its offset. */
type Sent = readonly [key: number, op: string | null, after?: Row | string, lsn?: number];

/** Returns the offsets that must be repeated, if every change has all values of its row. */
const toRepeat = (...records: readonly Sent[]): number[] => repeated(true, records);
/** The same for a table whose changes omit TOAST values that they did not set. */
const toRepeatPartly = (...records: readonly Sent[]): number[] => repeated(false, records);

/** The records have the offsets 0, 1, 2 … */
const bytesOf = (records: readonly Sent[]) =>
  records.map(([key, op, after = null, lsn], offset) => {
    const row = typeof after === 'string' ? after : JSON.stringify(after);
    const source = `{"table":"t","lsn":${lsn ?? offset + 1},"xmin":null}`;
    const value =
      op === null ? null : `{"before":null,"after":${row},"source":${source},"op":"${op}"}`;
    return [Buffer.from(`{"id":${key}}`), value === null ? null : Buffer.from(value)] as const;
  });

function changesIn(isWhole: boolean, records: readonly Sent[]): OverwrittenChanges {
  const changes = new OverwrittenChanges(isWhole);
  for (const record of bytesOf(records)) changes.add(...record);
  return changes;
}

function repeated(isWhole: boolean, records: readonly Sent[]): number[] {
  const changes = changesIn(isWhole, records);
  const repeat = new ChangesToRepeat();
  bytesOf(records).forEach(([key, value], offset) => {
    if (changes.has(key)) repeat.add(offset, key, value);
  });
  expect(changes.count > 0).toBe(repeat.offsets.length > 0);
  return repeat.offsets;
}

const OMITTED = '__debezium_unavailable_value';

describe('a change of a row that the load also wrote', () => {
  it('is overwritten if an older row of the load is the last record', () => {
    expect(toRepeat([7, 'u', { v: 2 }], [7, 'r', { v: 1 }])).toEqual([0]);
  });

  it('is not overwritten if the load wrote the same row', () => {
    expect(toRepeat([7, 'u', { v: 2 }], [7, 'r', { v: 2 }])).toEqual([]);
  });

  it('is not overwritten if a newer change follows the row of the load', () => {
    expect(toRepeat([7, 'u', { v: 2 }], [7, 'r', { v: 1 }], [7, 'u', { v: 3 }])).toEqual([]);
    expect(toRepeat([7, 'r', { v: 1 }], [7, 'u', { v: 2 }])).toEqual([]);
  });

  it('is overwritten by a second scan, too', () => {
    const first: Sent = [7, 'r', { v: 1 }];
    expect(toRepeat(first, [7, 'u', { v: 2 }], first)).toEqual([1]);
  });

  it('is overwritten by an older row even if it deleted the row; its tombstone is repeated as well', () => {
    expect(toRepeat([7, 'd'], [7, null], [7, 'r', { v: 1 }])).toEqual([0, 1]);
  });

  it('is repeated without the changes before it and without those of other rows', () => {
    const records: Sent[] = [
      [7, 'u', { v: 1 }],
      [8, 'u', { v: 1 }],
      [7, 'u', { v: 2 }],
      [7, 'r', { v: 1 }],
    ];
    expect(toRepeat(...records)).toEqual([2]);
  });

  it.each([OMITTED, Buffer.from(OMITTED).toString('base64'), [...Buffer.from(OMITTED)]])(
    'is not overwritten if it omits a value (%s), because the two rows cannot be compared',
    (text) => {
      expect(toRepeatPartly([7, 'u', { v: 2, text }], [7, 'r', { v: 2, text: 'long' }])).toEqual(
        [],
      );
      expect(toRepeatPartly([7, 'u', { v: 2, text }], [7, 'r', { v: 1, text: 'long' }])).toEqual(
        [],
      );
    },
  );

  it('is compared without its NULLs if a NULL may stand for an omitted value', () => {
    const change: Sent = [7, 'u', { v: 2, bytes: null }];
    expect(toRepeatPartly(change, [7, 'r', { v: 2, bytes: 'AA' }])).toEqual([]);
    expect(toRepeatPartly(change, [7, 'r', { v: 1, bytes: 'AA' }])).toEqual([0]);
    expect(toRepeat(change, [7, 'r', { v: 2, bytes: 'AA' }])).toEqual([0]);
  });

  it('is not overwritten if the row of the load has other columns, because the table was altered', () => {
    expect(toRepeat([7, 'u', { v: 2 }], [7, 'r', { v: 2, w: 0 }])).toEqual([]);
  });

  it('is overwritten if the row of the load differs only in the last digit of a long number', () => {
    const rows = ['{"n":9007199254740993}', '{"n":9007199254740992}'];
    expect(toRepeat([7, 'u', rows[0]!], [7, 'r', rows[1]!])).toEqual([0]);
  });

  it('is not overwritten if its row cannot be read', () => {
    expect(toRepeat([7, 'u', '{"a": 1}'], [7, 'r', { a: 2 }])).toEqual([]);
  });

  it('is read although the row has a column named op', () => {
    const records: Sent[] = [
      [7, 'u', { op: 'r' }],
      [7, 'r', { op: 'u' }],
      [8, 'r', { op: 'u' }],
    ];
    expect(toRepeat(...records)).toEqual([0]);
  });
});

describe('a change that the topic has twice', () => {
  const [one, two, old]: Sent[] = [
    [7, 'u', { v: 1 }, 10],
    [7, 'u', { v: 2 }, 20],
    [7, 'r', { v: 0 }, 5],
  ];

  it('repairs its row if it is the newest', () => {
    expect(toRepeat(one!, two!, old!, one!, two!)).toEqual([]);
  });

  it('does not repair its row if only older changes were repeated after the row of the load', () => {
    expect(toRepeat(one!, two!, old!, one!)).toEqual([1]);
  });

  it('overwrites a newer change if its second record follows that change', () => {
    expect(toRepeat(two!, old!, [7, 'u', { v: 3 }, 30], two!)).toEqual([2]);
  });

  it('is counted if it is the newest and was repeated after a row of the load had overwritten it', () => {
    const count = (...records: Sent[]): number => changesIn(true, records).repeated;
    expect(count(one!, two!, old!)).toBe(0);
    expect(count(one!, two!, old!, one!)).toBe(0);
    expect(count(one!, two!, old!, one!, two!)).toBe(1);
    expect(count(one!, two!, one!, two!)).toBe(0);
    expect(count(one!, old!, [7, 'u', { v: 3 }, 30])).toBe(0);
  });
});
