// Compares a result by whole rows at a still point, which needs a lot of memory. A window does this
// in two cases only. In the first case, it also compares the stored result of the batch. In the
// second case, a column has a tolerance, and very many row hashes differ.
import { runCanary } from '../../../../compare/canary.js';
import { Comparison, type StreamRow } from '../../../../compare/row-comparison.js';
import { refusedDifferences } from '../../../../compare/refused.js';
import type { ConnectedSession } from '../../session.js';
import type { ComparedQuery } from '../compared-queries.js';
import { readOutput, runQueries, sinkRows, type QueryRead } from '../read-sides.js';
import { ok, type OrReason } from '../../../../domain/values/or-reason.js';
import type { ExactSide } from './exact-outcome.js';
import { unlessCanceled } from './run-query.js';
import type { StillPoint } from './still-point.js';

const SAMPLE = 8;

/**
 * Returns true if the window needs the values of every row, because it also compares the stored
 * result of the batch.
 */
export const needsRows = (
  { plan }: Pick<ConnectedSession, 'plan'>,
  { subject }: ComparedQuery,
): boolean => subject === 'result' && plan.spec.validation.closedKeys !== '';

/**
 * Compares the topic of a query, and the sink's table if there is one, with the rows that `sql`
 * returns.
 */
export async function sidesByRow(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  sql: string,
  point: StillPoint,
): Promise<OrReason<ExactSide[]>> {
  const { reader, folds, heartbeat } = session;
  const { topic, sink, shape, fold, subject } = comparedQuery;
  const ran = await unlessCanceled(() => runQueries(reader, [{ subject, shape, sql }], heartbeat));
  if (!ran.ok) return ran;
  const expected = ran.value.read[0]!;
  comparedQuery.taken = { ...expected, lsn: point.mark.lsn };
  await readOutput(session, comparedQuery, point.outputs.get(topic));
  const counted = { countedRows: expected.counted, readRows: expected.expected.size };
  const compare = (rows: ReadonlyMap<string, StreamRow>): ComparedRows =>
    compareRows(comparedQuery, expected, rows, folds.nextMark());
  const { unreadable } = fold;
  const refused = { unreadable, differences: refusedDifferences(shape, fold.refused) };
  const sides: ExactSide[] = [{ ...compare(fold.rows), isSink: false, counted, refused }];
  if (!sink || !point.sink) return ok(sides);
  const stored = await sinkRows(point.sink, sink.table, shape, heartbeat);
  const { rows, counted: countedRows } = stored;
  sides.push({ ...compare(rows), isSink: true, counted: countedRows, refused: null });
  return ok(sides);
}

type ComparedRows = Pick<ExactSide, 'rows' | 'counts' | 'differences' | 'canary'>;

function compareRows(
  { shape }: ComparedQuery,
  { expected }: QueryRead,
  rows: ReadonlyMap<string, StreamRow>,
  mark: number,
): ComparedRows {
  const comparison = new Comparison(shape, rows, mark);
  const sample: [string, string][] = [];
  for (const [key, row] of expected) {
    comparison.add(key, row);
    if (row !== null && sample.length < SAMPLE) sample.push([key, row]);
  }
  return { rows: expected.size, ...comparison.finish(), canary: runCanary(shape, sample) };
}
