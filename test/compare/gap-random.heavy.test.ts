// Tests the gap on random histories of a table. The rows of the gap replace rows in a snapshot of
// the source. The result must equal the table that the topic describes up to its ends, whichever
// transactions the snapshot sees. The ends are the end offsets of the topic at the still point.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gap } from '../../src/compare/still-point-gap.js';
import { imageOf, stateAfter, type KeyState } from '../../src/compare/row-images.js';
import { TOAST_PLACEHOLDER } from '../../src/domain/values/toast-placeholder.js';
import type { SnapshotVisibility } from '../../src/domain/values/position.js';

const KEYS = 4;
const FIRST_XID = 100;
const shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'n', type: 'int8' },
    { name: 'far', type: 'text' },
  ],
};

interface Row {
  readonly id: number;
  readonly n: number;
  readonly far: string;
}
type Table = Map<number, Row>;

interface Transaction {
  readonly key: number;
  readonly op: 'c' | 'u' | 'd';
  readonly row: Row | null;
  readonly value: Buffer;
}

/**
 * Returns one transaction for each step, in order. A step has a key, and says whether the row is
 * deleted and whether its column `far` is changed.
 */
function historyOf(steps: readonly (readonly [number, boolean, boolean])[]): Transaction[] {
  const table: Table = new Map();
  return steps.map(([key, deletes, changesFar], at) => {
    const before = table.get(key);
    const source = { txId: FIRST_XID + at };
    if (before && deletes) {
      table.delete(key);
      const value = Buffer.from(JSON.stringify({ op: 'd', before: { id: key }, source }));
      return { key, op: 'd', row: null, value };
    }
    const far = before && !changesFar ? before.far : `far ${at}`;
    const row = { id: key, n: at, far };
    table.set(key, row);
    const op = before ? 'u' : 'c';
    const after = before && !changesFar ? { ...row, far: TOAST_PLACEHOLDER } : row;
    return { key, op, row, value: Buffer.from(JSON.stringify({ op, after, source })) };
  });
}

function tableAfter(history: readonly Transaction[], counts: (at: number) => boolean): Table {
  const table: Table = new Map();
  history.forEach(({ key, row }, at) => {
    if (!counts(at)) return;
    if (row) table.set(key, row);
    else table.delete(key);
  });
  return table;
}

/**
 * Returns the transactions that are still open when the snapshot is taken. `taken` transactions
 * have begun. A bit of `wanted` is 1 if the last transaction of its key is still open. An open
 * transaction is always the last one of its key, because it has locked the row.
 */
function unseenBefore(history: readonly Transaction[], taken: number, wanted: number): Set<number> {
  const unseen = new Set<number>();
  for (let key = 0; key < KEYS; key += 1) {
    const last = history.slice(0, taken).findLastIndex((one) => one.key === key);
    if (last >= 0 && (wanted & (1 << key)) !== 0) unseen.add(last);
  }
  return unseen;
}

function snapshotOf(taken: number, total: number, unseen: ReadonlySet<number>): SnapshotVisibility {
  const xids = [...unseen].map((at) => FIRST_XID + at);
  const xmax = FIRST_XID + taken;
  return {
    xmin: Math.min(xmax, ...xids),
    xmax,
    inProgress: new Set(xids),
    before: FIRST_XID + total,
  };
}

const keyOf = (key: number): Buffer => Buffer.from(JSON.stringify({ id: key }));

describe('the gap of a random history', () => {
  it('turns the rows of the snapshot into the table that the topic describes up to its ends', () => {
    const step = fc.tuple(fc.nat(KEYS - 1), fc.boolean(), fc.boolean());
    const all = fc.tuple(
      fc.array(step, { maxLength: 24 }),
      fc.nat(24),
      fc.nat(24),
      fc.nat(24),
      fc.nat(15),
    );
    fc.assert(
      fc.property(all, ([steps, takenAt, endsAt, fromAt, wanted]) => {
        const history = historyOf(steps);
        const taken = Math.min(takenAt, history.length);
        const ends = Math.min(endsAt, history.length);
        const unseen = unseenBefore(history, taken, wanted);
        const from = Math.min(fromAt, ends, taken, ...unseen);
        const isSeen = (at: number): boolean => at < taken && !unseen.has(at);
        const gap = new Gap(shape, new Map([[0, ends]]), snapshotOf(taken, history.length, unseen));
        for (let at = from; at < history.length; at += 1)
          gap.add(0, at, keyOf(history[at]!.key), history[at]!.value);
        const older = new Map<string, KeyState>();
        const asked = gap.wanted;
        for (const { key, value } of history.slice(0, from)) {
          const record = imageOf(shape, keyOf(key), value);
          if (asked.has(record.key))
            older.set(record.key, stateAfter(shape, older.get(record.key), record.image));
        }
        gap.takeOlder(older);

        const snapshot = tableAfter(history, isSeen);
        const aligned: Table = new Map(snapshot);
        for (const { key, image, inSnapshot } of gap.rows()) {
          const id = Number((JSON.parse(key) as string[])[0]);
          if (image === null) aligned.delete(id);
          else {
            const far = inSnapshot.has('far') ? snapshot.get(id)!.far : (image['far'] as string);
            aligned.set(id, { id, n: image['n'] as number, far });
          }
        }
        const wantedTable = tableAfter(history, (at) => at < ends);
        expect(aligned).toEqual(wantedTable);
      }),
      { numRuns: 3000 },
    );
  });
});
