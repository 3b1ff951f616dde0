// Tests initial loads while a commit that is in the WAL before the slot's position waits for a
// standby. The slot never returns this commit, and no session sees it yet.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { newIdIfCommitsWait, oldestOpenId } from '../../src/clients/postgres/waiting-commits.js';
import { connectAccess } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, dismantle, live } from '../support/live.js';
import { hasRecord } from '../support/records-of-topic.js';
import { get, reach, sluice, startMigration, waitFor } from '../support/sluice.js';
import { waitingServer } from '../support/waiting-server.js';

const { worker } = live();
const server = waitingServer(25);
const CHANGE = 'UPDATE accounts SET balance = 777 WHERE id = 7';

interface Load {
  readonly name: string;
  readonly database: string;
  readonly snapshot: 'incremental' | 'copy';
}

/** Finds the commits of this database that wait for a standby. */
const WAITS = `SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()`;

/** Begins a transaction that has an id, and returns that id. */
async function begin(client: pg.Client): Promise<string> {
  await client.query('BEGIN');
  return (await client.query<{ id: string }>('SELECT pg_current_xact_id() AS id')).rows[0]!.id;
}

/** Waits until the creation of a slot waits for the transaction. */
async function untilSlotWaitsFor(observer: pg.Client, id: string): Promise<void> {
  const waits = async (): Promise<boolean> =>
    (
      await observer.query(
        `SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted AND transactionid::text = $1`,
        [id],
      )
    ).rows.length > 0;
  await sleepUntil(`the slot waits for ${id}`, waits, 600_000, 5);
}

/**
 * Makes the change while a slot is being created. A new slot waits twice for open transactions, and
 * begins after a commit that comes during the second wait. Each wait must be short, because the
 * worker gives up after two seconds.
 */
async function changeBeforeSlot(
  { name, database, snapshot }: Load,
  meanwhile: () => void = () => undefined,
): Promise<{ readonly changed: Promise<void> }> {
  const [observer, first, second] = await Promise.all([1, 2, 3].map(() => server.open(database)));
  const early = await begin(first!);
  startMigration(name, database, ['public.accounts'], {
    source: { postgres: server.source(database), tables: ['public.accounts'] },
    connector: { type: 'debezium-postgres', ...connectAccess(), snapshot },
  });
  await untilSlotWaitsFor(observer!, early);
  const late = await begin(second!);
  await first!.query('COMMIT');
  await untilSlotWaitsFor(observer!, late);
  meanwhile();
  const changed = server.runWaiting(database, [CHANGE]);
  const waits = async (): Promise<boolean> => (await observer!.query(WAITS)).rows.length === 1;
  await sleepUntil('the commit waits', waits, 600_000, 5);
  await second!.query('COMMIT');
  const isMade = async (): Promise<boolean> =>
    (
      await observer!.query(
        'SELECT FROM pg_replication_slots WHERE database = current_database() AND confirmed_flush_lsn IS NOT NULL',
      )
    ).rows.length === 1;
  await sleepUntil('the slot', isMade, 600_000, 5);
  await Promise.all([observer, first, second].map((client) => client!.end()));
  return { changed };
}

/** Creates a database with a table, and runs `test` with a migration of that table to its end. */
async function migrated(
  snapshot: Load['snapshot'],
  begins: (load: Load) => Promise<void>,
): Promise<void> {
  const load = { name: `waiting-${snapshot}`, database: `waiting_${snapshot}`, snapshot };
  const { name, database } = load;
  await server.ask('postgres', `CREATE DATABASE ${database}`);
  const client = await server.open(database);
  await client.query(accounts(50));
  await begins(load);
  await reach(
    name,
    'approval or a failed window',
    (s) => s.needsApproval || s.windows.some(({ verdict }) => verdict === 'failed'),
  );
  expect((await get(name)).windows.filter((w) => w.verdict !== 'passed')).toEqual([]);
  expect(await hasRecord(`${name}.public.accounts`, '777')).toBe(true);
  const approved = sluice('approve', name, '--approver', 'ann', '--reason', 'proven', '--yes');
  expect(approved.code, approved.stderr).toBe(0);
  await waitFor(name, 'outcome=migrated');
  await dismantle(client, name);
  await client.end();
}

/** Lets the commit end when the load waits for it, or has read the table without it. */
async function letCommitsEnd({ name, database }: Load): Promise<void> {
  const isReady = async (): Promise<boolean> =>
    (await server.doesLoadWait(database)) ||
    (await hasRecord(`${name}.public.accounts`, '"op":"r"').catch(() => false));
  await sleepUntil('the load waits', isReady, 600_000);
  await server.letCommitsEnd();
}

describe('a commit that waits for a standby', () => {
  it('is in the topic after an incremental load, although it is before the position of the slot', () =>
    migrated('incremental', async (load) => {
      const { changed } = await changeBeforeSlot(load);
      await letCommitsEnd(load);
      await changed;
    }));

  it('is in the topic after a copy whose first attempt died, although it is before the slot', () =>
    migrated('copy', async (load) => {
      const { changed } = await changeBeforeSlot(load, () => worker.send('SIGSTOP'));
      await worker.restart();
      await letCommitsEnd(load);
      await changed;
    }));

  it('counts as open for a settled round, by its transaction id, until sessions see it', async () => {
    const [client, side] = await Promise.all([1, 2].map(() => server.open('postgres')));
    const changed = server.runWaiting('postgres', ['CREATE TABLE waiting (id int)']);
    const waits = async (): Promise<boolean> => (await client!.query(WAITS)).rows.length === 1;
    await sleepUntil('the commit waits', waits);
    const idsBelow = await newIdIfCommitsWait(side!);
    expect(await oldestOpenId(client!)).toBeLessThan(idsBelow!);
    await server.letCommitsEnd();
    await changed;
    expect(await oldestOpenId(client!)).toBeGreaterThanOrEqual(idsBelow!);
    await Promise.all([client!.end(), side!.end()]);
  });
});
