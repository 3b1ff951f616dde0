// One settled round: the queries in one snapshot and, beside them, a barrier behind that snapshot through the whole path; then every stream side.
import type { SourceClient } from '../../clients/source.js';
import { TopicLost, type KafkaPort } from '../../clients/kafka.js';
import type { Shape, StreamRow } from '../../compare/comparison.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/ledger.js';
import { parseTableName, qualified } from '../../domain/names.js';
import { stripSemicolon } from '../../domain/statements.js';
import { markSource, passedWholePath, type SourceMark } from '../source-mark.js';
import type { Deps } from '../deps.js';
import type { Computation } from './computation.js';
import { foldOutput, refuseRepartitioned } from './folds.js';
import { readRows } from './rows.js';

const BARRIER_LIMIT_MS = 60_000;

export interface RoundTaken {
  readonly queryMs: number;
  /** A marker's way through connector, pipeline and sink. */
  readonly pathMs: number;
}

export interface RoundInput extends Pick<Deps, 'systems'> {
  readonly kafka: KafkaPort;
  readonly ref: MigrationRef;
  /** Holds the snapshot. */
  readonly client: SourceClient;
  /** For everything that must not be in it. */
  readonly side: SourceClient;
  readonly heartbeat: () => void;
}

/** Feeds the round to the comparisons of the given computations. A string = no proof, and why; then nothing was fed. */
export async function takeRound(
  { systems, kafka, ref, client, side, heartbeat }: RoundInput,
  computations: readonly Computation[],
): Promise<RoundTaken | string> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('SELECT pg_current_snapshot()'); // fixes the snapshot before the position is taken
  const started = Date.now();
  const mark = await markSource({ systems }, ref, { snapshot: client, side, token: 'round' });
  const { lsn } = mark;
  const [queries, barrier] = await Promise.allSettled([runQueries(client, computations, heartbeat), passBarrier(kafka, ref, mark)]);
  await client.query('ROLLBACK'); // settings that the spec's SQL made go with it
  if (queries.status === 'rejected') throw queries.reason;
  if (barrier.status === 'rejected') throw barrier.reason;
  if (typeof barrier.value === 'string') return barrier.value;
  const expected = queries.value.rows;
  for (const [at, computation] of computations.entries()) {
    const { isOurs, isTable, topic, fold, shape, topicSide, sink } = computation;
    computation.taken = { expected: expected[at]!, lsn };
    if (isTable) refuseRepartitioned(ref, topic, await kafka.offsets(topic));
    const rows = sink ? await readSink(side, sink.table, shape, heartbeat) : null;
    // After the sink was read: a record that reached the sink meanwhile must count as touched.
    const touched = await foldOutput(kafka, topic, fold, heartbeat).catch((error: unknown) => {
      // A stage's topic that the pipeline made anew is read anew by the next window; the loss of one that we made is for the caller to judge.
      throw !isOurs && error instanceof TopicLost ? new Problem('unreachable', error.message) : error;
    });
    topicSide.add({ expected: expected[at]!, actual: fold.rows, touched });
    if (rows) sink!.side.add({ expected: expected[at]!, actual: rows, touched });
  }
  return { queryMs: queries.value.endedAt - started, pathMs: barrier.value };
}

/** Milliseconds that it took, or why it is not proven. */
async function passBarrier(kafka: KafkaPort, ref: MigrationRef, mark: SourceMark): Promise<string | number> {
  const started = Date.now();
  const unproven = await passedWholePath(kafka, ref, mark, started + BARRIER_LIMIT_MS);
  return unproven ?? Date.now() - started;
}

async function runQueries(
  client: SourceClient,
  computations: readonly Computation[],
  heartbeat: () => void,
): Promise<{ rows: Map<string, string | null>[]; endedAt: number }> {
  const all: Map<string, string | null>[] = [];
  for (const { subject, sql, shape } of computations) {
    const rows = new Map<string, string | null>();
    const read = await readRows(client, `(${stripSemicolon(sql)}\n) AS sluice_batch`, shape, { rowsPerSecond: 0, heartbeat }, (key, row) => rows.set(key, row));
    if (read !== rows.size) {
      throw new Problem('unsupported', `the query of ${subject} returned ${read} rows for ${rows.size} keys: (${shape.key.join(', ')}) is not a key of it`);
    }
    all.push(rows);
  }
  return { rows: all, endedAt: Date.now() };
}

async function readSink(client: SourceClient, table: string, shape: Shape, heartbeat: () => void): Promise<Map<string, Pick<StreamRow, 'row' | 'proven'>>> {
  const rows = new Map<string, Pick<StreamRow, 'row' | 'proven'>>();
  await readRows(client, qualified(parseTableName(table)), shape, { rowsPerSecond: 0, heartbeat }, (key, row) => rows.set(key, { row }));
  return rows;
}
