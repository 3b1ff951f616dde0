// Settled mode: the batch's query, re-run in each round's snapshot, against the output topic and against the sink's table.
import { openSource, type SourceClient } from '../../clients/source.js';
import { describeQuery, stripSemicolon } from '../../clients/catalog.js';
import type { KafkaPort } from '../../clients/kafka.js';
import { runCanary } from '../../compare/canary.js';
import type { Shape, StreamRow } from '../../compare/comparison.js';
import type { OutputFold } from '../../compare/output-fold.js';
import { SettledComparison } from '../../compare/settled.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/ledger.js';
import { parseTableName, qualified } from '../../domain/names.js';
import type { Lsn } from '../../domain/position.js';
import { assessComparison, comparedOf } from '../../domain/window.js';
import { connectorAcknowledged, emitMarker, insertLsn, pipelineDrained, sinkDrained } from '../barrier.js';
import type { Deps } from '../deps.js';
import { pause } from '../patience.js';
import { foldOutput, type FoldCache } from './folds.js';
import { readRows } from './rows.js';
import { columnsToCompare } from './shape.js';
import { measured, unmeasured, type SubjectResult } from './subject.js';

const BARRIER_LIMIT_MS = 60_000;
const MIN_ROUNDS = 2;
const ROUNDS_WHEN_FAILED = 3;

interface RoundData {
  readonly lsn: Lsn;
  readonly expected: Map<string, string | null>;
  readonly queryMs: number;
  readonly sink: Map<string, Pick<StreamRow, 'row'>> | null;
  readonly touched: Set<string>;
}

/** `deadline` (epoch ms) ends the rounds; keys that never held still by then are unstable. */
export async function compareResult(deps: Deps, folds: FoldCache, ref: MigrationRef, deadline: number, heartbeat: () => void): Promise<SubjectResult[]> {
  const { batch, pipeline, sink } = ref.spec.spec;
  if (!batch || !pipeline) return [];
  const subjects = ['result', ...(sink ? ['result@sink'] : [])];
  const started = Date.now();
  const client = await openSource(ref.spec, deps.secret);
  const side = await openSource(ref.spec, deps.secret).catch(async (error: unknown) => {
    await client.end().catch(() => undefined);
    throw error;
  });
  try {
    const columns = columnsToCompare(ref.spec, await describeQuery(client, batch.query.sql), batch.result.key, null);
    const shape: Shape = { key: batch.result.key, columns };
    const fold = folds.output(ref, pipeline.output.topic, shape);
    const topicSide = new SettledComparison(shape);
    const sinkSide = new SettledComparison(shape);
    const isOpen = (): boolean => {
      if (topicSide.rounds < MIN_ROUNDS) return true;
      if (topicSide.openKeys + sinkSide.openKeys === 0 || Date.now() >= deadline) return false;
      return !(topicSide.hasDifferences && topicSide.rounds >= ROUNDS_WHEN_FAILED);
    };
    let last: RoundData | undefined;
    while (!last || isOpen()) {
      const started = Date.now();
      const round: RoundData | string = await takeRound(deps, ref, client, side, shape, fold, heartbeat);
      if (typeof round === 'string') {
        return subjects.map((s) => unmeasured(s, 'settled', { verdict: 'inconclusive', reason: round }, null, Date.now() - started));
      }
      topicSide.add({ expected: round.expected, actual: fold.rows, touched: round.touched });
      if (round.sink) sinkSide.add({ expected: round.expected, actual: round.sink, touched: round.touched });
      last = round;
      const rest = 2 * round.queryMs - (Date.now() - started); // the query takes at most half of the time
      if (rest > 0 && isOpen()) await pause(rest, { round: topicSide.rounds, open: topicSide.openKeys });
    }
    const sample = [...last.expected].filter((entry): entry is [string, string] => entry[1] !== null).slice(0, 8);
    return subjects.map((subject) => judge(subject, subject === 'result' ? topicSide : sinkSide, shape, sample, fold.unreadable, last, Date.now() - started));
  } finally {
    await Promise.all([client.end().catch(() => undefined), side.end().catch(() => undefined)]);
  }
}

