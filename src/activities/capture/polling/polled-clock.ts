// Finds rows whose time is far ahead of the database's clock. A connector that polls by time reads
// such a row only when the clock has reached its time.
import type pg from 'pg';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { cursorOf, polledFrom } from '../../../connectors/jdbc-source.js';
import type { Capture } from '../../../domain/migration/names.js';
import { looksAtTimes, type Polling } from '../../../domain/capture/polling-settings.js';

/**
 * A barrier waits for rows that are at most this far ahead of the database's clock. The clocks of
 * writers may differ a little. Without this limit, one row from the year 2099 would hold up every
 * barrier.
 */
const CLOCK_SKEW_S = 15;

/**
 * Returns the SQL condition for rows that a barrier may wait for. Times without a zone are compared
 * with UTC, the time zone of Sluice's sessions.
 */
export const isNotAhead = (time: string): string =>
  `${time} <= clock_timestamp() + interval '${CLOCK_SKEW_S} seconds'`;

/**
 * Describes the rows that are too far ahead for a barrier to wait for them. Returns null if there
 * are no such rows with a finite time, or if the polling mode uses no timestamp column.
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
  return `${row['n']} rows of ${capture.subject} have ${time} ahead of the database's clock (up to ${row['furthest']}). The connector reads a row only when the clock has reached its time`;
}
