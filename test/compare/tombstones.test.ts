// Tests that a comparison sees what a consumer of the topic would see. A tombstone deletes the row
// of its key. Records with a wrong key or in a wrong partition are refused. So are records of an
// output whose key is in several partitions, or in other bytes than before.
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { partitionOf } from '../../src/domain/values/partition.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { REFUSED, WHY_REFUSED, refusedDifferences } from '../../src/compare/refused.js';
import { keyOfRecord } from '../../src/compare/row-images.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { parseSnapshot, type SnapshotVisibility } from '../../src/domain/values/position.js';
import { envelope, feed } from '../support/rows.js';

const murmur2 = createRequire(import.meta.url)(
  'kafkajs/src/producer/partitioners/default/murmur2',
) as (key: Buffer) => number;

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const KEY = '{"id":1}';
const IMAGE = '{"id":1,"v":"a"}';
const EARLY = parseSnapshot('10:10:');
const LATE = parseSnapshot('100:100:');

type Step = readonly [op: 'r' | 'c' | 'u' | 'd', txId: number] | 'tombstone';

/**
 * Returns whether the early and the late snapshot see a row of the key. The fold of rows and the
 * fold of hashes must agree.
 */
function isThere(...steps: readonly Step[]): [early: boolean, late: boolean] {
  const [rows, hashes] = [new TableFold(SHAPE), new HashFold(SHAPE, 8)];
  for (const step of steps)
    for (const fold of [rows, hashes])
      feed<SnapshotVisibility>(
        fold,
        KEY,
        step === 'tombstone' ? null : envelope(step[0], IMAGE, step[1]),
        EARLY,
      );
  const now = (): boolean => {
    expect(hashes.table.size).toBe(rows.rows.size);
    return rows.rows.size === 1;
  };
  const early = now();
  for (const fold of [rows, hashes]) fold.applyOverlay(LATE);
  expect([rows.unreadable, hashes.unreadable]).toEqual([0, 0]);
  return [early, now()];
}

describe('a tombstone', () => {
  it.each<[string, readonly Step[], [boolean, boolean]]>([
    ['after a delete that the snapshot sees', [['c', 1], ['d', 2], 'tombstone'], [false, false]],
    [
      'after a delete that the snapshot does not see yet',
      [['c', 1], ['d', 50], 'tombstone'],
      [true, false],
    ],
    ['of a key that was inserted again', [['c', 1], ['d', 2], 'tombstone', ['c', 3]], [true, true]],
    [
      'of a key that is inserted again later',
      [['c', 1], ['d', 50], 'tombstone', ['c', 51]],
      [true, true],
    ],
    ['that is the only record after compaction', ['tombstone'], [false, false]],
  ])('%s changes nothing', (_what, steps, there) => expect(isThere(...steps)).toEqual(there));

  it.each<[string, readonly Step[], [boolean, boolean]]>([
    ['of a row of the initial load', [['r', 0], 'tombstone'], [false, false]],
    ['of a changed row', [['c', 1], ['u', 2], 'tombstone'], [false, false]],
    ['of a row that the snapshot does not see yet', [['c', 50], 'tombstone'], [false, false]],
    [
      'after a change that the snapshot does not see yet',
      [['r', 0], ['u', 50], 'tombstone'],
      [false, false],
    ],
    ['before the delete event', [['r', 0], 'tombstone', ['d', 50], 'tombstone'], [false, false]],
  ])(
    'deletes its key in every snapshot, unless a delete event precedes it: %s',
    (_what, steps, there) => expect(isThere(...steps)).toEqual(there),
  );
});

