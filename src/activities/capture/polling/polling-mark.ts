// Marks the current position of polled tables, and waits until their connectors have read up to
// that position. P2 is the name of this part of the drain proof (docs/explanation/cutover.md).
import type pg from 'pg';
import type { ConnectControl } from '../../../clients/http/connect-control.js';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { cursorOf, polledFrom } from '../../../connectors/jdbc-source.js';
import type { PollingPlan } from '../../../domain/capture/capture.js';
import { quoteIdent, type Capture } from '../../../domain/migration/names.js';
import {
  describeCursor,
  hasReached,
  looksAtIds,
  looksAtTimes,
  type Cursor,
  type Polling,
} from '../../../domain/capture/polling-settings.js';
import { insertLsn } from '../../../clients/postgres/wal-position.js';
import { parseSnapshot, seesAll } from '../../../domain/values/position.js';
import type { Deps } from '../../runtime/deps.js';
import { pollUntil } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { MarkAt, SourceMark } from '../capture-adapter.js';
import { isNotAhead } from './polled-clock.js';

const POLL_MS = 150;

/**
 * Reads the time or the id (or both) of the newest row of each table. In mode bulk, reads the
 * current snapshot instead. The mark's `reached` compares this with what the table's connector has
 * stored.
 */
export async function markPolled(
  { systems }: Pick<Deps, 'systems'>,
  { plan }: Planned,
  { snapshot, side }: MarkAt,
  { polling }: PollingPlan,
): Promise<SourceMark> {
  const rest = systems.connect(plan);
  const waits: ((deadline: number) => Promise<string | null>)[] = [];
  for (const capture of plan.captures)
    waits.push(await markCapture(rest, snapshot, polling, capture));
  return {
    lsn: await insertLsn(side),
    async reached(deadline, note) {
      for (const wait of waits) {
        const why = await wait(deadline);
        if (why !== null) return why;
      }
      note?.({
        part: 'P2',
        holds: `${waits.length} connector(s) stored the positions of the tables at the mark`,
      });
      return null;
    },
  };
}

async function markCapture(
  rest: ConnectControl,
  snapshot: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<(deadline: number) => Promise<string | null>> {
  const { connector, subject } = capture;
  if (polling.mode === 'bulk') {
    const [seen] = await readLone(snapshot, 'SELECT pg_current_snapshot()::text AS snapshot');
    const wanted = seen!['snapshot']!;
    const rows = await readLone(snapshot, `SELECT 1 FROM ${polledFrom(polling, capture)} LIMIT 1`);
    // an empty table has no position to reach
    if (rows.length === 0) return () => Promise.resolve(null);
    return (deadline) => untilPolled(rest, capture, wanted, deadline);
  }
  const wanted = await cursorIn(snapshot, polling, capture);
  return async (deadline) => {
    let at: Cursor = { micros: null, id: null };
    const isThere = await pollUntil(
      deadline,
      POLL_MS,
      async () => {
        at = await storedCursor(rest, connector);
        return hasReached(polling.mode, at, wanted) ? true : null;
      },
      () => ({
        waitingFor: `connector ${connector}`,
        at: describeCursor(at),
        wanted: describeCursor(wanted),
      }),
    );
    return isThere
      ? null
      : `barrier: connector of ${subject} had stored only ${describeCursor(at)}, and ${describeCursor(wanted)} is needed; this was still so at the time limit`;
  };
}

/**
 * Waits until a complete poll has seen everything that the snapshot `wanted` sees. The number of
 * polls, which the connector also stores, would not prove this. Connect stores it some time after
 * the poll, so the poll may have begun before the mark.
 */
async function untilPolled(
  rest: ConnectControl,
  { connector, subject }: Capture,
  wanted: string,
  deadline: number,
): Promise<string | null> {
  let at = UNKNOWN_POLL;
  const done = await pollUntil(deadline, POLL_MS, async () => {
    at = await pollOf(rest, connector);
    return at.seen !== null && seesAll(parseSnapshot(at.seen), parseSnapshot(wanted)) ? true : null;
  });
  if (done) return null;
  const stored =
    at.seen === null
      ? `stored poll ${at.number} without its snapshot (use the JDBC source of this version of Sluice)`
      : `stored a poll with snapshot ${at.seen}`;
  return `barrier: connector of ${subject} had ${stored}, and a complete poll after snapshot ${wanted} is needed; this was still so at the time limit`;
}

/**
 * Returns the time and the id of the table's last row, in the order in which the connector reads.
 * One of them is null if the polling mode does not use it, and both if there is no such row. Rows
 * without a time, and rows whose time is too far ahead of the clock, are left out, because
 * preflight and windows report them.
 */
async function cursorIn(
  client: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<Cursor> {
  const from = polledFrom(polling, capture);
  const id = looksAtIds(polling.mode) ? quoteIdent(polling.incrementingColumn!) : null;
  if (!looksAtTimes(polling.mode)) {
    const rows = await readLone(client, `SELECT max(${id}) AS id FROM ${from}`);
    return { micros: null, id: asBigInt(rows[0]?.['id']) };
  }
  const time = cursorOf(polling);
  const rows = await readLone(
    client,
    `SELECT trunc(extract(epoch FROM ${time}) * 1000000)::bigint AS micros, ${id ?? 'NULL'} AS id FROM ${from} WHERE ${time} IS NOT NULL AND ${isNotAhead(time)}
     ORDER BY ${time} DESC${id ? `, ${id} DESC` : ''} LIMIT 1`,
  );
  return { micros: asBigInt(rows[0]?.['micros']), id: asBigInt(rows[0]?.['id']) };
}

const asBigInt = (value: unknown): bigint | null =>
  value === null || value === undefined ? null : BigInt(value as string | number);

/**
 * Reads the position at which the connector will continue. The common JDBC source plugins and
 * Sluice's own plugin store it in the same form.
 */
async function storedCursor(rest: ConnectControl, connector: string): Promise<Cursor> {
  const offset = (await rest.offsets(connector))[0] ?? {};
  const millis = asBigInt(offset['timestamp']);
  const nanos = asBigInt(offset['timestamp_nanos']);
  // the microseconds within the millisecond
  const below = nanos === null ? 0n : (nanos / 1000n) % 1000n;
  return {
    micros: millis === null ? null : millis * 1000n + below,
    id: asBigInt(offset['incrementing']),
  };
}

interface StoredPoll {
  readonly number: number;
  /** A snapshot from before the last complete poll. Null if the connector has not stored one. */
  readonly seen: string | null;
}

const UNKNOWN_POLL: StoredPoll = { number: 0, seen: null };

async function pollOf(rest: ConnectControl, connector: string): Promise<StoredPoll> {
  const { poll, seen } = (await rest.offsets(connector))[0] ?? {};
  return { number: Number(poll ?? 0), seen: typeof seen === 'string' ? seen : null };
}
