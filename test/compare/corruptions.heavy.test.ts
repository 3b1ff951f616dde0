// Corrupts streams in each way that corruption-kinds.ts lists, with fixed seeds. A comparison must
// flag each corruption. The test also builds 1,000 clean windows, with open transactions and
// repeated deliveries. A comparison must flag none of them.
import { describe, expect, it } from 'vitest';
import { canonFromText } from '../../src/compare/column-types.js';
import { Comparison, joinRow } from '../../src/compare/row-comparison.js';
import { HashComparison, runHashCanary } from '../../src/compare/hash-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { parseSnapshot, type SnapshotVisibility } from '../../src/domain/values/position.js';
import { comparedOf } from '../../src/domain/evidence/counts.js';
import { binaryRow, feed, random, type Value } from '../support/rows.js';
import { KINDS } from './corruption-kinds.js';
import {
  SHAPE,
  TYPES,
  aLife,
  aRow,
  pick,
  written,
  type Event,
  type Rec,
  type Row,
} from './table-lives.js';

/** Values of the source's transaction counter, in both halves of its first two 32-bit epochs. */
const COUNTERS = [1000, 2 ** 31 + 1000, 3_000_000_000, 2 ** 32 + 1000, 2 ** 32 + 3_000_000_000];

/** Prints a value as Postgres does. */
const printed = (type: string, value: Value): string | null =>
  value === null
    ? null
    : type === 'bytea'
      ? `\\x${String(value)}`
      : type === 'bool'
        ? value === true
          ? 't'
          : 'f'
        : String(value);
const textRow = (row: Row): string =>
  joinRow(row.map((value, at) => canonFromText(TYPES[at]!, printed(TYPES[at]!, value))));

/**
 * Returns whether a window over these records finds anything that is not equal. It compares in two
 * ways: by hashes, and row by row, as Sluice does for a table with tolerances. Both ways must
 * agree. `counter` shifts the transaction ids of the records and of the snapshot.
 */
function isFlagged(table: Map<string, Row>, records: readonly Rec[], counter = 1000): boolean {
  const base = counter - 1000;
  const snapshot = parseSnapshot(`${counter}:${counter}:`);
  const fold = new HashFold(SHAPE, 16);
  const rows = new TableFold(SHAPE, { losesRefused: true });
  for (const { key, value } of records) {
    const text = value
      ?.toString('latin1')
      .replace(
        /"txId":(\d+)/,
        (_all, tx) => `"txId":${tx === '0' ? 0 : (base + Number(tx)) % 2 ** 32}`,
      );
    const moved = text === undefined ? null : Buffer.from(text, 'latin1');
    for (const one of [fold, rows]) feed<SnapshotVisibility>(one, key, moved, snapshot);
  }
  const comparison = new HashComparison(fold.table, fold.encoder);
  const byRow = new Comparison(SHAPE, rows.rows, 1);
  for (const row of table.values()) {
    comparison.add(binaryRow(TYPES, row), 0);
    byRow.add(joinRow([String(row[0])]), textRow(row));
  }
  const { extraneous } = comparison.finish();
  const { counts } = byRow.finish();
  const [byHash, drilled] = [
    comparison.suspected + extraneous,
    comparedOf(counts) - counts.matched,
  ];
  if (byHash + fold.unreadable > 0 !== drilled + rows.unreadable > 0)
    throw new Error(
      `by hash ${byHash} and ${fold.unreadable} unreadable, row by row ${drilled} and ${rows.unreadable}`,
    );
  return byHash + comparison.duplicates + fold.unreadable > 0;
}

describe('the comparison core', () => {
  it(`flags 1,000 of 1,000 corruptions of ${Object.keys(KINDS).length} kinds`, () => {
    const kinds = Object.entries(KINDS);
    expect(kinds.length).toBeGreaterThanOrEqual(50);
    const missed: string[] = [];
    const tried = new Map<string, number>();
    let flagged = 0;
    for (let seed = 1; flagged < 1000 && missed.length === 0; seed += 1) {
      const next = random(seed);
      const [kind, corrupt] = kinds[seed % kinds.length]!;
      const life = aLife(next);
      const damaged = life.table.size === 0 ? null : corrupt(life, next);
      if (!damaged) continue; // this table has nothing that this kind could damage
      const { table = life.table, records } = 'records' in damaged ? damaged : { records: damaged };
      tried.set(kind, (tried.get(kind) ?? 0) + 1);
      if (isFlagged(table, records, COUNTERS[seed % COUNTERS.length])) flagged += 1;
      else missed.push(`${kind} (seed ${seed})`);
    }
    expect(missed).toEqual([]);
    expect([...tried.keys()].sort()).toEqual(kinds.map(([kind]) => kind).sort());
  });

  it('flags none of 1,000 clean windows, with open transactions and repeated deliveries', () => {
    for (let seed = 1; seed <= 1000; seed += 1) {
      const next = random(seed);
      const { table, events } = aLife(next);
      // Records of open transactions, which the snapshot does not see, must not count. A run of
      // consecutive records is delivered again, as after a restart of the connector.
      const inFlight = Array.from({ length: 3 }, (): Event => ({
        op: 'u',
        row: aRow(next, pick(next, [...table.keys(), '5'])),
        tx: 2000,
      }));
      const from = Math.floor(next() * events.length);
      const records = written([...events, ...events.slice(from), ...inFlight]);
      expect(isFlagged(table, records, COUNTERS[seed % COUNTERS.length]), `seed ${seed}`).toBe(
        false,
      );
    }
  });

  it('has a canary that finds exactly the planted corruptions, in samples of 0 to 9 rows', () => {
    const next = random(3);
    for (let size = 0; size <= 9; size += 1) {
      const rows = Array.from({ length: size }, (_, at) =>
        binaryRow(TYPES, aRow(next, String(at + 1))),
      );
      const { planted, found } = runHashCanary(SHAPE, rows);
      expect(found).toBe(planted);
      expect(planted).toBeGreaterThan(0);
    }
  });
});
