// Compares results exactly: each query runs once, as of one still point. Every key of the output,
// the stages and the sink is compared once. A difference is final, because both sides are fixed.
import { readKeyedTable } from '../../../../clients/postgres/catalog.js';
import { isProvable } from '../../../../compare/column-types.js';
import { standIn } from '../../../../assess/sql/stand-in.js';
import { tableTopic, type Relation } from '../../../../domain/migration/names.js';
import { parseSnapshot } from '../../../../domain/values/position.js';
import { markSource } from '../../../capture/source-mark.js';
import { foldTable } from '../../folds/folds.js';
import { BARRIER_LIMIT_MS, type ConnectedSession } from '../../session.js';
import { unmeasured, type SubjectResult } from '../../subject-result.js';
import { boundedNow } from '../../tables/visibility.js';
import type { Computation } from '../computation.js';
import { passBarrier, readOutput, runQueries, sinkRows } from '../rounds.js';
import { alignedQuery, type AlignedQuery } from '../../../checks/aligned-query.js';
import { gapRows, type GapTable } from './gap-rows.js';
import { judgeExactly } from './judge.js';
import { takeStillPoint, type StillPoint } from './still-point.js';

/** More records than these are not searched for the gap. */
const MOST_OPEN_RECORDS = 200_000;

export type ComparedExactly =
  | { readonly subjects: SubjectResult[]; readonly pathMs: number | null }
  /** Why nothing was compared here. The caller compares in rounds instead. */
  | { readonly settledBecause: string };

/**
 * Compares every computation at one still point. The reader MUST hold no transaction, and holds
 * none afterwards.
 */
export async function compareExactly(
  session: ConnectedSession,
  computations: readonly Computation[],
): Promise<ComparedExactly> {
  const started = Date.now();
  const prepared = await prepare(session, computations);
  if (typeof prepared === 'string') return { settledBecause: prepared };
  const pathMs = await comeClose(session);
  if (typeof pathMs === 'string') return notCompared(computations, pathMs, started);
  const tooFar = await gapProblem(session, prepared);
  if (tooFar !== null) return { settledBecause: tooFar };
  const topics = computations.map(({ topic }) => topic);
  const point = await takeStillPoint(session, topics);
  if ('why' in point) {
    const reason = `no still point: ${point.why}`;
    // Without a pause, the connector itself writes into its topics.
    if (!point.isMoved || session.still === 'unpaused') return { settledBecause: reason };
    const guess = 'something other than the connector may be writing into the topic';
    return notCompared(computations, `${reason}; ${guess}`, started);
  }
  try {
    const compared = await compareAt(session, prepared, point, started);
    if (typeof compared === 'string') return notCompared(computations, compared, started);
    return { subjects: compared, pathMs };
  } finally {
    await point.sink?.end().catch(() => undefined);
    await session.reader.query('ROLLBACK').catch(() => undefined);
  }
}

function notCompared(
  computations: readonly Computation[],
  reason: string,
  started: number,
): ComparedExactly {
  const verdict = { verdict: 'inconclusive', reason } as const;
  const tookMs = Date.now() - started;
  const subjects = computations.flatMap(({ subject, sink }) =>
    sink ? [subject, `${subject}@sink`] : [subject],
  );
  return {
    subjects: subjects.map((name) => unmeasured(name, 'exact', verdict, null, tookMs)),
    pathMs: null,
  };
}

interface Prepared {
  readonly computation: Computation;
  readonly query: AlignedQuery;
}

/** Prepares every query. If one cannot be aligned, returns a string that names it and says why. */
async function prepare(
  { reader, plan }: ConnectedSession,
  computations: readonly Computation[],
): Promise<Prepared[] | string> {
  const prepared: Prepared[] = [];
  for (const computation of computations) {
    const query = await alignedQuery(reader, plan.tables, computation.sql);
    if (typeof query === 'string') return `the query of ${computation.subject}: ${query}`;
    for (const { sql, text } of plan.tables) {
      const weak = query.tables.has(sql) ? await unprovableColumn(reader, text) : null;
      if (weak) return `the query of ${computation.subject} reads ${text}, whose ${weak}`;
    }
    prepared.push({ computation, query });
  }
  return prepared;
}

/** Returns the captured tables that the queries read. */
function tablesRead(tables: readonly Relation[], prepared: readonly Prepared[]): Relation[] {
  return tables.filter(({ sql }) => prepared.some(({ query }) => query.tables.has(sql)));
}

/** Describes the first column whose values cannot be taken from records. Null if there is none. */
async function unprovableColumn(
  reader: ConnectedSession['reader'],
  table: string,
): Promise<string | null> {
  const { columns } = await readKeyedTable(reader, table);
  const found = columns.find(({ type, generated }) => generated || !isProvable(type));
  if (!found) return null;
  const why = found.generated
    ? 'is generated'
    : `has the type ${found.type}, whose values cannot be proven`;
  return `column ${found.name} ${why}`;
}

