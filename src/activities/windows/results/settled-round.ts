// Runs one round of a settled comparison, which needs no pause of the connector. The queries run in
// one snapshot. At the same time, a mark passes the whole path. The mark is a position of the
// source after the snapshot. When the mark has passed, the code reads the topics and the sink's
// table.
import { ok, type OrReason } from '../../../domain/values/or-reason.js';
import { markSource } from '../../capture/source-mark.js';
import { refuseRepartitioned } from '../folds/fold-table.js';
import type { ResultSession } from '../session.js';
import type { ComparedQuery } from './compared-queries.js';
import { passBarrier } from './pass-barrier.js';
import { readOutput, readSink, runQueries } from './read-sides.js';

export interface RoundTaken {
  readonly queryMs: number;
  /** The time (ms) that the mark took to pass connector, pipeline and sink. */
  readonly pathMs: number;
}

/**
 * Takes a round, and adds its rows to the comparisons of the given queries. If the barrier is not
 * proven, adds nothing and returns the reason.
 */
export async function takeRound(
  session: ResultSession,
  comparedQueries: readonly ComparedQuery[],
): Promise<OrReason<RoundTaken>> {
  const { deps, kafka, plan, ref, reader, side, target, heartbeat } = session;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // this fixes the snapshot before the position is taken
  await reader.query('SELECT pg_current_snapshot()');
  const started = Date.now();
  const mark = await markSource(deps, session, { snapshot: reader, side, token: 'round' });
  const { lsn } = mark;
  const [queries, barrier] = await Promise.allSettled([
    runQueries(reader, comparedQueries, heartbeat),
    passBarrier(kafka, plan, mark),
  ]);
  await reader.query('ROLLBACK'); // this also resets settings that the spec's SQL has changed
  if (queries.status === 'rejected') throw queries.reason;
  if (barrier.status === 'rejected') throw barrier.reason;
  if (!barrier.value.ok) return barrier.value;
  const expected = queries.value.read.map((query) => query.expected);
  for (const [at, comparedQuery] of comparedQueries.entries()) {
    const { isTable, topic, fold, shape, topicSide, sink } = comparedQuery;
    comparedQuery.taken = { ...queries.value.read[at]!, lsn };
    if (isTable) refuseRepartitioned(ref, topic, await kafka.offsets(topic));
    const rows = sink ? await readSink(target, sink.table, shape, heartbeat) : null;
    // The topic is read after the sink's table. So a record that was already in the sink is also
    // read from the topic. `touched` contains the keys of all records that are new in this round.
    const touched = await readOutput(session, comparedQuery);
    topicSide.add({ expected: expected[at]!, actual: fold.rows, touched });
    if (!rows || !sink) continue;
    sink.side.add({ expected: expected[at]!, actual: rows.rows, touched });
    sink.counted = rows.counted;
  }
  return ok({ queryMs: queries.value.endedAt - started, pathMs: barrier.value.value });
}
