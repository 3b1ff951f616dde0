// Runs one round of a settled comparison, which needs no pause of the connector. The queries run in
// one snapshot. At the same time, a mark passes the whole path. The mark is a position of the
// source after the snapshot. When the mark has passed, the code reads the topics and the sink's
// table. With synchronous replication, the stream can be ahead of later snapshots: a commit that
// waits for a standby is in the WAL, but no session sees it.
import { newIdIfCommitsWait, oldestOpenId } from '../../../clients/postgres/waiting-commits.js';
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
  /** True if the snapshot may lack a commit that the stream had in the previous round. */
  readonly mayLackCommits: boolean;
  /**
   * A transaction id above those of all commits that the stream has now. Null if no commit can wait
   * for a standby.
   */
  readonly idsBelow: bigint | null;
}

/**
 * Takes a round, and adds its rows to the comparisons of the given queries. If the barrier is not
 * proven, adds nothing and returns the reason. `earlier` is the previous round of the window.
 */
export async function takeRound(
  session: ResultSession,
  comparedQueries: readonly ComparedQuery[],
  earlier?: RoundTaken,
): Promise<OrReason<RoundTaken>> {
  const { deps, kafka, plan, ref, reader, side, target, heartbeat } = session;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // this fixes the snapshot before the position is taken
  const oldest = await oldestOpenId(reader);
  const idsBelow = earlier?.idsBelow ?? null;
  const mayLackCommits = idsBelow !== null && oldest < idsBelow;
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
    topicSide.add({ expected: expected[at]!, actual: fold.rows, touched, mayLackCommits });
    if (!rows || !sink) continue;
    sink.side.add({ expected: expected[at]!, actual: rows.rows, touched, mayLackCommits });
    sink.counted = rows.counted;
  }
  return ok({
    queryMs: queries.value.endedAt - started,
    pathMs: barrier.value.value,
    mayLackCommits,
    idsBelow: plan.capture.readsSlot ? await newIdIfCommitsWait(side) : null,
  });
}
