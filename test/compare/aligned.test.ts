// Tests the comparison of the rows that a batch run stored with the rows of the stream. If they
// differ, the rows of the batch's query show which side is wrong.
import { describe, expect, it } from 'vitest';
import { compareAligned, type AlignedSides } from '../../src/compare/batch-aligned.js';
import { joinRow, type Shape } from '../../src/compare/row-comparison.js';

const shape: Shape = {
  key: ['day'],
  columns: [
    { name: 'day', type: 'date' },
    { name: 'revenue', type: 'numeric' },
  ],
};
const key = (day: string): string => joinRow([day]);
const rows = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([day, revenue]) => [key(day), joinRow([day, revenue])]));
const held = (entries: Record<string, string>) =>
  new Map([...rows(entries)].map(([k, row]) => [k, { row }]));
const compare = (sides: Partial<AlignedSides>) =>
  compareAligned(shape, {
    stored: new Map(),
    stream: new Map(),
    streamOnly: [],
    queried: new Map(),
    ...sides,
  });

describe('the comparison of a finished batch run with the stream', () => {
  it('counts equal rows as matched', () => {
    expect(
      compare({ stored: rows({ a: '1' }), stream: held({ a: '1' }), queried: rows({ a: '1' }) })
        .counts,
    ).toMatchObject({ matched: 1, mismatched: 0 });
  });
  it('reports a mismatch as batch-was-wrong if the stream equals the query, not the stored row', () => {
    const found = compare({
      stored: rows({ a: '1' }),
      stream: held({ a: '2' }),
      queried: rows({ a: '2' }),
    });
    expect([found.counts.mismatched, found.batchWasWrong]).toEqual([1, 1]);
    expect(found.differences).toEqual([
      { class: 'batch-was-wrong', key: { day: 'a' }, column: 'revenue', batch: '1', stream: '2' },
    ]);
  });
  it('reports a difference if the stream contradicts both the stored result and the query', () => {
    const found = compare({
      stored: rows({ a: '1' }),
      stream: held({ a: '3' }),
      queried: rows({ a: '1' }),
    });
    expect([found.counts.mismatched, found.batchWasWrong, found.differences[0]!.class]).toEqual([
      1,
      0,
      'mismatched',
    ]);
  });
  it('reports a row as missing if only the stream lacks it, and batch-was-wrong if the query lacks it too', () => {
    const found = compare({
      stored: rows({ ghost: '1', lost: '2' }),
      queried: rows({ lost: '2' }),
    });
    expect(found.differences.map((d) => [d.key['day'], d.class])).toEqual([
      ['ghost', 'batch-was-wrong'],
      ['lost', 'missing'],
    ]);
  });
  it('reports batch-was-wrong if the stored result lacks a row, and extraneous if the query lacks it too', () => {
    const found = compare({
      stream: held({ new: '1', odd: '2' }),
      streamOnly: [key('new'), key('odd')],
      queried: rows({ new: '1' }),
    });
    expect(found.counts).toMatchObject({ mismatched: 1, extraneous: 1 });
  });
  it('never counts an undecodable row as equal', () => {
    const found = compare({
      stored: new Map([[key('a'), null]]),
      stream: held({ a: '1' }),
      queried: rows({ a: '1' }),
    });
    expect(found.counts).toMatchObject({ unknown: 1, matched: 0 });
  });
});
