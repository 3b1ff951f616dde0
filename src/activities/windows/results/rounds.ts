// Runs one settled round: the queries in one snapshot and, at the same time, a barrier after that
// snapshot through the whole path. Then it reads every stream side.
import { transaction, type SourceClient } from '../../../clients/postgres/connection.js';
import { TopicLost, type KafkaPort } from '../../../clients/kafka/kafka.js';
import type { Shape, StreamRow } from '../../../compare/row-comparison.js';
import type { OutputHashes } from '../../../compare/output-hashes.js';
import { Problem } from '../../../domain/failure.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { parseTableName, qualified } from '../../../domain/migration/names.js';
import { stripSemicolon } from '../../../domain/pipelines/split-statements.js';
import { because, ok, type OrReason } from '../../../domain/values/or-reason.js';
import { markSource, passedWholePath, type SourceMark } from '../../capture/source-mark.js';
import { BARRIER_LIMIT_MS, type ConnectedSession } from '../session.js';
import type { Computation, SideCounted } from './compared-queries.js';
import { foldHashes, foldOutput } from '../folds/fold-output.js';
import { refuseRepartitioned, type TopicEnds } from '../folds/folds.js';
import { readRows } from '../../../clients/postgres/row-cursor.js';

/**
 * The time limit for a second run. A slower query runs once, so its rows are not counted, and
 * evidence claims no count.
 */
const COUNTED_QUERY_MS = 5000;

export interface RoundTaken {
  readonly queryMs: number;
  /** The path of a marker through connector, pipeline and sink. */
  readonly pathMs: number;
}

/**
 * Feeds the round to the comparisons of the given computations. If the round proves nothing, feeds
 * nothing and returns the reason.
 */
export async function takeRound(
  session: ConnectedSession,
  computations: readonly Computation[],
): Promise<OrReason<RoundTaken>> {
  const { deps, kafka, plan, ref, reader, side, heartbeat } = session;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await reader.query('SELECT pg_current_snapshot()'); // this fixes the snapshot before the position is taken
  const started = Date.now();
  const mark = await markSource(deps, session, { snapshot: reader, side, token: 'round' });
  const { lsn } = mark;
  const [queries, barrier] = await Promise.allSettled([
    runQueries(reader, computations, heartbeat),
    passBarrier(kafka, plan, mark),
  ]);
  await reader.query('ROLLBACK'); // also ends settings that the spec's SQL changed
  if (queries.status === 'rejected') throw queries.reason;
  if (barrier.status === 'rejected') throw barrier.reason;
  if (!barrier.value.ok) return barrier.value;
  const expected = queries.value.read.map((query) => query.expected);
  for (const [at, computation] of computations.entries()) {
    const { isTable, topic, fold, shape, topicSide, sink } = computation;
    computation.taken = { ...queries.value.read[at]!, lsn };
    if (isTable) refuseRepartitioned(ref, topic, await kafka.offsets(topic));
    const rows = sink ? await readSink(side, sink.table, shape, heartbeat) : null;
    // Records are read after the sink, because a record that reached the sink meanwhile must count
    // as touched.
    const touched = await readOutput(session, computation);
    topicSide.add({ expected: expected[at]!, actual: fold.rows, touched });
    if (!rows || !sink) continue;
    sink.side.add({ expected: expected[at]!, actual: rows.rows, touched });
    sink.counted = rows.counted;
  }
  return ok({ queryMs: queries.value.endedAt - started, pathMs: barrier.value.value });
}

/** Reads the topic of a computation to its stable end, or to `ends`, as whole rows. */
export function readOutput(
  { kafka, heartbeat }: ConnectedSession,
  { topic, fold, isTopicOwned }: Computation,
  ends?: TopicEnds,
): Promise<Set<string>> {
  return foldOutput({ kafka, topic, heartbeat }, fold, ends).catch((error: unknown) =>
    throwLoss(error, isTopicOwned),
  );
}

/** Reads the topic of a computation to `ends`, as hashes. */
export function readHashes(
  { kafka, heartbeat }: ConnectedSession,
  { topic, isTopicOwned }: Computation,
  fold: OutputHashes,
  ends: TopicEnds | undefined,
): Promise<void> {
  return foldHashes({ kafka, topic, heartbeat }, fold, ends).catch((error: unknown) =>
    throwLoss(error, isTopicOwned),
  );
}

