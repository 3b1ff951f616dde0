// Compares results exactly: all queries run as of one still point. At a still point, the pipeline
// has processed its whole input, and nothing new arrives. Every key of the output, the stages and
// the sink is compared once. A difference is final, because neither side can change.
import { readKeyedTable } from '../../../../clients/postgres/catalog.js';
import { standIn } from '../../../../assess/sql/stand-in.js';
import { separateTarget } from '../../../../domain/migration/databases.js';
import { tableTopic, type Relation } from '../../../../domain/migration/names.js';
import { ok, type OrReason } from '../../../../domain/values/or-reason.js';
import { BARRIER_LIMIT_MS } from '../../../../domain/capture/capture.js';
import type { ConnectedSession } from '../../session.js';
import { unmeasured, type SubjectOutcome } from '../../subject-outcome.js';
import type { ComparedQuery } from '../compared-queries.js';
import type { AlignedQuery } from '../../../checks/queries/align-query.js';
import { alignQueries } from '../../../checks/queries/align-queries.js';
import { comeClose, gapProblem, slowness } from './before-pause.js';
import { gapRows, type GapTable } from './gap-rows.js';
import { sidesByHash } from './result-by-hash.js';
import { needsRows, sidesByRow } from './result-by-row.js';
import { exactOutcome } from './exact-outcome.js';
import { takeStillPoint, type StillPoint } from './still-point.js';

export type ComparedExactly =
  | { readonly subjects: SubjectOutcome[]; readonly pathMs: number | null }
  /** The reason why nothing was compared. The caller then compares in rounds. */
  | { readonly settledBecause: string };

/**
 * Compares every query at one still point. The session's connection `reader` MUST NOT be in a
 * transaction, and is not in one afterwards.
 */
export async function compareExactly(
  session: ConnectedSession,
  comparedQueries: readonly ComparedQuery[],
): Promise<ComparedExactly> {
  const started = Date.now();
  const preparing = await prepare(session, comparedQueries);
  if (!preparing.ok) return { settledBecause: preparing.reason };
  const prepared = preparing.value;
  const close = await comeClose(session);
  if (!close.ok) return notCompared(comparedQueries, close.reason, started);
  const pathMs = close.value;
  const tooFar =
    (await gapProblem(session, tablesRead(session.plan.tables, prepared))) ??
    (await slowness(session, pathMs));
  if (tooFar !== null) return { settledBecause: tooFar };
  const topics = comparedQueries.map(({ topic }) => topic);
  const point = await takeStillPoint(session, topics);
  if ('why' in point) {
    const reason = `no still point: ${point.why}`;
    // Without a pause or a fence, the connector itself may write new records into the tables'
    // topics. During a pause or under a fence, something else must have written them.
    if (point.moved !== 'input' || session.still === 'unpaused') return { settledBecause: reason };
    const guess = 'something other than the connector may be writing into the topic';
    return notCompared(comparedQueries, `${reason}; ${guess}`, started);
  }
  try {
    const unproven = await point.mark.reached(Date.now() + BARRIER_LIMIT_MS);
    if (unproven) return notCompared(comparedQueries, unproven, started);
    const compared = await compareAt(session, prepared, point, started);
    if (!compared.ok) return { settledBecause: compared.reason };
    return { subjects: compared.value, pathMs };
  } finally {
    await point.sink?.end().catch(() => undefined);
    await session.reader.query('ROLLBACK').catch(() => undefined);
  }
}

function notCompared(
  comparedQueries: readonly ComparedQuery[],
  reason: string,
  started: number,
): ComparedExactly {
  const verdict = { verdict: 'inconclusive', reason } as const;
  const tookMs = Date.now() - started;
  const subjects = comparedQueries.flatMap(({ subject, sink }) =>
    sink ? [subject, `${subject}@sink`] : [subject],
  );
  return {
    subjects: subjects.map((name) => unmeasured(name, 'exact', verdict, null, tookMs)),
    pathMs: null,
  };
}

export interface Prepared {
  readonly comparedQuery: ComparedQuery;
  readonly query: AlignedQuery;
}

/** Aligns every query. If a query cannot be aligned, returns a reason that names the query. */
export async function prepare(
  { reader, plan }: ConnectedSession,
  comparedQueries: readonly ComparedQuery[],
): Promise<OrReason<Prepared[]>> {
  const aligned = await alignQueries(reader, plan, comparedQueries);
  if (!aligned.ok) return aligned;
  const queries = aligned.value;
  return ok(comparedQueries.map((comparedQuery, at) => ({ comparedQuery, query: queries[at]! })));
}

/** Returns the captured tables that the queries read. */
function tablesRead(tables: readonly Relation[], prepared: readonly Prepared[]): Relation[] {
  return tables.filter(({ sql }) => prepared.some(({ query }) => query.tables.has(sql)));
}

/**
 * Compares everything at the still point. Returns a reason if the queries cannot be run as of that
 * point.
 */
export async function compareAt(
  session: ConnectedSession,
  prepared: readonly Prepared[],
  point: StillPoint,
  started: number,
): Promise<OrReason<SubjectOutcome[]>> {
  const gaps = await gapsOf(session, prepared, point);
  if (!gaps.ok) return gaps;
  const { standIns, aligned } = gaps.value;
  const sinkIn = separateTarget(session.plan);
  const subjects: SubjectOutcome[] = [];
  for (const { comparedQuery, query } of prepared) {
    const sql = query.rewrite((table) => standIns.get(table) ?? null);
    const compare = needsRows(session, comparedQuery) ? sidesByRow : sidesByHash;
    const sides = await compare(session, comparedQuery, sql, point);
    if (!sides.ok) return sides;
    for (const side of sides.value)
      subjects.push(exactOutcome(comparedQuery, { point, aligned, started, sinkIn }, side));
  }
  return ok(subjects);
}

interface Gaps {
  /** The stand-in of each table, by the table's quoted name. Null if the table is not replaced. */
  readonly standIns: ReadonlyMap<string, string | null>;
  /** The number of rows in each table's gap. */
  readonly aligned: Readonly<Record<string, number>>;
}

/** Reads the gap of each table that a query reads. Returns the reason if a gap cannot be known. */
async function gapsOf(
  session: ConnectedSession,
  prepared: readonly Prepared[],
  point: StillPoint,
): Promise<OrReason<Gaps>> {
  const standIns = new Map<string, string | null>();
  const aligned: Record<string, number> = {};
  for (const table of tablesRead(session.plan.tables, prepared)) {
    const described = await describeTable(session, table);
    const ends = point.ends.get(described.topic)!;
    const rows = await gapRows(session, described, { ends, snapshot: point.snapshot });
    if (!rows.ok) return rows;
    standIns.set(table.sql, standIn(described.standIn, rows.value));
    aligned[table.text] = rows.value.length;
  }
  return ok({ standIns, aligned });
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
