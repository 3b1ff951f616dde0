// Runs a query as of a still point, at which the pipeline has processed its whole input. Passes the
// hashes of the query's rows to the caller.
import type { TakeHashed } from '../../../../compare/hashed-rows.js';
import { runResultCanary } from '../../../../compare/result-canary.js';
import { because, ok, type OrReason } from '../../../../domain/values/or-reason.js';
import { codeOf } from '../../../../domain/values/sqlstate.js';
import type { ConnectedSession } from '../../session.js';
import { CANARY_ROWS } from '../../tables/table-by-hash.js';
import type { ComparedQuery } from '../compared-queries.js';
import { copyHashed } from '../copied-rows.js';
import { countAgain, fromQuery } from '../read-sides.js';
import type { QuerySide } from './examine-side-suspects.js';

const QUERY_CANCELED = '57014'; // SQLSTATE

/**
 * Calls `run`, which runs a query. Sluice has rewritten this query, so that sub-queries replace
 * its tables. The rewritten query may be slower than the original one. If Postgres cancels it at
 * the time limit, this function returns the reason. The window then compares in settled rounds.
 */
export async function unlessCanceled<T>(run: () => Promise<T>): Promise<OrReason<T>> {
  try {
    return ok(await run());
  } catch (error) {
    if (codeOf(error) !== QUERY_CANCELED) throw error;
    return because(`the query as of the still point was cancelled: ${(error as Error).message}`);
  }
}

/**
 * Runs the query. If the query is quick, runs it again to count its rows. Returns a reason if
 * Postgres cancels the query.
 */
export async function runQuery(
  { reader, heartbeat }: ConnectedSession,
  { shape }: ComparedQuery,
  sql: string,
  take: TakeHashed,
): Promise<OrReason<QuerySide>> {
  const sample: Uint8Array[] = [];
  const from = fromQuery(sql);
  const started = Date.now();
  const counted = await unlessCanceled(async () => {
    const readRows = await copyHashed(reader, from, shape, heartbeat, (key, high, low, row) => {
      take(key, high, low, row);
      if (sample.length < CANARY_ROWS && (high !== 0 || low !== 0))
        sample.push(Uint8Array.from(row()));
    });
    return { readRows, countedRows: await countAgain(reader, from, started) };
  });
  return counted.ok
    ? ok({ counted: counted.value, canary: runResultCanary(shape, sample) })
    : counted;
}
