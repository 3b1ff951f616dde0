// Finds out whether sessions see every commit that is in the WAL. A commit is in the WAL before
// other sessions see it. With synchronous replication, they may see it only after standbys have
// answered.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceClient } from './connection.js';

type Asked = Pick<SourceClient, 'query'>;

const POLL_MS = 50;

/** This condition holds with synchronous replication. Without it, the setting is empty. */
const HAS_STANDBYS = `current_setting('synchronous_standby_names') <> ''`;
/** The oldest transaction id that has not ended for the session's snapshot. */
const OLDEST_OPEN = 'pg_snapshot_xmin(pg_current_snapshot())';

async function read(client: Asked, what: string): Promise<string | null> {
  const { rows } = await client.query<{ it: string | null }>(`SELECT (${what})::text AS it`);
  return rows[0]!.it;
}

const readId = async (client: Asked, what: string): Promise<bigint> =>
  BigInt((await read(client, what))!);

/** Returns whether a commit can wait for a standby. */
export const commitsMayWait = async (client: Asked): Promise<boolean> =>
  (await read(client, HAS_STANDBYS)) === 'true';

/**
 * Returns a new transaction id, which is above the ids of all transactions that have begun. Returns
 * null if no commit can wait for a standby.
 */
export async function newIdIfCommitsWait(client: Asked): Promise<bigint | null> {
  const id = await read(client, `CASE WHEN ${HAS_STANDBYS} THEN pg_current_xact_id() END`);
  return id === null ? null : BigInt(id);
}

export const oldestOpenId = (client: Asked): Promise<bigint> => readId(client, OLDEST_OPEN);

/**
 * Waits until every transaction that has written before this call has ended: all transactions whose
 * id is less than a new id. A snapshot's `xmax` would be too small a limit, because it only exceeds
 * the ids of ended transactions. With synchronous replication, a commit that still waits for a
 * standby can be in the WAL before the slot's first position. If this function did not wait,
 * neither the slot nor the next snapshot would show this transaction. Returns false if a
 * transaction is still open after `patienceMs`. Between two questions, calls `wait` with a time in
 * ms.
 */
export async function openTransactionsEnd(
  client: Asked,
  patienceMs: number,
  wait: (ms: number) => Promise<unknown> = sleep,
): Promise<boolean> {
  const limit = await readId(client, 'pg_current_xact_id()');
  const deadline = performance.now() + patienceMs;
  while ((await oldestOpenId(client)) < limit) {
    if (performance.now() > deadline) return false;
    await wait(POLL_MS);
  }
  return true;
}