function judge(
  subject: string,
  side: SettledComparison,
  shape: Shape,
  sample: [string, string][],
  unreadable: number,
  last: RoundData,
  durationMs: number,
): SubjectResult {
  const settled = side.counts();
  const counts = { ...settled, unknown: settled.unknown + (subject === 'result' ? unreadable : 0) };
  const canary = runCanary(shape, sample);
  const barrier = comparedOf(counts) === 0 ? 'compared 0 keys < 1 required: two empty sides prove nothing' : null;
  const verdict = assessComparison(counts, {
    barrier,
    countedRows: last.expected.size,
    readRows: last.expected.size,
    canaryPlanted: canary.planted,
    canaryFound: canary.found,
  });
  return measured(subject, 'settled', verdict, counts, side.report(), last.lsn, durationMs);
}

/** One round: the query in a snapshot and, beside it, a barrier behind that snapshot through the whole path; then both stream sides. A string = no proof. */
async function takeRound(
  deps: Deps,
  ref: MigrationRef,
  client: SourceClient,
  side: SourceClient,
  shape: Shape,
  fold: OutputFold,
  heartbeat: () => void,
): Promise<RoundData | string> {
  const kafka = deps.systems.kafka(ref.spec);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('SELECT pg_current_snapshot()'); // fixes the snapshot before the position is taken
  const lsn = await insertLsn(side);
  const [query, barrier] = await Promise.allSettled([runQuery(ref, client, shape, heartbeat), passBarrier(kafka, ref, side, lsn)]);
  await client.query('COMMIT');
  if (query.status === 'rejected') throw query.reason;
  if (barrier.status === 'rejected') throw barrier.reason;
  if (barrier.value) return barrier.value;
  const sink = ref.spec.spec.sink ? await readSink(side, ref.spec.spec.sink.table, shape, heartbeat) : null;
  // After the sink was read: a record that reached the sink meanwhile must count as touched.
  const touched = await foldOutput(kafka, ref.spec.spec.pipeline!.output.topic, fold, heartbeat);
  return { lsn, ...query.value, sink, touched };
}

async function passBarrier(kafka: KafkaPort, ref: MigrationRef, side: SourceClient, lsn: Lsn): Promise<string | null> {
  const limit = Date.now() + BARRIER_LIMIT_MS;
  await emitMarker(side, ref, 'round');
  return (await connectorAcknowledged(side, ref, lsn, limit)) ?? (await pipelineDrained(kafka, ref, limit)) ?? (await sinkDrained(kafka, ref, limit));
}

async function runQuery(ref: MigrationRef, client: SourceClient, shape: Shape, heartbeat: () => void): Promise<Pick<RoundData, 'expected' | 'queryMs'>> {
  const started = Date.now();
  const expected = new Map<string, string | null>();
  const from = `(${stripSemicolon(ref.spec.spec.batch!.query.sql)}) AS sluice_batch`;
  const read = await readRows(client, from, shape, { rowsPerSecond: 0, heartbeat }, (key, row) => expected.set(key, row));
  if (read !== expected.size) {
    throw new Problem('unsupported', `batch.query returned ${read} rows for ${expected.size} keys: (${shape.key.join(', ')}) is not a key of it`);
  }
  return { expected, queryMs: Date.now() - started };
}

async function readSink(client: SourceClient, table: string, shape: Shape, heartbeat: () => void): Promise<Map<string, Pick<StreamRow, 'row'>>> {
  const rows = new Map<string, Pick<StreamRow, 'row'>>();
  await readRows(client, qualified(parseTableName(table)), shape, { rowsPerSecond: 0, heartbeat }, (key, row) => rows.set(key, { row }));
  return rows;
}
