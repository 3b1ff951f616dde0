// Settled mode: the batch's query, re-run in each round's snapshot, against the output topic and against the sink's table.
import { openSource, transaction, type SourceClient } from '../../clients/source.js';
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
const ROUND_PAUSE_MS = 150;

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
  try {
    const shape: Shape = { key: batch.result.key, columns: columnsToCompare(ref.spec, await describeQuery(client, batch.query.sql), batch.result.key, null) };
    const fold = folds.output(ref, pipeline.output.topic, shape);
    const topicSide = new SettledComparison(shape);
    const sinkSide = new SettledComparison(shape);
    let last: RoundData | undefined;
    while (last === undefined || topicSide.rounds < 2 || ((topicSide.openKeys > 0 || sinkSide.openKeys > 0) && Date.now() < deadline)) {
      if (last) await pause(Math.max(ROUND_PAUSE_MS, last.queryMs), { round: topicSide.rounds, open: topicSide.openKeys }); // the query takes at most half of the time
      const round = await takeRound(deps, ref, client, shape, fold, heartbeat);
      if (typeof round === 'string') return subjects.map((s) => unmeasured(s, 'settled', { verdict: 'inconclusive', reason: round }, null, Date.now() - started));
      topicSide.add({ expected: round.expected, actual: fold.rows, touched: round.touched });
      if (round.sink) sinkSide.add({ expected: round.expected, actual: round.sink, touched: round.touched });
      last = round;
    }
    const sample = [...last.expected].filter((entry): entry is [string, string] => entry[1] !== null).slice(0, 8);
    return subjects.map((subject) => judge(subject, subject === 'result' ? topicSide : sinkSide, shape, sample, fold.unreadable, last!, Date.now() - started));
  } finally {
    await client.end().catch(() => undefined);
  }
}

function judge(subject: string, side: SettledComparison, shape: Shape, sample: [string, string][], unreadable: number, last: RoundData, durationMs: number): SubjectResult {
  const settled = side.counts();
  const counts = { ...settled, unknown: settled.unknown + (subject === 'result' ? unreadable : 0) };
  const canary = runCanary(shape, sample);
  const barrier = comparedOf(counts) === 0 ? 'compared 0 keys < 1 required: two empty sides prove nothing' : null;
  const verdict = assessComparison(counts, { barrier, countedRows: last.expected.size, readRows: last.expected.size, canaryPlanted: canary.planted, canaryFound: canary.found });
  return measured(subject, 'settled', verdict, counts, side.report(), last.lsn, durationMs);
}

/** One round: query in a snapshot, barrier behind it through the whole path, then both stream sides. A string = why the barrier was not proven. */
async function takeRound(deps: Deps, ref: MigrationRef, client: SourceClient, shape: Shape, fold: OutputFold, heartbeat: () => void): Promise<RoundData | string> {
  const kafka = deps.systems.kafka(ref.spec);
  const { lsn, expected, queryMs } = await queryInSnapshot(ref, client, shape, heartbeat);
  const limit = Date.now() + BARRIER_LIMIT_MS;
  await emitMarker(client, ref, 'round');
  const unproven = (await connectorAcknowledged(client, ref, lsn, limit)) ?? (await pipelineDrained(kafka, ref, limit)) ?? (await sinkDrained(kafka, ref, limit));
  if (unproven) return unproven;
  const sink = ref.spec.spec.sink ? await readSink(client, ref.spec.spec.sink.table, shape, heartbeat) : null;
  // After the sink was read: a record that reached the sink meanwhile must count as touched.
  const touched = await touchedKeys(kafka, ref, fold, heartbeat);
  return { lsn, expected, queryMs, sink, touched };
}

async function touchedKeys(kafka: KafkaPort, ref: MigrationRef, fold: OutputFold, heartbeat: () => void): Promise<Set<string>> {
  return foldOutput(kafka, ref.spec.spec.pipeline!.output.topic, fold, heartbeat);
}

async function queryInSnapshot(ref: MigrationRef, client: SourceClient, shape: Shape, heartbeat: () => void): Promise<Pick<RoundData, 'lsn' | 'expected' | 'queryMs'>> {
  return transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
    await client.query('SELECT pg_current_snapshot()'); // fixes the snapshot before the position is taken
    const lsn = await insertLsn(client);
    const started = Date.now();
    const expected = new Map<string, string | null>();
    const from = `(${stripSemicolon(ref.spec.spec.batch!.query.sql)}) AS sluice_batch`;
    const read = await readRows(client, from, shape, { rowsPerSecond: 0, heartbeat }, (key, row) => expected.set(key, row));
    if (read !== expected.size) throw new Problem('unsupported', `batch.query returned ${read} rows for ${expected.size} keys: (${shape.key.join(', ')}) is not a key of it`);
    return { lsn, expected, queryMs: Date.now() - started };
  });
}

async function readSink(client: SourceClient, table: string, shape: Shape, heartbeat: () => void): Promise<Map<string, Pick<StreamRow, 'row'>>> {
  const rows = new Map<string, Pick<StreamRow, 'row'>>();
  await readRows(client, qualified(parseTableName(table)), shape, { rowsPerSecond: 0, heartbeat }, (key, row) => rows.set(key, { row }));
  return rows;
}
