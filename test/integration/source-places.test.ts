// Tests that only a few windows read one source server at a time. Each of these windows holds a
// place, which is an advisory lock in the ledger's database. The ledger is real.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { takePlace } from '../../src/clients/ledger/source-places.js';
import { freshDatabase, urlOf } from '../support/sluice.js';

const SERVER = { host: 'legacy', port: 5432 };
let database: Awaited<ReturnType<typeof freshDatabase>>;
let url: string;
const ledgers: Ledger[] = [];
beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  url = urlOf(database.name);
});
afterAll(async () => {
  await Promise.all(ledgers.map((ledger) => ledger.close()));
  await database.drop();
});

/** Opens the ledger, as one more worker does. */
function aLedger(): Ledger {
  const ledger = new Ledger(url);
  ledgers.push(ledger);
  return ledger;
}

class Full extends Error {}
/** Takes a place. Throws Full instead of waiting. */
const take = (places: number, server = SERVER): Promise<() => Promise<void>> =>
  takePlace(aLedger(), server, places, () => Promise.reject(new Full()));

/** Returns the number of advisory locks that sessions hold or wait for. */
const sessions = async (): Promise<number> => {
  const { rows } = await database.client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows[0]!.n;
};

describe('the places of windows on a source server', () => {
  it('are shared by all workers of a ledger, and a place that was given back is free again', async () => {
    const [first, second] = [await take(2), await take(2)];
    await expect(take(2)).rejects.toThrow(Full);
    await first();
    const third = await take(2);
    await expect(take(2)).rejects.toThrow(Full);
    await Promise.all([second(), third()]);
    expect(await sessions()).toBe(0);
  });

  it('are counted separately for each server', async () => {
    const one = await take(1);
    const other = await take(1, { ...SERVER, port: 5433 });
    await Promise.all([one(), other()]);
  });

  it('are free again after a worker died', async () => {
    await take(1);
    await database.client.query(
      `SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    const next = await take(1);
    await next();
  });

  it('are free again after a worker hangs: its session is open, but sends nothing', async () => {
    const stopped = { limitMs: 200, awakeMs: 3_600_000 };
    const held = await takePlace(aLedger(), SERVER, 1, () => Promise.reject(new Full()), stopped);
    const next = await takePlace(aLedger(), SERVER, 1, () => sleep(50));
    await Promise.all([next(), held()]);
  });

  it('let a window wait until one is free', async () => {
    const held = await take(1);
    let looks = 0;
    const waited = takePlace(aLedger(), SERVER, 1, async () => {
      looks += 1;
      if (looks === 2) await held();
    });
    await (
      await waited
    )();
    expect(looks).toBeGreaterThanOrEqual(2);
  });
});
