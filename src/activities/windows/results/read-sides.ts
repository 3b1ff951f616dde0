// Reads the sides of a compared query: the query itself, its topic, and the sink's table.
import { TopicLost } from '../../../clients/kafka/kafka.js';
import { transaction, type SourceClient } from '../../../clients/postgres/connection.js';
import type { OutputHashes } from '../../../compare/output-hashes.js';
import type { Shape, StreamRow } from '../../../compare/row-comparison.js';
import { Problem } from '../../../domain/failure.js';
import { parseTableName, qualified } from '../../../domain/migration/names.js';
import { stripSemicolon } from '../../../domain/values/strip-semicolon.js';
import { readRows } from '../canonical-rows.js';
import { foldHashes, foldOutput } from '../folds/fold-output.js';
import type { TopicEnds } from '../folds/fold-table.js';
import type { ConnectedSession } from '../session.js';
import type { ComparedQuery, SideCounted } from './compared-queries.js';

/**
 * A query that takes longer than this is not run again to count its rows. The evidence then
 * contains no count.
 */
const COUNTED_QUERY_MS = 5000;

/**
 * Reads the topic of a query as whole rows, up to `ends`. Without `ends`, reads up to the topic's
 * last stable offsets.
 */
export function readOutput(
  { kafka, heartbeat }: ConnectedSession,
  { topic, format, fold, isTopicOwned }: ComparedQuery,
  ends?: TopicEnds,
): Promise<Set<string>> {
  return foldOutput({ kafka, topic, format, heartbeat }, fold, ends).catch((error: unknown) =>
    throwLoss(error, isTopicOwned),
  );
}

/** Reads the topic of a query as hashes, up to the same offsets as `readOutput`. */
export function readHashes(
  { kafka, heartbeat }: ConnectedSession,
  { topic, format, isTopicOwned }: ComparedQuery,
  fold: OutputHashes,
  ends: TopicEnds | undefined,
): Promise<void> {
  return foldHashes({ kafka, topic, format, heartbeat }, fold, ends).catch((error: unknown) =>
    throwLoss(error, isTopicOwned),
  );
}

/**
 * Throws Problem `unreachable` if a stage's topic was created again or lost records. The next
 * window then reads the topic from its beginning. Throws any other error unchanged, such as the
 * loss of a topic that Sluice created.
 */
function throwLoss(error: unknown, isTopicOwned: boolean): never {
  throw !isTopicOwned && error instanceof TopicLost
    ? new Problem('unreachable', error.message)
    : error;
}

export interface QueryRead {
  /** The rows by key. Null stands for a row that cannot be decoded. */
  readonly expected: ReadonlyMap<string, string | null>;
  /**
   * The number of rows in a second run in the same snapshot. Null if the query takes too long to
   * run twice.
   */
  readonly counted: number | null;
}

/** Runs each query. Also returns `endedAt`, the time (epoch ms) at which the last query ended. */
export async function runQueries(
  client: SourceClient,
  comparedQueries: readonly Pick<ComparedQuery, 'subject' | 'sql' | 'shape'>[],
  heartbeat: () => void,
): Promise<{ read: QueryRead[]; endedAt: number }> {
  const all: QueryRead[] = [];
  for (const { subject, sql, shape } of comparedQueries) {
    const rows = new Map<string, string | null>();
    const from = fromQuery(sql);
    const started = Date.now();
    const read = await readRows(client, from, shape, { rowsPerSecond: 0, heartbeat }, (key, row) =>
      rows.set(key, row),
    );
    refuseRepeatedKeys(queryReturned(subject), shape, read, rows.size);
    all.push({ expected: rows, counted: await countAgain(client, from, started) });
  }
  return { read: all, endedAt: Date.now() };
}

/** Returns the query of a spec as a sub-query. */
export const fromQuery = (sql: string): string => `(${stripSemicolon(sql)}\n) AS sluice_batch`;

/**
 * Returns a reason if several rows have the same key, because only one of them would be compared.
 * Otherwise returns null. `what` begins the reason, for example `the query of result returned`.
 */
export const repeatedKeys = (
  what: string,
  { key }: Shape,
  rows: number,
  keys: number,
): string | null =>
  rows === keys ? null : `${what} ${rows} rows for ${keys} keys: (${key.join(', ')}) is not unique`;

/** Throws Problem `unsupported` if several rows have the same key. */
export function refuseRepeatedKeys(...found: Parameters<typeof repeatedKeys>): void {
  const reason = repeatedKeys(...found);
  if (reason !== null) throw new Problem('unsupported', reason);
}

export const queryReturned = (subject: string): string => `the query of ${subject} returned`;
export const sinkHas = (table: string): string => `the sink's table ${table} has`;

/**
 * Counts the rows of a query that ran from `started` (epoch ms) until now. Returns null if the
 * query is too slow to run twice.
 */
export const countAgain = async (
  client: SourceClient,
  from: string,
  started: number,
): Promise<number | null> =>
  Date.now() - started <= COUNTED_QUERY_MS ? countRows(client, from) : null;

/** Takes a new snapshot and reads the sink's rows in it. */
export const readSink = (
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
 * Throws Problem `unsupported` if several rows have the same key.
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
  refuseRepeatedKeys(sinkHas(table), shape, readRowsOfIt, rows.size);
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
