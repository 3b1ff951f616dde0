// Checks the times by which polling finds new rows. The checks only read. Each row must have a
// time, in UTC, that is not far ahead of the database's clock.
import type pg from 'pg';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { cursorOf, polledFrom } from '../../../connectors/jdbc-source.js';
import { looksAtTimes, type Polling } from '../../../domain/capture/polling-settings.js';
import type { Capture } from '../../../domain/migration/names.js';
import type { Answer } from '../../runtime/make-finding.js';
import { rowsAhead } from './polled-clock.js';
import { polledShape } from './polled-shape.js';

export async function nothingWithoutTime(
  client: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<Answer> {
  if (!looksAtTimes(polling.mode)) return 'this polling mode uses no timestamp column';
  const time = cursorOf(polling);
  const from = polledFrom(polling, capture);
  const row = (
    await readLone(
      client,
      `SELECT count(*) AS n FROM ${from} WHERE ${time} IS NULL OR NOT isfinite(${time})`,
    )
  )[0]!;
  return row['n'] === '0'
    ? 'every row has a time of its last change'
    : {
        detail: `${row['n']} rows have NULL or an infinite time in ${time}, so polling would never read them`,
        remedy:
          'set the time in these rows, or add a column that always has a time to connector.timestampColumns',
      };
}

export async function nothingAhead(
  client: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<Answer> {
  const ahead = await rowsAhead(client, polling, capture);
  const remedy = `correct these times, or waive polling.future; with the waiver, windows report each of these rows as missing until the clock reaches its time`;
  return ahead === null
    ? "no row has a time that is more than 15 s ahead of the database's clock"
    : { detail: ahead, remedy };
}

/**
 * Checks that times without a zone are in UTC. If the newest row is recent, its time shows the
 * offset from UTC. Otherwise, the check passes only if the server's time zone is UTC.
 */
export async function timesAreUtc(
  client: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<Answer> {
  if (!looksAtTimes(polling.mode)) return 'this polling mode uses no timestamp column';
  const { columns } = await polledShape(client, polling, capture);
  if (columns.find((c) => c.name === polling.timestampColumns[0])?.type !== 'timestamp')
    return `the type of column ${polling.timestampColumns[0]} has a time zone`;
  const newest = `(SELECT max(${cursorOf(polling)}) FROM ${polledFrom(polling, capture)})`;
  const row = (
    await readLone(
      client,
      `SELECT extract(epoch FROM ${newest} - (clock_timestamp() AT TIME ZONE 'UTC')) AS ahead, reset_val AS zone FROM pg_settings WHERE name = 'TimeZone'`,
    )
  )[0]!;
  const ahead = row['ahead'] === null ? null : Number(row['ahead']);
  if (ahead !== null && ahead > 60)
    return {
      detail: `the newest time is ${Math.round(ahead)} s after the current time in UTC: the column holds local time, or the clock that wrote it was wrong`,
      remedy: 'use a timestamptz column, or convert the column to UTC in connector.query',
    };
  if (ahead !== null && ahead > -15 * 60)
    return `the newest time is ${Math.round(-ahead)} s before the current time in UTC`;
  const isUtc = /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i.test(row['zone'] ?? '');
  if (isUtc) return "the server's time zone is UTC";
  throw new Error(
    `the column's time zone is unknown: its type has no zone, the server's time zone is ${row['zone']}, and no row is recent enough to show the offset`,
  );
}