/**
 * Lets the pipeline catch up before anything is paused, so that little is left to do. The folds of
 * the tables get a recent snapshot. Returns the milliseconds that the barrier took, or a string
 * with the reason why it is not proven.
 */
async function comeClose(session: ConnectedSession): Promise<number | string> {
  const { deps, kafka, ref, reader, side, folds, plan, heartbeat } = session;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const { rows } = await reader.query<Record<string, string>>(
      'SELECT pg_current_snapshot() AS snapshot',
    );
    const mark = await markSource(deps, session, { snapshot: reader, side, token: 'come close' });
    const pathMs = await passBarrier(kafka, plan, mark);
    for (const { topic } of plan.captures) {
      const fold = folds.ofTable(ref, topic);
      if (!fold) continue;
      const ends = await kafka.offsets(topic);
      const snapshot = await boundedNow(side, parseSnapshot(rows[0]!['snapshot']!));
      await foldTable({ kafka, topic, heartbeat }, fold, ends, snapshot);
    }
    return pathMs;
  } finally {
    await reader.query('ROLLBACK');
  }
}

/**
 * The gap is read from the position up to which every transaction is seen, and its rows are held in
 * memory. Returns why that would be too much, or null.
 */
async function gapProblem(
  { kafka, ref, plan, folds }: ConnectedSession,
  prepared: readonly Prepared[],
): Promise<string | null> {
  for (const table of tablesRead(plan.tables, prepared)) {
    const topic = tableTopic(plan.names.topicPrefix, table);
    const fold = folds.ofTable(ref, topic);
    const open = (await kafka.offsets(topic)).reduce(
      (sum, { partition, low, committed }) =>
        sum + committed - Math.max(low, fold?.settledUpTo(partition) ?? 0),
      0,
    );
    if (open > MOST_OPEN_RECORDS)
      return `${open} records of ${table.text} may belong to the gap > ${MOST_OPEN_RECORDS} allowed`;
  }
  return null;
}

async function compareAt(
  session: ConnectedSession,
  prepared: readonly Prepared[],
  point: StillPoint,
  started: number,
): Promise<SubjectResult[] | string> {
  const { reader, folds, heartbeat } = session;
  const unproven = await point.mark.reached(Date.now() + BARRIER_LIMIT_MS);
  if (unproven) return unproven;
  const gaps = await gapsOf(session, prepared, point);
  if (typeof gaps === 'string') return gaps;
  const { standIns, aligned } = gaps;
  const { read } = await runQueries(
    reader,
    prepared.map(({ computation: { subject, shape }, query }) => ({
      subject,
      shape,
      sql: query.rewrite((table) => standIns.get(table) ?? null),
    })),
    heartbeat,
  );
  const subjects: SubjectResult[] = [];
  for (const [at, { computation }] of prepared.entries()) {
    const { topic, sink, shape } = computation;
    const expected = read[at]!;
    computation.taken = { ...expected, lsn: point.mark.lsn };
    await readOutput(session, computation, point.outputs.get(topic));
    const taken = { expected, point, aligned, started };
    subjects.push(judgeExactly(computation, { ...taken, mark: folds.nextMark() }));
    if (!sink || !point.sink) continue;
    const rows = await sinkRows(point.sink, sink.table, shape, heartbeat);
    subjects.push(judgeExactly(computation, { ...taken, mark: folds.nextMark() }, rows));
  }
  return subjects;
}

interface Gaps {
  /** The sub-query that replaces each table, by the table's quoted name. Null replaces nothing. */
  readonly standIns: ReadonlyMap<string, string | null>;
  /** The number of rows in the gap, by table. */
  readonly aligned: Readonly<Record<string, number>>;
}

/**
 * Reads the gap of each table that a query reads. Returns the reason as a string if one is unknown.
 */
async function gapsOf(
  session: ConnectedSession,
  prepared: readonly Prepared[],
  point: StillPoint,
): Promise<Gaps | string> {
  const standIns = new Map<string, string | null>();
  const aligned: Record<string, number> = {};
  for (const table of tablesRead(session.plan.tables, prepared)) {
    const described = await describeTable(session, table);
    const ends = point.ends.get(described.topic)!;
    const rows = await gapRows(session, described, { ends, snapshot: point.snapshot });
    if (typeof rows === 'string') return rows;
    standIns.set(table.sql, standIn(described.standIn, rows));
    aligned[table.text] = rows.length;
  }
  return { standIns, aligned };
}

async function describeTable(
  { reader, plan }: ConnectedSession,
  table: Relation,
): Promise<GapTable> {
  const catalog = await readKeyedTable(reader, table.text);
  const columns = catalog.columns.map(({ name, type }) => ({ name, type }));
  return {
    topic: tableTopic(plan.names.topicPrefix, catalog.name),
    shape: { key: catalog.key, columns },
    standIn: { sql: table.sql, columns: columns.map(({ name }) => name), key: catalog.key },
  };
}
