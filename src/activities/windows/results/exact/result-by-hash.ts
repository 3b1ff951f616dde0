// Compares a result by row hashes. Each row of the query is compared when it arrives. For rows that
// the hashes do not prove equal, the raw rows of both sides are compared.
import { KeyTable } from '../../../../compare/enc/key-table.js';
import { ResultComparison, limitsFor } from '../../../../compare/result-comparison.js';
import { TooManySuspects } from '../../../../compare/examine-suspects.js';
import { Outgrown, KeyTableMemory } from '../../../../compare/key-table-memory.js';
import { ok, type OrReason } from '../../../../domain/values/or-reason.js';
import type { ConnectedSession } from '../../session.js';
import type { ComparedQuery } from '../compared-queries.js';
import { sidesByParts } from './result-on-disk.js';
import { sidesByRow } from './result-by-row.js';
import { examinedSide, type HashedSide } from './examine-side-suspects.js';
import type { ExactSide } from './exact-outcome.js';
import { readSinkSide, readTopicSide, sinkTableOf } from './read-hashed-side.js';
import type { StillPoint } from './still-point.js';
import { runQuery } from './run-query.js';

/**
 * Compares the topic of a query, and the sink's table if there is one, with the rows that `sql`
 * returns. If a column has a tolerance and very many row hashes differ, compares whole rows
 * instead.
 */
export async function sidesByHash(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  sql: string,
  point: StillPoint,
): Promise<OrReason<ExactSide[]>> {
  try {
    return await sidesInSomeParts(session, comparedQuery, sql, point);
  } catch (error) {
    if (!(error instanceof TooManySuspects)) throw error;
    return sidesByRow(session, comparedQuery, sql, point);
  }
}

/** Compares in memory or, if the keys do not fit in memory, in parts on disk. */
async function sidesInSomeParts(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  sql: string,
  point: StillPoint,
): Promise<OrReason<ExactSide[]>> {
  const { folds, ref } = session;
  const { topic, shape } = comparedQuery;
  if (!folds.isOutgrown(ref, topic, shape)) {
    try {
      return await sidesInMemory(session, comparedQuery, sql, point);
    } catch (error) {
      if (!(error instanceof Outgrown)) throw error;
      folds.outgrew(ref, topic, shape);
    }
  }
  return sidesByParts(session, comparedQuery, sql, point);
}

interface SideInMemory extends HashedSide {
  readonly table: KeyTable;
}

async function sidesInMemory(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  sql: string,
  point: StillPoint,
): Promise<OrReason<ExactSide[]>> {
  const { folds, ref } = session;
  const memory = new KeyTableMemory(folds.roomFor(ref, comparedQuery.topic, comparedQuery.shape));
  const sides = [await topicSide(session, comparedQuery, point, memory)];
  const sink = await sinkSide(session, comparedQuery, point, memory);
  if (sink) sides.push(sink);
  const limits = limitsFor(comparedQuery.shape);
  const compared = sides.map(({ table }) => new ResultComparison(table, limits, memory));
  const ran = await runQuery(session, comparedQuery, sql, (key, high, low, row) => {
    for (const comparison of compared) comparison.judge(key, high, low, row);
  });
  if (!ran.ok) return ran;
  const examined: ExactSide[] = [];
  for (const [at, side] of sides.entries()) {
    const comparison = compared[at]!;
    const found = { ...comparison.finish(), prove: comparison.prove.bind(comparison) };
    examined.push(await examinedSide(comparedQuery, ran.value, side, found));
  }
  return ok(examined);
}

async function topicSide(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  point: StillPoint,
  memory: KeyTableMemory,
): Promise<SideInMemory> {
  const fold = session.folds.outputHashes(session.ref, comparedQuery.topic, comparedQuery.shape);
  fold.limitTo(memory);
  return { table: fold.table, ...(await readTopicSide(session, comparedQuery, point, fold)) };
}

async function sinkSide(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  point: StillPoint,
  memory: KeyTableMemory,
): Promise<SideInMemory | null> {
  const sink = sinkTableOf(comparedQuery, point);
  if (!sink) return null;
  const table = new KeyTable(4);
  const side = await readSinkSide(session, comparedQuery, sink, (key, high, low) =>
    memory.set(table, key, high, low),
  );
  return { table, ...side };
}
