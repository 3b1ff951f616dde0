// Tests that TableSide, which collects the rows of a table, gives the same result whether the rows
// arrive before or after the topic's fold is finished.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { TableSide } from '../../src/compare/table-side.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { binaryRow, envelope, feed, jsonImage, type Value } from '../support/rows.js';

const TYPES = ['int8', 'text'];
const NAMES = ['id', 'v'];
const SNAPSHOT = parseSnapshot('1000:1000:');
const ROWS = 6000; // more rows than fit into one chunk of rows that wait for the fold

const shapeOf = (key: readonly string[]): Shape => ({
  key,
  columns: NAMES.map((name, at) => ({ name, type: TYPES[at]! })),
});

/** The table's row `n`. The stream has other values for some rows, and lacks some keys. */
const tableRow = (n: number): readonly Value[] => [n, n % 100 === 7 ? 'other' : `v${n % 10}`];

function foldOf(shape: Shape): HashFold {
  const fold = new HashFold(shape, ROWS);
  for (let n = 0; n < ROWS; n += 1) {
    if (n % 5000 === 9) continue;
    const row: Value[] = [n, `v${n % 10}`];
    const key = JSON.stringify(
      Object.fromEntries(shape.key.map((k) => [k, row[NAMES.indexOf(k)]])),
    );
    feed(fold, key, envelope('r', jsonImage(NAMES, TYPES, row), 1), SNAPSHOT);
  }
  return fold;
}

function outcome(shape: Shape, fold: HashFold, before: number): unknown {
  const side = new TableSide(shape);
  for (let n = 0; n < before; n += 1) side.add(binaryRow(TYPES, tableRow(n), n), 0);
  const comparison = side.meet(fold);
  for (let n = before; n < ROWS; n += 1) side.add(binaryRow(TYPES, tableRow(n), n), 0);
  side.meet(fold);
  const { rowsRead, matched, suspects, duplicates, candidates } = comparison;
  const { extraneous } = comparison.finish();
  return { rowsRead, matched, suspects, duplicates, candidates: [...candidates], extraneous };
}

describe('TableSide', () => {
  it.each([[['id']], [['id', 'v']]])(
    'gives the same result for key %j no matter when the fold becomes available',
    (key) => {
      const shape = shapeOf(key);
      const fold = foldOf(shape);
      const after = outcome(shape, fold, 0);
      expect(after).toMatchObject({ rowsRead: ROWS, duplicates: 0 });
      expect((after as { candidates: object[] }).candidates.length).toBeGreaterThan(40);
      for (const before of [1, 5000, ROWS]) expect(outcome(shape, fold, before)).toEqual(after);
    },
  );
});
