// Tests polled tables: which rows settle at once, which are checked again, which changes polling
// cannot see, and when a barrier holds.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/compare/row-comparison.js';
import { notCapturable } from '../../src/compare/unseen-by-polling.js';
import { SettledComparison } from '../../src/compare/settled.js';
import { hasReached, type Polling } from '../../src/domain/capture/polling-settings.js';
import type { PollingMode } from '../../src/domain/migration/spec.js';

const shape: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type: 'text' },
    { name: 'changed', type: 'timestamptz' },
  ],
};
const key = (id: number): string => JSON.stringify([String(id)]);
const row = (id: number, v: string, changed: string | null = 't0'): string =>
  JSON.stringify([String(id), v, changed]);
const polling = (mode: PollingMode): Polling => ({
  mode,
  query: null,
  incrementingColumn: 'id',
  timestampColumns: mode.startsWith('timestamp') ? ['changed'] : [],
  delay: '1s',
  deletes: 'none',
});
const sides = (rows: Record<number, string>): Map<string, { row: string }> =>
  new Map(Object.entries(rows).map(([id, r]) => [key(Number(id)), { row: r }]));
const expected = (rows: Record<number, string>): Map<string, string> =>
  new Map(Object.entries(rows).map(([id, r]) => [key(Number(id)), r]));
const compare = (mode: PollingMode = 'timestamp'): SettledComparison =>
  new SettledComparison(shape, { notCapturable: notCapturable(polling(mode), shape) });
const none = new Set<string>();

describe('the comparison of a polled table', () => {
  it('settles a key in one round if both sides are equal after the barrier', () => {
    const side = compare();
    side.add({
      expected: expected({ 1: row(1, 'a') }),
      actual: sides({ 1: row(1, 'a') }),
      touched: new Set([key(1)]),
    });
    expect([side.isOpen, side.counts()]).toEqual([
      false,
      expect.objectContaining({ matched: 1, unstable: 0 }),
    ]);
  });

  it('checks changed rows again, and ignores rows that were inserted after the first round', () => {
    const side = compare();
    side.add({
      expected: expected({ 1: row(1, 'a') }),
      actual: sides({ 1: row(1, 'b', 't1') }),
      touched: new Set([key(1)]),
    });
    expect(side.isOpen).toBe(true);
    side.add({
      expected: expected({ 1: row(1, 'b', 't1'), 2: row(2, 'new', 't2') }),
      actual: sides({ 1: row(1, 'b', 't1') }),
      touched: none,
    });
    expect([side.isOpen, side.counts()]).toEqual([
      false,
      expect.objectContaining({ matched: 1, missing: 0, unstable: 0 }),
    ]);
  });

  const differing = (
    mode: PollingMode,
    batch: Record<number, string>,
    stream: Record<number, string>,
  ): object => {
    const side = compare(mode);
    for (let round = 0; round < 2; round += 1)
      side.add({ expected: expected(batch), actual: sides(stream), touched: none });
    const { missing, mismatched, extraneous, unknown } = side.counts();
    return { missing, mismatched, extraneous, unknown, classes: side.report().map((d) => d.class) };
  };
  const unseen = {
    missing: 0,
    mismatched: 0,
    extraneous: 0,
    unknown: 1,
    classes: ['not-capturable'],
  };

  it.each<[string, PollingMode, Record<number, string>, Record<number, string>, object]>([
    ['a deleted row', 'timestamp', {}, { 1: row(1, 'a') }, unseen],
    ['a deleted row, if every row is read', 'bulk', {}, { 1: row(1, 'a') }, unseen],
    [
      'an update that does not change the time',
      'timestamp',
      { 1: row(1, 'b') },
      { 1: row(1, 'a') },
      unseen,
    ],
    [
      'an update in a mode that reads only ids',
      'incrementing',
      { 1: row(1, 'b', 't1') },
      { 1: row(1, 'a') },
      unseen,
    ],
    ['a row without a time', 'timestamp', { 1: row(1, 'a', null) }, {}, unseen],
    [
      'an update with a new time',
      'timestamp',
      { 1: row(1, 'b', 't1') },
      { 1: row(1, 'a') },
      { ...unseen, mismatched: 1, unknown: 0, classes: ['mismatched', 'mismatched'] },
    ],
    [
      'an update, if every row is read',
      'bulk',
      { 1: row(1, 'b') },
      { 1: row(1, 'a') },
      { ...unseen, mismatched: 1, unknown: 0, classes: ['mismatched'] },
    ],
    [
      'a row that did not arrive',
      'timestamp',
      { 1: row(1, 'a') },
      {},
      { ...unseen, missing: 1, unknown: 0, classes: ['missing'] },
    ],
    [
      'a row that did not arrive, in a mode that reads only ids',
      'incrementing',
      { 1: row(1, 'a') },
      {},
      { ...unseen, missing: 1, unknown: 0, classes: ['missing'] },
    ],
  ])(
    'counts %s as unknown only if polling cannot see it (%s)',
    (_case, mode, batch, stream, found) => {
      expect(differing(mode, batch, stream)).toEqual(found);
    },
  );
});

describe('a barrier of a polled table', () => {
  const at = (micros: bigint | null, id: bigint | null = null) => ({ micros, id });
  it.each<[PollingMode, ReturnType<typeof at>, ReturnType<typeof at>, boolean]>([
    ['incrementing', at(null, 5n), at(null, 5n), true],
    ['incrementing', at(null, 4n), at(null, 5n), false],
    ['incrementing', at(null, null), at(null, 5n), false],
    ['incrementing', at(null, null), at(null, null), true],
    ['timestamp', at(7n), at(7n), true],
    ['timestamp', at(6n), at(7n), false],
    ['timestamp+incrementing', at(7n, 1n), at(7n, 2n), false],
    ['timestamp+incrementing', at(7n, 2n), at(7n, 2n), true],
    ['timestamp+incrementing', at(8n, 1n), at(7n, 2n), true],
  ])(
    'in mode %s, with the position %o stored and %o wanted, holds: %s',
    (mode, stored, wanted, reached) => {
      expect(hasReached(mode, stored, wanted)).toBe(reached);
    },
  );
});
