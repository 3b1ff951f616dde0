// A candidate is a key whose hashes differ, or that only one side has. A drill-down reads the rows
// of the candidates again. It classifies every candidate as matched, different or unknown. If it
// cannot explain a candidate, the window is errored.
import { describe, expect, it } from 'vitest';
import {
  judged,
  type Found,
  type PassInput,
} from '../../src/activities/windows/tables/table-by-hash.js';
import { refuseUnexplained } from '../../src/activities/windows/tables/drill-down.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import type { RecordVisitor } from '../../src/clients/kafka/record-batch.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashComparison } from '../../src/compare/hash-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { parseSnapshot, type SnapshotVisibility } from '../../src/domain/values/position.js';
import { envelope, feed } from '../support/rows.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const CANARY = { planted: 1, found: 1 };

const keyOf = (value: Buffer): string =>
  `{"id":${(JSON.parse(value.toString()) as { after: { id: number } }).after.id}}`;

/**
 * A partition with these records. `shown` are the records that the drill-down still finds when it
 * reads the partition again.
 */
function aTopic(values: readonly Buffer[], shown = values): KafkaPort {
  return {
    offsets: () =>
      Promise.resolve([{ partition: 0, low: 0, high: values.length, committed: values.length }]),
    readRange(
      _topic: string,
      _partition: number,
      _from: number,
      _to: number,
      visit: RecordVisitor,
    ) {
      shown.forEach((value, offset) => {
        const key = Buffer.from(keyOf(value));
        visit(
          offset,
          Buffer.concat([key, value]),
          0,
          key.length,
          key.length,
          key.length + value.length,
        );
      });
      return Promise.resolve(shown.length);
    },
  } as unknown as KafkaPort;
}

function folded(
  values: readonly Buffer[],
  snapshot: SnapshotVisibility,
): { fold: HashFold; found: Found } {
  const fold = new HashFold(SHAPE, 8);
  for (const value of values) feed(fold, keyOf(value), value, snapshot);
  fold.readUpTo({ partition: 0, next: values.length, low: 0, epoch: 0 });
  const comparison = new HashComparison(fold.table, fold.encoder);
  const { extraneous, keys } = comparison.finish();
  return {
    fold,
    found: {
      rowsRead: 0,
      matched: 0,
      duplicates: 0,
      ...comparison.suspects,
      extraneous,
      keys,
      candidates: [],
    },
  };
}

const inputOf = (kafka: KafkaPort, snapshot: SnapshotVisibility): PassInput => ({
  kafka,
  topic: 't',
  ends: [],
  shape: SHAPE,
  snapshot,
  reader: null as unknown as SourceClient,
  from: '"public"."t"',
  isPartitioned: false,
  rowsPerSecond: 0,
  heartbeat: () => undefined,
});

describe('keys that only the stream has', () => {
  it.each([724, 2_147_483_658, 3_000_000_000])(
    'are counted as extraneous after the drill-down, with the transaction counter at %d',
    async (counter) => {
      const snapshot = parseSnapshot(`${counter}:${counter}:`);
      const values = [1, 2, 3].map((id) => envelope('r', `{"id":${id},"v":"a"}`, 0));
      const { fold, found } = folded(values, snapshot);
      const pass = await judged(inputOf(aTopic(values), snapshot), fold, found, CANARY);
      expect(pass.counts).toMatchObject({ extraneous: 3, matched: 0 });
      expect(pass.differences.map((d) => d.class)).toEqual([
        'extraneous',
        'extraneous',
        'extraneous',
      ]);
    },
  );

  it('make the window errored if the second reading does not contain them', async () => {
    const snapshot = parseSnapshot('724:724:');
    const values = [1, 2].map((id) => envelope('r', `{"id":${id},"v":"a"}`, 0));
    const { fold, found } = folded(values, snapshot);
    const pass = judged(inputOf(aTopic(values, values.slice(1)), snapshot), fold, found, CANARY);
    await expect(pass).rejects.toThrow(
      'explained 1 keys, but 0 rows were suspect, and 2 keys are only in the stream',
    );
  });
});

describe('a drill-down', () => {
  it('fails unless it classifies each suspect and each key that only the stream has', () => {
    expect(() => refuseUnexplained(7, 4, 3)).not.toThrow();
    for (const sum of [6, 8])
      expect(() => refuseUnexplained(sum, 4, 3)).toThrow('rows were suspect');
  });
});
