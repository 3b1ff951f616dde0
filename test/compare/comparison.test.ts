// Tests what a comparison of rows finds, its canary, and the comparison of the settled mode.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCanary } from '../../src/compare/canary.js';
import { runHashCanary } from '../../src/compare/hash-comparison.js';
import { binaryRow } from '../support/rows.js';
import {
  Comparison,
  joinRow,
  type Shape,
  type StreamRow,
} from '../../src/compare/row-comparison.js';
import { SettledComparison } from '../../src/compare/settled.js';

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

describe('the comparison reports', () => {
  it('missing, extraneous and mismatched rows, and both values of a mismatched column', () => {
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
  it('a row that only the stream has, even if two rows of the table have the same key', () => {
    const comparison = new Comparison(SHAPE, stream([1, 'a'], [2, 'b']), 1);
    for (const id of [1, 1]) comparison.add(key(id), row(id, 'a'));
    expect(comparison.finish().counts).toMatchObject({ matched: 2, extraneous: 1 });
    expect(comparison.duplicates).toBe(1);
  });
  it('NULL, the empty text, the word NULL and texts with separators as different', () => {
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
  it('exactly one mismatched row if one value of one row was changed (property)', () => {
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
  it.each([0, 1, 2, 9])(
    'of the comparison by hash finds only what it planted if %i of 9 rows cannot be decoded',
    (unknown) => {
      const shape: Shape = {
        ...SHAPE,
        columns: [SHAPE.columns[0]!, { name: 'v', type: 'int4[]' }],
      };
      const rows = Array.from({ length: 9 }, (_, id) =>
        binaryRow(['int8', 'int4[]'], [id, id % 9 >= 9 - unknown ? '{{1},{2}}' : '{1,2}']),
      );
      const { planted, found } = runHashCanary(shape, rows);
      expect(found).toBe(planted);
    },
  );

  it('plants corruptions in rows of the window, and the comparison finds all of them', () => {
    const sample = [1, 2, 3, 4, 5].map((id): [string, string] => [key(id), row(id, `v${id}`)]);
    const { planted, found } = runCanary(SHAPE, sample);
    expect(planted).toBeGreaterThanOrEqual(5);
    expect(found).toBe(planted);
  });
  it('plants and finds two corruptions even if the window has no row', () =>
    expect(runCanary(SHAPE, [])).toEqual({ planted: 2, found: 2 }));
});

describe('a settled comparison', () => {
  const expected = (...rows: [number, string][]): Map<string, string> =>
    new Map(rows.map(([id, v]) => [key(id), row(id, v)]));
  const touched = (...ids: number[]): Set<string> => new Set(ids.map(key));
  it('counts a key as matched if it is equal in two rounds and unchanged in the second', () => {
    const settled = new SettledComparison(SHAPE);
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'a']), touched: touched(1) });
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'a']), touched: touched() });
    expect(settled.counts()).toMatchObject({ matched: 1, unstable: 0 });
  });
  it('reports a difference for a key that differs in two rounds and does not change', () => {
    const settled = new SettledComparison(SHAPE);
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'x']), touched: touched() });
    settled.add({ expected: expected([1, 'a']), actual: stream([1, 'x']), touched: touched() });
    expect(settled.counts().mismatched).toBe(1);
    expect(settled.differences[0]).toMatchObject({ column: 'v', batch: 'a', stream: 'x' });
  });
  it('reports no difference while a snapshot may lack a streamed commit that waits for a standby', () => {
    const settled = new SettledComparison(SHAPE);
    const round = (batch: string, mayLackCommits: boolean) =>
      settled.add({
        expected: expected([1, batch], [2, 'a']),
        actual: stream([1, 'new'], [2, 'a']),
        touched: touched(),
        mayLackCommits,
      });
    round('old', false);
    round('old', true);
    expect(settled.counts()).toMatchObject({ matched: 1, mismatched: 0, unstable: 1 });
    round('new', false);
    round('new', false);
    expect(settled.counts()).toMatchObject({ matched: 2, mismatched: 0, unstable: 0 });
  });
  it('reports no difference for a key while its row changes in every round', () => {
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
  it('reports a key whose row changes in every round as unstable, never as equal', () => {
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
