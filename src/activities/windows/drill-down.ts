// From "not proven equal" to classes: every candidate re-read raw on both sides, at the same snapshot and offsets, and compared value by value.
import type { SourceClient } from '../../clients/source.js';
import type { KafkaPort } from '../../clients/kafka.js';
import { Comparison, type Shape } from '../../compare/comparison.js';
import { KeyFilter, type HashFold } from '../../compare/hash-fold.js';
import type { Candidate } from '../../compare/hash-comparison.js';
import { KeyHistory, explainByHistory } from '../../compare/key-history.js';
import { TableFold } from '../../compare/table-fold.js';
import type { SnapshotVisibility } from '../../domain/position.js';
import type { Counts, Difference } from '../../domain/window.js';
import { readRows } from './rows.js';

export interface DrillDown {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
}

export interface DrillDownInput {
  readonly kafka: KafkaPort;
  readonly topic: string;
  readonly shape: Shape;
  readonly snapshot: SnapshotVisibility;
  /** The connection that holds the snapshot. */
  readonly reader: SourceClient;
  /** The table, quoted. */
  readonly from: string;
  readonly candidates: readonly Candidate[];
  /** Keys that only the stream side has. */
  readonly extraneous: readonly string[];
  readonly heartbeat: () => void;
}

export async function drillDown(input: DrillDownInput, read: HashFold): Promise<DrillDown> {
  const { kafka, topic, shape, snapshot, reader, from, candidates, heartbeat } = input;
  const filter = new KeyFilter(shape, [...candidates.map((c) => c.key), ...input.extraneous]);
  const fold = new TableFold(shape);
  const histories = new Map<string, KeyHistory>();
  for (const { partition, low } of await kafka.offsets(topic)) {
    const end = read.nextOffset(partition) ?? 0;
    await kafka.readRange(
      topic,
      partition,
      low,
      end,
      (_offset, bytes, keyStart, keyEnd, start, end) => {
        if (!filter.wants(bytes, keyStart, keyEnd)) return;
        const change = fold.add(bytes, start, end, snapshot);
        if (change) historyOf(histories, change.key).add(change, read.wasProven(filter.lastKey));
      },
      heartbeat,
    );
  }
  const comparison = new Comparison(shape, fold.rows, 1);
  if (candidates.length > 0) {
    const rows = `${from} WHERE ctid = ANY ('{${candidates.map((c) => `"${c.ctid}"`).join(',')}}'::tid[])`;
    await readRows(reader, rows, shape, { rowsPerSecond: 0, heartbeat }, (key, row) => comparison.add(key, row));
  }
  const { counts, differences } = comparison.finish();
  return { counts, differences: explainByHistory(shape, differences, histories) };
}

function historyOf(histories: Map<string, KeyHistory>, key: string): KeyHistory {
  const known = histories.get(key) ?? new KeyHistory();
  histories.set(key, known);
  return known;
}
