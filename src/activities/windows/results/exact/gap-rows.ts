// Reads the gap of a table from its topic: the rows that differ between the snapshot and the topic
// at the still point. At a still point, the pipeline has processed everything that is in the topic.
// The query will contain the rows of the gap as literals. Before the query runs, this code checks
// that Postgres parses the literals to the same values.
import type { PartitionEnds } from '../../../../clients/kafka/kafka.js';
import { canonFromJson } from '../../../../compare/column-types.js';
import { memberOf } from '../../../../compare/json.js';
import { joinRow, splitRow, type Shape } from '../../../../compare/row-comparison.js';
import { Gap, type RowAtEnds } from '../../../../compare/still-point-gap.js';
import { imageOf, keyOfRecord, stateAfter, type KeyState } from '../../../../compare/row-images.js';
import { keyLiterals, literalOrNothing } from '../../../../compare/literal.js';
import { because, ok, type OrReason } from '../../../../domain/values/or-reason.js';
import type { SnapshotVisibility } from '../../../../domain/values/position.js';
import {
  fromSnapshot,
  givenRows,
  type Given,
  type GivenRow,
  type StandInTable,
} from '../../../../assess/sql/stand-in.js';
import { readCapturedRecords } from '../../../capture/captured-records.js';
import { readRows } from '../../canonical-rows.js';
import type { ConnectedSession } from '../../session.js';
import { boundedNow } from '../../tables/visibility.js';

/**
 * The number of offsets in the first backward step through a topic. Each further step is twice as
 * long.
 */
const FIRST_STEP = 10_000;

export interface GapTable {
  readonly topic: string;
  readonly shape: Shape;
  readonly standIn: StandInTable;
}

export interface GapAt {
  /** The ends of the topic at the still point. */
  readonly ends: readonly PartitionEnds[];
  readonly snapshot: SnapshotVisibility;
}

/** Returns the rows of the gap, or the reason why they cannot be known. */
export async function gapRows(
  session: ConnectedSession,
  table: GapTable,
  at: GapAt,
): Promise<OrReason<GivenRow[]>> {
  const { topic, shape } = table;
  const ends = new Map(at.ends.map(({ partition, committed }) => [partition, committed]));
  const now = await session.kafka.offsets(topic);
  const gap = new Gap(shape, ends, await boundedNow(session.side, at.snapshot));
  const from = new Map<number, number>();
  try {
    for (const { partition, low, committed } of now) {
      const settled = session.folds.ofTable(session.ref, topic)?.settledUpTo(partition) ?? 0;
      const start = Math.max(low, Math.min(settled, ends.get(partition) ?? 0));
      from.set(partition, start);
      await readPart(session, topic, partition, start, committed, (offset, key, value) =>
        gap.add(partition, offset, key, value),
      );
    }
    await readBack(session, table, gap, from);
    const rows = gap.rows().map((row) => givenRow(table, row));
    const differs = await differsWhenRead(session, table, gap.rows(), rows);
    return differs === null ? ok(rows) : because(differs);
  } catch (error) {
    if (!(error instanceof UnknownRow)) throw error;
    return because(`the still point of ${topic} cannot be aligned: ${error.message}`);
  }
}

/**
 * Thrown if a record cannot be used, or if neither the topic nor the snapshot has the values of a
 * row of the gap.
 */
class UnknownRow extends Error {}

type Take = (offset: number, key: Buffer | null, value: Buffer | null) => void;

async function readPart(
  { kafka, heartbeat }: ConnectedSession,
  topic: string,
  partition: number,
  from: number,
  to: number,
  take: Take,
): Promise<void> {
  if (from >= to) return;
  await readCapturedRecords(
    kafka,
    { topic, partition, partitions: 0, from, to },
    ({ offset, key, value }) => {
      try {
        take(offset, key, value);
      } catch (error) {
        throw new UnknownRow(`the record at ${partition}/${offset}: ${(error as Error).message}`);
      }
    },
    heartbeat,
  );
}

/**
 * Reads all partitions backwards, in growing steps, until each row whose values the gap still lacks
 * (`wanted`) is found, or until everything is read.
 */
async function readBack(
  session: ConnectedSession,
  { topic, shape }: GapTable,
  gap: Gap,
  from: ReadonlyMap<number, number>,
): Promise<void> {
  const lows = await session.kafka.lows(topic);
  const reached = new Map(from);
  const isWhole = (): boolean =>
    [...reached].every(([partition, at]) => at <= (lows.get(partition) ?? 0));
  for (let step = FIRST_STEP; gap.wanted.size > 0 && !isWhole(); step *= 2) {
    for (const [partition, before] of reached) {
      const { wanted } = gap;
      const older = new Map<string, KeyState>();
      const first = Math.max(lows.get(partition) ?? 0, before - step);
      await readPart(session, topic, partition, first, before, (_offset, key, value) => {
        if (key === null) return;
        const name = keyOfRecord(shape, key);
        if (!wanted.has(name)) return;
        older.set(name, stateAfter(shape, older.get(name), imageOf(shape, key, value).image));
      });
      gap.takeOlder(older);
      reached.set(partition, first);
    }
  }
}

function givenRow({ shape, standIn }: GapTable, { key, image, inSnapshot }: RowAtEnds): GivenRow {
  const texts = keyLiterals(shape, splitRow(key)).map(String);
  if (image === null) return { key: texts, values: null };
  const values = shape.columns.map(({ name, type }): Given => {
    if (inSnapshot.has(name)) return fromSnapshot(standIn, name, texts);
    const text = literalOrNothing(type, memberOf(image, name));
    if (text === undefined)
      throw new UnknownRow(`no record has a value of column ${name} that can be proven`);
    return { text };
  });
  return { key: texts, values };
}

/**
 * Makes Postgres parse the literals. Returns a reason if Postgres gets a different value, otherwise
 * null.
 */
async function differsWhenRead(
  { reader, heartbeat }: ConnectedSession,
  { shape, standIn, topic }: GapTable,
  wanted: readonly RowAtEnds[],
  rows: readonly GivenRow[],
): Promise<string | null> {
  const select = givenRows(standIn, rows);
  if (select === null) return null;
  const read = new Map<string, string | null>();
  const pace = { rowsPerSecond: 0, heartbeat };
  await readRows(reader, `(${select}) AS sluice_given`, shape, pace, (key, row) =>
    read.set(key, row),
  );
  for (const { key, image, inSnapshot } of wanted) {
    if (image === null) continue;
    const found = read.get(key);
    const values = found ? splitRow(found) : null;
    const differing = shape.columns.find(
      ({ name, type }, at) =>
        !inSnapshot.has(name) &&
        canonFromJson(type, memberOf(image, name)) !== (values?.[at] ?? null),
    );
    if (values === null || differing)
      return `the still point of ${topic} cannot be aligned: a value of column ${differing?.name ?? joinRow(shape.key)} is read back in a different form`;
  }
  return null;
}
