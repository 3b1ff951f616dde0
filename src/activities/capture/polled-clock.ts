// Rows whose time lies ahead of the database's clock: a connector that polls by time reads them
// only when that time has come.
import type pg from 'pg';
import { readLone } from '../../clients/postgres/lone-sql.js';
import { cursorOf, polledFrom } from '../../connectors/jdbc-source.js';
import type { Capture } from '../../domain/migration/names.js';
import { looksAtTimes, type Polling } from '../../domain/migration/polling.js';

/**
 * A barrier waits for rows that are no further ahead: the writers' clocks differ by less. One row
 * of the year 2099 must not hold up every barrier.
 */
const CLOCK_SKEW_S = 15;

/**
 * Condition for rows that a barrier may wait for. Times without a zone are compared in UTC, the
 * zone of our sessions.
 */
export const isNotAhead = (time: string): string =>
  `${time} <= clock_timestamp() + interval '${CLOCK_SKEW_S} seconds'`;

/**
 * Describes rows that are further ahead. Returns null if there are none, or if this mode uses no
 * time.
 */
export async function rowsAhead(
  client: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<string | null> {
  if (!looksAtTimes(polling.mode)) return null;
  const time = cursorOf(polling);
  const from = polledFrom(polling, capture);
  const [row] = await readLone(
    client,
    `SELECT count(*) AS n, max(${time})::text AS furthest FROM ${from} WHERE isfinite(${time}) AND NOT (${isNotAhead(time)})`,
  );
  if (!row || row['n'] === '0') return null;
  return `${row['n']} rows of ${capture.subject} have ${time} ahead of the database's clock (up to ${row['furthest']}): the connector reads a row only when its time has come`;
}
