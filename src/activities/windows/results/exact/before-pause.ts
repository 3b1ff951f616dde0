// Does the work that a window can do before it pauses the connector, so that the pause is short.
// Also finds out whether a pause would be useless, for example because the gap is too large. The
// gap is the rows that differ between the source's snapshot and the topics.
import { tableTopic, type Relation } from '../../../../domain/migration/names.js';
import { durationMs } from '../../../../domain/values/duration.js';
import type { OrReason } from '../../../../domain/values/or-reason.js';
import { parseSnapshot } from '../../../../domain/values/position.js';
import { pipelineDrained, sinkDrained } from '../../../barrier/consumers-drained.js';
import { markSource } from '../../../capture/source-mark.js';
import { foldTable } from '../../folds/fold-table.js';
import type { ConnectedSession } from '../../session.js';
import { boundedNow, snapshotText } from '../../tables/visibility.js';
import { passBarrier } from '../pass-barrier.js';

/**
 * If more records of one table than this may belong to the gap, the window compares in settled
 * rounds instead.
 */
const MOST_OPEN_RECORDS = 200_000;

/**
 * Lets the pipeline catch up before the connector is paused, so that little is left to do during
 * the pause. The folds of the tables also read the new records. Returns the milliseconds that the
 * barrier took, or the reason why it is not proven.
 */
export async function comeClose(session: ConnectedSession): Promise<OrReason<number>> {
  const { deps, kafka, ref, reader, side, folds, plan, heartbeat } = session;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const seen = parseSnapshot(await snapshotText(reader));
    const mark = await markSource(deps, session, { snapshot: reader, side, token: 'come close' });
    const pathMs = await passBarrier(kafka, plan, mark);
    for (const { topic } of plan.captures) {
      const fold = folds.ofTable(ref, topic);
      if (!fold) continue;
      const ends = await kafka.offsets(topic);
      const snapshot = await boundedNow(side, seen);
      await foldTable({ kafka, topic, heartbeat }, fold, ends, snapshot);
    }
    return pathMs;
  } finally {
    await reader.query('ROLLBACK');
  }
}

/**
 * Counts the records of each table that may belong to the gap. Returns a reason if one table has
 * too many, because the gap is kept in memory. Otherwise, returns null.
 */
export async function gapProblem(
  { kafka, ref, plan, folds }: ConnectedSession,
  tables: readonly Relation[],
): Promise<string | null> {
  for (const table of tables) {
    const topic = tableTopic(plan.names.topicPrefix, table);
    const fold = folds.ofTable(ref, topic);
    const open = (await kafka.offsets(topic)).reduce(
      (sum, { partition, low, committed }) =>
        sum + committed - Math.max(low, fold?.settledUpTo(partition) ?? 0),
      0,
    );
    if (open > MOST_OPEN_RECORDS)
      return `${open} records of ${table.text} may belong to the gap, and at most ${MOST_OPEN_RECORDS} are allowed`;
  }
  return null;
}

/**
 * Finds out whether the pipeline could process its input within the longest allowed pause. `pathMs`
 * is the time that the last barrier took to pass the whole path. The pipeline is only a part of
 * this path, so the pipeline is fast enough if this time is short enough. Returns a reason if the
 * pipeline is too slow, otherwise null.
 */
export async function slowness(
  { kafka, plan, still }: ConnectedSession,
  pathMs: number,
): Promise<string | null> {
  const { maxPause } = plan.spec.validation.stillPoint;
  const mostMs = durationMs(maxPause);
  if (still !== 'paused' || pathMs <= mostMs) return null;
  const deadline = Date.now() + mostMs;
  const undrained =
    (await pipelineDrained(kafka, plan, deadline)) ?? (await sinkDrained(kafka, plan, deadline));
  return undrained && `the pipeline needs longer than maxPause ${maxPause}: ${undrained}`;
}
