// Limits how many windows read one source server at the same time, over all migrations and workers
// of a ledger. Each window holds one of the server's places, as a lock of a session in the ledger.
// If a worker dies, its session ends, and the place is free again.
import type pg from 'pg';
import type { PostgresAddress } from '../../domain/migration/databases.js';
import type { LedgerConnection } from './ledger-connection.js';

/** The first key of the lock of place 1. The second key is the hash of the server's address. */
const FIRST_PLACE = 7_352_001;

/**
 * Waits for one of the `places` of a server. Calls `wait` after each look at a full server. Returns
 * a function that gives the place back. Throws the errors of the ledger and of `wait`.
 */
export async function takePlace(
  ledger: Pick<LedgerConnection, 'openSession'>,
  { host, port }: Pick<PostgresAddress, 'host' | 'port'>,
  places: number,
  wait: () => Promise<void>,
): Promise<() => Promise<void>> {
  const session = await ledger.openSession();
  const giveBack = (): Promise<void> => session.end().catch(() => undefined);
  try {
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
