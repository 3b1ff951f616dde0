// Tests comparisons that other tools reported as equal by mistake. Sluice must not report them as
// equal.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashComparison } from '../../src/compare/hash-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { SettledComparison } from '../../src/compare/settled.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { NO_COUNTS } from '../../src/domain/evidence/counts.js';
import { worst, judgeComparison } from '../../src/domain/evidence/verdict.js';
import { binaryRow, envelope, feed, jsonImage, type Value } from '../support/rows.js';

/**
 * Compares `table` with `stream`, which both have the column `id` and the given columns. Returns
 * how many rows are suspect, are only in the stream, or have a record that cannot be read.
 */
function suspects(
  columns: Record<string, string>,
  table: Value[][],
  stream: Value[][],
  damage: (text: string) => string = (text) => text,
): number {
  const names = ['id', ...Object.keys(columns)];
  const types = ['int8', ...Object.values(columns)];
  const shape: Shape = {
    key: ['id'],
    columns: names.map((name, at) => ({ name, type: types[at]! })),
  };
  const fold = new HashFold(shape, 16);
  for (const row of stream) {
    const value = Buffer.from(damage(envelope('c', jsonImage(names, types, row), 1).toString()));
    feed(fold, `{"id":${String(row[0])}}`, value, parseSnapshot('9:9:'));
  }
  const comparison = new HashComparison(fold.table, fold.encoder);
  for (const row of table) comparison.add(binaryRow(types, row), 0);
  return comparison.suspected + comparison.finish().extraneous + fold.unreadable;
}

const proofs = { barrier: null, countedRows: 2, readRows: 2, canaryPlanted: 3, canaryFound: 3 };

describe('Sluice never reports as equal', () => {
  it('the same shift of a time in an even number of rows, so that checksums could cancel out', () => {
    const at = (hour: number, id: number): Value[] => [
      id,
      `2026-01-0${id}T${String(hour).padStart(2, '0')}:00:00.000000Z`,
    ];
    const ids = [1, 2, 3, 4];
    expect(
      suspects(
        { at: 'timestamptz' },
        ids.map((id) => at(3, id)),
        ids.map((id) => at(10, id)),
      ),
    ).toBe(4);
  });

  it('rows of two keys that are exchanged, so that the sum of every column is the same', () => {
    expect(
      suspects(
        { n: 'int4' },
        [
          [1, 10],
          [2, 20],
        ],
        [
          [1, 20],
          [2, 10],
        ],
      ),
    ).toBe(2);
  });

  it.each([
    ['empty', ''],
    ["'NULL'", 'NULL'],
    ["'<null>'", '<null>'],
    ["'null'", 'null'],
  ])('NULL on one side, and %s on the other', (_case, text) => {
    expect(suspects({ a: 'text' }, [[1, null]], [[1, text]])).toBe(1);
    expect(suspects({ a: 'text' }, [[1, text]], [[1, null]])).toBe(1);
  });

  it.each(['|', '#', ',', '\u0001', '", "'])(
    'a separator %s that moved from one column to the next',
    (separator) => {
      expect(
        suspects(
          { a: 'text', b: 'text' },
          [[1, `a${separator}b`, 'c']],
          [[1, 'a', `b${separator}c`]],
        ),
      ).toBe(1);
    },
  );

  it('a decimal that differs in the thirteenth decimal place', () => {
    expect(suspects({ n: 'numeric' }, [[1, '1.0000000000001']], [[1, '1']])).toBe(1);
    expect(suspects({ n: 'numeric' }, [[1, '1.10']], [[1, '1.1']])).toBe(0);
  });

  it('a float that differs by 1e-12', () => {
    expect(suspects({ f: 'float8' }, [[1, 1.5]], [[1, 1.500000000001]])).toBe(1);
  });

  it('trailing spaces, and a different case', () => {
    expect(suspects({ a: 'text' }, [[1, 'x']], [[1, 'x ']])).toBe(1);
    expect(suspects({ a: 'text' }, [[1, 'x']], [[1, 'X']])).toBe(1);
  });

  it('a key that gets a new record in every round', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'text' },
        { name: 'v', type: 'text' },
      ],
    };
    const row = (v: string): string => JSON.stringify(['1', v]);
    const side = new SettledComparison(shape);
    const key = JSON.stringify(['1']);
    for (let round = 0; round < 5; round += 1) {
      side.add({
        expected: new Map([[key, row(`${round}`)]]),
        actual: new Map([[key, { row: row('old') }]]),
        touched: new Set([key]),
      });
    }
    expect([side.isOpen, side.counts().unstable, side.counts().matched]).toEqual([true, 1, 0]);
  });

  it('a value that cannot be decoded, or a window with one inconclusive verdict', () => {
    expect(
      suspects({ a: 'text' }, [[1, 'x']], [[1, 'x']], (text) =>
        text.replace('"a":"x"', '"a":{"x":1}'),
      ),
    ).toBe(1);
    expect(judgeComparison({ ...NO_COUNTS, matched: 1, unknown: 1 }, proofs).verdict).toBe(
      'inconclusive',
    );
    expect(
      worst([
        { verdict: 'passed', reason: '' },
        { verdict: 'inconclusive', reason: 'x' },
      ]).verdict,
    ).toBe('inconclusive');
  });

  it('a stream that was not drained up to the snapshot', () => {
    expect(
      judgeComparison(
        { ...NO_COUNTS, matched: 2 },
        { ...proofs, barrier: 'connector acknowledged 0/1 < 0/2' },
      ).verdict,
    ).toBe('inconclusive');
  });

  it('a value that was wrong in two rounds, and matched only in the last round', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'text' },
        { name: 'v', type: 'text' },
      ],
    };
    const key = JSON.stringify(['1']);
    const right = JSON.stringify(['1', 'right']);
    const side = new SettledComparison(shape);
    for (const v of ['wrong', 'wrong']) {
      side.add({
        expected: new Map([[key, right]]),
        actual: new Map([[key, { row: JSON.stringify(['1', v]) }]]),
        touched: new Set(),
      });
    }
    side.add({
      expected: new Map([[key, right]]),
      actual: new Map([[key, { row: right }]]),
      touched: new Set([key]),
    });
    expect(side.counts()).toMatchObject({ mismatched: 1, matched: 0 });
  });

  it('a window that did not read every row', () => {
    expect(judgeComparison({ ...NO_COUNTS, matched: 1 }, { ...proofs, readRows: 1 })).toMatchObject(
      { verdict: 'errored' },
    );
  });

  it('an empty side, no matter which side is empty', () => {
    expect(suspects({ a: 'text' }, [], [[1, 'x']])).toBe(1);
    expect(suspects({ a: 'text' }, [[1, 'x']], [])).toBe(1);
  });

  it('data in which the comparator did not find the canaries', () => {
    expect(
      judgeComparison({ ...NO_COUNTS, matched: 2 }, { ...proofs, canaryFound: 0 }).verdict,
    ).toBe('errored');
  });
});
