// Tests which of a topic's records a snapshot of the source sees. The source's transaction counter
// may have any value. The fold of rows and the fold of hashes must agree.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { flinkSetup } from '../../src/connectors/flink-compare.js';
import {
  isVisible,
  parseSnapshot,
  widened,
  type SnapshotVisibility,
} from '../../src/domain/values/position.js';
import { envelope, feed } from '../support/rows.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const EPOCH = 2 ** 32;
/** Values of the transaction counter on both sides of several multiples of 2^31. */
const COUNTERS = [
  724,
  2 ** 31 - 5,
  2 ** 31 + 10,
  3_000_000_000,
  EPOCH - 2,
  EPOCH + 5,
  EPOCH + 2 ** 31 + 10,
  3 * EPOCH + 3_000_000_000,
];
const at = (counter: number): SnapshotVisibility => parseSnapshot(`${counter}:${counter}:`);

function held(
  records: readonly Buffer[],
  snapshot: SnapshotVisibility,
): [rows: number, hashes: number] {
  const rows = new TableFold(SHAPE);
  const hashes = new HashFold(SHAPE, 8);
  for (const record of records) {
    for (const fold of [rows, hashes]) feed<SnapshotVisibility>(fold, '{"id":1}', record, snapshot);
  }
  expect([rows.unreadable, hashes.unreadable]).toEqual([0, 0]);
  return [rows.rows.size, hashes.table.size];
}

describe('a snapshot', () => {
  it.each(COUNTERS)(
    'sees every row of the initial load, in both folds, with the counter at %d',
    (counter) => {
      expect(held([envelope('r', '{"id":1,"v":"a"}', 0)], at(counter))).toEqual([1, 1]);
      expect(held([envelope('r', '{"id":1,"v":"a"}', (counter + 5) % EPOCH)], at(counter))).toEqual(
        [1, 1],
      );
    },
  );

  it('sees changes from more than 2^31 transactions ago if the topic is read from its beginning', () => {
    const counter = 3 * EPOCH + 100;
    const bounded: SnapshotVisibility = { ...at(counter), before: counter + 50 };
    const old = (counter - 2 ** 31 - 1000) % EPOCH;
    expect(held([envelope('c', '{"id":1,"v":"a"}', old)], bounded)).toEqual([1, 1]);
    expect(held([envelope('c', '{"id":1,"v":"a"}', (counter + 20) % EPOCH)], bounded)).toEqual([
      0, 0,
    ]); // written after the snapshot
  });

  it('sees a transaction if and only if Postgres sees it, at any age below 2^32 ids (property)', () => {
    const counters = fc.integer({ min: 2 ** 31, max: 5 * EPOCH });
    fc.assert(
      fc.property(
        counters,
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.nat(),
        (xmin, open, later, age) => {
          const snapshot: SnapshotVisibility = {
            ...parseSnapshot(`${xmin}:${xmin + open}:${xmin}`),
            before: xmin + open + later,
          };
          const wide = Math.max(3, snapshot.before! - 1 - (age % EPOCH));
          const sees = wide < xmin || (wide < snapshot.xmax && wide !== xmin);
          expect(widened(wide % EPOCH, snapshot)).toBe(wide);
          expect(isVisible(wide % EPOCH, snapshot)).toBe(sees);
          expect(isVisible(wide, snapshot)).toBe(sees);
        },
      ),
    );
  });

  it('becomes a condition of Flink SQL that extends 32-bit transaction ids in the same way', () => {
    const snapshot: SnapshotVisibility = { ...at(EPOCH + 100), before: EPOCH + 150 };
    const range = { topic: 't', partitions: [] };
    const sql = flinkSetup({
      brokers: [],
      login: {},
      legacy: range,
      stream: range,
      snapshot,
      ignored: [],
    }).at(-1)!;
    expect(sql).toContain(`COALESCE(tx, 0) <> 0 AND (CASE WHEN tx >= ${EPOCH}`);
    expect(sql).toContain(`WHEN tx + ${EPOCH} > ${EPOCH + 149} THEN tx + 0 ELSE tx + ${EPOCH} END`);
  });
});

describe('a row that the connector reads in a second snapshot', () => {
  const bounded: SnapshotVisibility = { ...parseSnapshot('100:110:105'), before: 150 };
  const OLD = '{"id":1,"v":"old"}';
  const NEW = '{"id":1,"v":"new"}';
  const hashOf = (image: string): string => {
    const hashes = new HashFold(SHAPE, 8);
    feed<SnapshotVisibility>(hashes, '{"id":1}', envelope('r', image, 0), bounded);
    return [...hashes.table.entries()].join();
  };

  it.each([
    ["was read after the window's snapshot", [envelope('r', NEW, 120)]],
    [
      'follows a change that the window does not see',
      [envelope('u', NEW, 105), envelope('r', NEW, 60)],
    ],
  ])('waits for the next window if it %s, in both folds', (_why, records) => {
    const rows = new TableFold(SHAPE);
    const hashes = new HashFold(SHAPE, 8);
    const held = (): string[] => [
      String([...rows.rows.values()][0]?.row),
      [...hashes.table.entries()].join(),
    ];
    for (const record of [envelope('r', OLD, 50), ...records])
      for (const fold of [rows, hashes])
        feed<SnapshotVisibility>(fold, '{"id":1}', record, bounded);
    expect(held()).toEqual([expect.stringContaining('old'), hashOf(OLD)]);
    for (const fold of [rows, hashes]) fold.applyOverlay(at(150));
    expect(held()).toEqual([expect.stringContaining('new'), hashOf(NEW)]);
  });
});

describe('a later snapshot', () => {
  it('judges a record by the 64-bit transaction id computed when the record was first read', () => {
    const first: SnapshotVisibility = { ...at(EPOCH + 100), before: EPOCH + 200 };
    const record = envelope('c', '{"id":1,"v":"a"}', 150);
    const [rows, hashes] = [new TableFold(SHAPE), new HashFold(SHAPE, 8)];
    for (const fold of [rows, hashes]) feed<SnapshotVisibility>(fold, '{"id":1}', record, first);
    expect([rows.rows.size, hashes.table.size]).toEqual([0, 0]);
    const later: SnapshotVisibility = { ...at(2 * EPOCH + 120), before: 2 * EPOCH + 200 };
    rows.applyOverlay(later);
    hashes.applyOverlay(later);
    expect([rows.rows.has(joinRow(['1'])), hashes.table.size]).toEqual([true, 1]);
  });
});
