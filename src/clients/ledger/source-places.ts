// Limits how many windows read one source server at the same time, over all migrations and workers
// of a ledger. Each window holds one of the server's places, as an advisory lock of a session in
// the ledger. If a worker dies or is stopped, its session ends, and the place is free again.
import type pg from 'pg';
import { keepAwake } from '../postgres/keep-awake.js';
import type { PostgresAddress } from '../../domain/migration/databases.js';
import type { LedgerConnection } from './ledger-connection.js';

/**
 * The first key of the advisory lock of the first place. Each further place adds 1. The second key
 * is the hash of the server's address.
 */
const FIRST_PLACE = 7_352_001;
/**
 * Postgres ends a session that sends nothing for `limitMs`, because its worker may have stopped. A
 * session that holds a place sends a statement every `awakeMs`.
 */
const IDLE = { limitMs: 60_000, awakeMs: 15_000 };

/**
 * Waits for one of the `places` of a server. Calls `wait` each time it finds no free place. Returns
 * a function that gives the place back. Throws the errors of the ledger and of `wait`.
 */
export async function takePlace(
  ledger: Pick<LedgerConnection, 'openSession'>,
  { host, port }: Pick<PostgresAddress, 'host' | 'port'>,
  places: number,
  wait: () => Promise<void>,
  { limitMs, awakeMs } = IDLE,
): Promise<() => Promise<void>> {
  const session = await ledger.openSession();
  const stop = keepAwake(session, awakeMs);
  const giveBack = (): Promise<void> => {
    stop();
    return session.end().catch(() => undefined);
  };
  try {
    await session.query(`SET idle_session_timeout = ${limitMs}`);
    while (!(await isTaken(session, `${host}:${port}`, places))) await wait();
    return giveBack;
  } catch (error) {
    await giveBack();
    throw error;
  }
}

/** Takes the first free place. Returns false if there is none. */
async function isTaken(session: pg.Client, server: string, places: number): Promise<boolean> {
  for (let place = 0; place < places; place += 1) {
    const { rows } = await session.query<{ mine: boolean }>(
      'SELECT pg_try_advisory_lock($1, hashtext($2)) AS mine',
      [FIRST_PLACE + place, server],
    );
    if (rows[0]!.mine) return true;
  }
  return false;
}