describe('a record is refused, so its window proves nothing,', () => {
  const why = (
    key: string | null,
    value: string | null,
    place = [0, 0],
  ): (string | undefined)[] => {
    const folds = [new TableFold(SHAPE), new HashFold(SHAPE, 8)];
    return folds.map((fold) => {
      fold.readFrom(place[0]!, place[1]!);
      feed<SnapshotVisibility>(fold, key, value && envelope('c', value, 1), LATE, 17);
      expect(fold.unreadable).toBe(fold.refused.length);
      expect(fold.refused[0]?.offset ?? 17).toBe(17);
      return fold.refused[0] && WHY_REFUSED[fold.refused[0].why];
    });
  };
  const both = (reason: string | undefined) => [reason, reason];

  it('if it has no key or an unreadable key', () => {
    expect(why(null, IMAGE)).toEqual(both('a record without a key'));
    for (const key of ['1', 'Struct{id=1}', '{}', '{"id":null}', '{"id":"x"}', '{"id":1']) {
      expect(why(key, null)).toEqual(both('no change event with a readable key'));
    }
  });

  it("if its key is not its row's key; a table's topic may spell this key differently", () => {
    for (const key of ['{"id":2}', '{"id":11}', '{"id":1.5}'])
      expect(new Set(why(key, IMAGE))).not.toContain(undefined);
    expect(why('{"id":2}', IMAGE)).toEqual(both("the record's key is not the key of its row"));
    // the same key in a different spelling
    expect(why('{"\\u0069d":1}', IMAGE)).toEqual(both(undefined));
  });

  it('if its key has more columns than the key of its row', () => {
    const reason = WHY_REFUSED[REFUSED.wider];
    for (const key of ['{"other":7,"id":1}', '{"id":1,"other":7}']) {
      expect(why(key, IMAGE)).toEqual(both(reason));
      expect(why(key, null)).toEqual(both(reason));
      for (const fold of [new OutputFold(SHAPE), new OutputHashes(SHAPE)]) {
        expect(fold.add(Buffer.from(key), Buffer.from(IMAGE), 3)).toBeNull();
        expect(fold.refused.map((refused) => WHY_REFUSED[refused.why])).toEqual([reason]);
      }
      expect(() => keyOfRecord(SHAPE, Buffer.from(key))).toThrow(reason);
    }
  });

  it('if it is in a different partition than its key belongs to', () => {
    const own = partitionOf(Buffer.from(KEY), 0, KEY.length, 7);
    for (let partition = 0; partition < 7; partition += 1)
      expect(why(KEY, IMAGE, [partition, 7])).toEqual(
        both(partition === own ? undefined : 'in a different partition than its key belongs to'),
      );
  });

  it('if it is in an output topic, and a different partition also has its key', () => {
    const fold = new OutputFold(SHAPE);
    fold.readFrom(0, 0);
    fold.add(Buffer.from(KEY), Buffer.from(IMAGE), 3);
    fold.readFrom(1, 0);
    expect(fold.add(Buffer.from(KEY), Buffer.from(IMAGE), 4)).toBeNull();
    expect(fold.rows.has(joinRow(['1']))).toBe(true);
    expect(refusedDifferences(SHAPE, fold.refused)).toEqual([
      {
        class: 'undecodable',
        key: { id: '1' },
        column: null,
        batch: null,
        stream: `partition 1, offset 4: its key occurs in several partitions, so its records have no order: key ${KEY}, value ${IMAGE}`,
      },
    ]);
  });

  it.each([
    [
      'has its tombstone',
      [
        [0, null],
        [1, IMAGE],
      ],
    ],
    [
      'has its row and then its tombstone',
      [
        [0, IMAGE],
        [0, null],
        [1, IMAGE],
      ],
    ],
    [
      'has its row, and this record is a tombstone',
      [
        [0, IMAGE],
        [1, null],
      ],
    ],
  ] as const)('if it is in an output topic, and a different partition %s', (_what, records) => {
    for (const fold of [new OutputFold(SHAPE), new OutputHashes(SHAPE)]) {
      for (const [partition, value] of records) {
        fold.readFrom(partition, 2);
        fold.add(Buffer.from(KEY), value === null ? null : Buffer.from(value), 3);
      }
      expect(fold.refused.map(({ partition, why: of }) => [partition, WHY_REFUSED[of]])).toEqual([
        [1, WHY_REFUSED[REFUSED.scattered]],
      ]);
    }
  });
});

describe('a record whose key equals an earlier key, but is written in other bytes,', () => {
  it.each(['{"id": 1}', '{"id":1.0}', '{"\\u0069d":1}', '{"schema":{},"payload":{"id":1}}'])(
    'is refused while an output topic has a row under the earlier bytes: %s',
    (other) => {
      for (const fold of [new OutputFold(SHAPE), new OutputHashes(SHAPE)]) {
        const add = (key: string, value: string | null): unknown =>
          fold.add(Buffer.from(key), value === null ? null : Buffer.from(value), 3);
        add(KEY, IMAGE);
        expect([add(other, IMAGE), add(other, null)]).toEqual([null, null]);
        const reason = WHY_REFUSED[REFUSED.respelled];
        expect(fold.refused.map(({ why }) => WHY_REFUSED[why])).toEqual([reason, reason]);
        add(KEY, null);
        expect(add(other, IMAGE)).not.toBeNull();
        expect(fold.unreadable).toBe(2);
      }
    },
  );
});

describe('the partition of a key', () => {
  it("is the one that Kafka's default partitioner chooses, by the murmur2 of kafkajs (property)", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat({ max: 3 }),
        fc.integer({ min: 1, max: 100 }),
        (key, before, partitions) => {
          const bytes = Buffer.concat([Buffer.alloc(before, 7), key, Buffer.from('behind')]);
          const expected = (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
          expect(partitionOf(bytes, before, before + key.length, partitions)).toBe(expected);
        },
      ),
    );
  });
});