/**
 * If the pipeline created a stage's topic again, the next window reads the new one. The caller
 * judges the loss of a topic that Sluice created.
 */
function throwLoss(error: unknown, isTopicOwned: boolean): never {
  throw !isTopicOwned && error instanceof TopicLost
    ? new Problem('unreachable', error.message)
    : error;
}

/** Waits until the mark has passed the whole path. Returns the ms that it took, or a reason. */
export async function passBarrier(
  kafka: KafkaPort,
  plan: ResolvedPlan,
  mark: SourceMark,
): Promise<OrReason<number>> {
  const started = Date.now();
  const unproven = await passedWholePath(kafka, plan, mark, started + BARRIER_LIMIT_MS);
  return unproven === null ? ok(Date.now() - started) : because(unproven);
}

export interface QueryRead {
  /** The rows by key. Null stands for a row that cannot be decoded. */
  readonly expected: ReadonlyMap<string, string | null>;
  /**
   * The rows of a second run in the same snapshot. Null if the query takes too long to run twice.
   */
  readonly counted: number | null;
}

/**
 * Runs the query of each computation. `endedAt` (epoch ms) is the time at which the last one ended.
 */
export async function runQueries(
  client: SourceClient,
  computations: readonly Pick<Computation, 'subject' | 'sql' | 'shape'>[],
  heartbeat: () => void,
): Promise<{ read: QueryRead[]; endedAt: number }> {
  const all: QueryRead[] = [];
  for (const { subject, sql, shape } of computations) {
    const rows = new Map<string, string | null>();
    const from = fromQuery(sql);
    const started = Date.now();
    const read = await readRows(client, from, shape, { rowsPerSecond: 0, heartbeat }, (key, row) =>
      rows.set(key, row),
    );
    refuseRepeatedKeys(subject, shape, read, rows.size);
    all.push({ expected: rows, counted: await countAgain(client, from, started) });
  }
  return { read: all, endedAt: Date.now() };
}

/** Returns the query of a spec as a sub-query. */
export const fromQuery = (sql: string): string => `(${stripSemicolon(sql)}\n) AS sluice_batch`;

/** Throws Problem `unsupported` if the rows of a query have fewer keys than rows. */
export function refuseRepeatedKeys(
  subject: string,
  shape: Shape,
  rows: number,
  keys: number,
): void {
  if (rows === keys) return;
  throw new Problem(
    'unsupported',
    `the query of ${subject} returned ${rows} rows for ${keys} keys: (${shape.key.join(', ')}) is not a key of it`,
  );
}

/**
 * Counts the rows of a query that ran from `started` (epoch ms) until now. Null if it is too slow to
 * run twice.
 */
export const countAgain = async (
  client: SourceClient,
  from: string,
  started: number,
): Promise<number | null> =>
  Date.now() - started <= COUNTED_QUERY_MS ? countRows(client, from) : null;

/** Reads the sink's rows in a separate snapshot. */
const readSink = (
  client: SourceClient,
  table: string,
  shape: Shape,
  heartbeat: () => void,
): Promise<SinkRows> =>
  transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    sinkRows(client, table, shape, heartbeat),
  );

export interface SinkRows {
  readonly rows: Map<string, StreamRow>;
  readonly counted: SideCounted;
}

/**
 * Reads the sink's rows, and counts them by a separate statement. The client MUST hold a snapshot.
 */
export async function sinkRows(
  client: SourceClient,
  table: string,
  shape: Shape,
  heartbeat: () => void,
): Promise<SinkRows> {
  const rows = new Map<string, StreamRow>();
  const from = qualified(parseTableName(table));
  const pace = { rowsPerSecond: 0, heartbeat };
  const readRowsOfIt = await readRows(client, from, shape, pace, (key, row) =>
    rows.set(key, { row, mark: 0 }),
  );
  return {
    rows,
    counted: { countedRows: await countRows(client, from), readRows: readRowsOfIt },
  };
}

export async function countRows(client: SourceClient, from: string): Promise<number> {
  return Number(
    (await client.query<Record<string, string>>(`SELECT count(*) AS n FROM ${from}`)).rows[0]!['n'],
  );
}
