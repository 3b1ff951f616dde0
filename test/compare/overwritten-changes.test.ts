// Tests which changes an initial load in chunks overwrote, by the records of one partition.
import { describe, expect, it } from 'vitest';
import { OverwrittenChanges } from '../../src/compare/overwritten-changes.js';

type Row = Readonly<Record<string, unknown>> | null;
type Sent = readonly [key: string, op: string | null, after?: Row | string];

/** Returns the offsets that must be repeated. The records have the offsets 0, 1, 2 … */
function overwritten(...records: readonly Sent[]): number[][] {
  const changes = new OverwrittenChanges();
  records.forEach(([key, op, after = null], offset) => {
    const row = typeof after === 'string' ? after : JSON.stringify(after);
    const value = op === null ? null : `{"before":null,"after":${row},"op":"${op}","ts_ms":1}`;
    changes.add(offset, Buffer.from(`{"id":${key}}`), value === null ? null : Buffer.from(value));
  });
  return changes.overwritten.map((offsets) => [...offsets]);
}

describe('a change of a row that the load also wrote', () => {
  it('is overwritten if an older row of the load is the last record', () => {
    expect(overwritten(['7', 'u', { v: 2 }], ['7', 'r', { v: 1 }])).toEqual([[0]]);
  });

  it('is not overwritten if the load wrote the same row', () => {
    expect(overwritten(['7', 'u', { v: 2 }], ['7', 'r', { v: 2 }])).toEqual([]);
  });

  it('is not overwritten if another change follows the row of the load', () => {
    expect(overwritten(['7', 'u', { v: 2 }], ['7', 'r', { v: 1 }], ['7', 'u', { v: 3 }])).toEqual(
      [],
    );
  });

  it('is not overwritten if it follows the row of the load', () => {
    expect(overwritten(['7', 'r', { v: 1 }], ['7', 'u', { v: 2 }])).toEqual([]);
  });

  it('is overwritten by a second scan, too', () => {
    const first: Sent = ['7', 'r', { v: 1 }];
    expect(overwritten(first, ['7', 'u', { v: 2 }], first)).toEqual([[1]]);
  });

  it('is overwritten if it deleted the row, and its tombstone is repeated as well', () => {
    expect(overwritten(['7', 'd'], ['7', null], ['7', 'r', { v: 1 }])).toEqual([[0, 1]]);
  });

  it('is repeated after all earlier changes of its row, which may contain omitted values', () => {
    expect(
      overwritten(
        ['7', 'u', { v: 1, text: 'long' }],
        ['8', 'u', { v: 1 }],
        ['7', 'u', { v: 2, text: '__debezium_unavailable_value' }],
        ['7', 'r', { v: 1, text: 'old' }],
      ),
    ).toEqual([[0, 2]]);
  });

  it('is repeated if its value cannot be read, because the window must report it', () => {
    expect(overwritten(['7', 'u', '{'], ['7', 'r', { v: 1 }])).toEqual([[0]]);
  });

  it('differs from the row of the load in the last digit of a long number', () => {
    expect(
      overwritten(['7', 'u', '{"n":9007199254740993}'], ['7', 'r', '{"n":9007199254740992}']),
    ).toEqual([[0]]);
  });

  it('is read although the row has a column named op', () => {
    expect(
      overwritten(['7', 'u', { op: 'r' }], ['7', 'r', { op: 'u' }], ['8', 'r', { op: 'u' }]),
    ).toEqual([[0]]);
  });
});
