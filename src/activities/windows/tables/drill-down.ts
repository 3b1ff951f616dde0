// Finds the class of each difference, such as `missing`. A candidate is a row of the table that the
// hashes do not prove equal. The drill-down examines the candidates, and the keys that only the
// stream has. It reads their raw rows again on both sides, at the same snapshot and offsets, and
// compares these rows value by value.
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import type { SourceClient } from '../../../clients/postgres/connection.js';
import type { TopicReading } from '../folds/fold-table.js';
import { Comparison, type Shape } from '../../../compare/row-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { KeyFilter } from '../../../compare/key-filter.js';
import { RowEncoder } from '../../../compare/enc/row.js';
import { TID_FIELD_BYTES, tidAt } from '../../../compare/enc/row-place.js';
import type { Candidate } from '../../../compare/hash-comparison.js';
import { KeyHistory, explainByHistory } from '../../../compare/key-history.js';
import { TableFold } from '../../../compare/table-fold.js';
import { int32At } from '../../../domain/values/bytes.js';
import { Problem } from '../../../domain/failure.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';
import { comparedOf, type Counts } from '../../../domain/evidence/counts.js';
import type { Difference } from '../../../domain/evidence/window.js';
import { checkedPartitions, decodingOf, readCaptured } from '../../capture/captured-records.js';
import { readRows } from '../canonical-rows.js';
import { selectOf } from './select-statement.js';

const OID_FIELD_BYTES = 4 + 4;

export interface DrillDown {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
}

export interface DrillDownInput extends TopicReading {
  readonly shape: Shape;
  readonly snapshot: SnapshotVisibility;
  /** The connection with the snapshot. */
  readonly reader: SourceClient;
  /** The table, quoted. */
  readonly from: string;
  readonly isPartitioned: boolean;
  readonly candidates: readonly Candidate[];
  /** Keys that only the stream has. */
  readonly extraneous: readonly string[];
}

export async function drillDown(input: DrillDownInput, read: HashFold): Promise<DrillDown> {
  const { kafka, topic, shape, snapshot, reader, from, candidates, heartbeat } = input;
  const filter = new KeyFilter(shape, [...candidates.map((c) => c.key), ...input.extraneous]);
  const fold = new TableFold(shape, { losesRefused: true });
  const histories = new Map<string, KeyHistory>();
  const ends = await kafka.offsets(topic);
  const decoding = decodingOf(kafka);
  for (const { partition, low } of ends) {
    const end = read.nextOffset(partition) ?? 0;
    fold.readFrom(partition, checkedPartitions(decoding, ends.length));
    await readCaptured(
      kafka,
      { topic, partition, partitions: ends.length, from: low, to: end },
      decoding,
      (offset, bytes, keyStart, keyEnd, start, end) => {
        if (!filter.wants(bytes, keyStart, keyEnd)) return;
        const change = fold.add(offset, bytes, keyStart, keyEnd, start, end, snapshot);
        if (change) historyOf(histories, change.key).add(change, read.wasProven(filter.lastKey));
      },
      heartbeat,
    );
  }
  const comparison = new Comparison(shape, fold.rows, 1);
  if (candidates.length > 0) {
    const rows = `${from} WHERE ${await placesOf(input)}`;
    await readRows(reader, rows, shape, { rowsPerSecond: 0, heartbeat }, (key, row) =>
      comparison.add(key, row),
    );
  }
  const { counts, differences } = comparison.finish();
  refuseUnexplained(comparedOf(counts), candidates.length, input.extraneous.length);
  return { counts, differences: explainByHistory(shape, differences, histories) };
}

/**
 * Checks that every candidate, and every key that only the stream has, was classified as matched,
 * different or unknown. Throws if one was not classified, because the two readings of the topic
 * then disagree and prove nothing.
 */
export function refuseUnexplained(explained: number, candidates: number, extraneous: number): void {
  if (explained === candidates + extraneous) return;
  throw new Problem(
    'unexpected',
    `the drill-down explained ${explained} keys, but ${candidates} rows were suspect, and ${extraneous} keys are only in the stream`,
    'the next window reads the topic again from its beginning; if it repeats, report it with the output of sluice windows',
  );
}

/**
 * Builds a condition that selects exactly the candidates' rows. In a partitioned table, several
 * partitions can have a row with the same ctid. For such a table, this function first reads all
 * rows with these ctids. The condition then names the partition and ctid of each row whose key is
 * wanted.
 */
async function placesOf({
  reader,
  from,
  shape,
  isPartitioned,
  candidates,
}: DrillDownInput): Promise<string> {
  const isThere = `ctid = ANY ('{${candidates.map((c) => `"${c.ctid}"`).join(',')}}'::tid[])`;
  if (!isPartitioned) return isThere;
  const wanted = new Set(candidates.map((c) => c.key));
  const encoder = new RowEncoder(shape);
  const places: string[] = [];
  await copyRows(
    reader,
    `${selectOf(shape, from, 'tableoid, ctid')} WHERE ${isThere}`,
    { rowsPerSecond: 0 },
    (bytes, at) => {
      const end = encoder.fromBinary(bytes, at + OID_FIELD_BYTES + TID_FIELD_BYTES);
      if (wanted.has(encoder.keyText))
        places.push(
          `(${int32At(bytes, at + 4) >>> 0}, '${tidAt(bytes, at + OID_FIELD_BYTES)}'::tid)`,
        );
      return end;
    },
  );
  return `${isThere} AND (tableoid, ctid) IN (${places.length > 0 ? places.join(', ') : `(0, NULL)`})`;
}

function historyOf(histories: Map<string, KeyHistory>, key: string): KeyHistory {
  const known = histories.get(key) ?? new KeyHistory();
  histories.set(key, known);
  return known;
}
