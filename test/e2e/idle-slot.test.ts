// After `complete`, Sluice is no longer involved. The slot must advance by itself while the
// captured tables are idle and other tables are written. Then `sluice compare`, as a role that may
// only read, compares the tables with the topics that the migration handed over.
import { describe, expect, it } from 'vitest';
import { compareRuns } from '../support/compare-runs.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, live } from '../support/live.js';
import { get, sluice, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();
const name = `idle-slot-${process.pid}`;
let database: Awaited<ReturnType<typeof aDatabase>>;
const MEGABYTE = 1024 * 1024;
/**
 * The number of bytes of WAL that the test writes in each of the two databases.
 * `npm run test:faults` writes more.
 */
const FOREIGN = Number(process.env['SLUICE_FOREIGN_WAL_MB'] ?? 40) * MEGABYTE;
/**
 * One WAL segment, plus the WAL that an idle server writes between two of its records of running
 * transactions. A slot's `restart_lsn` advances only at such a record.
 */
const RETAINED_AT_MOST = 48 * MEGABYTE;

describe('the slot of a migration that is complete', () => {
  it('advances while the captured tables are idle, but other tables and databases produce much WAL', async () => {
    database = await aDatabase(`${accounts(200)} CREATE TABLE elsewhere (t text)`);
    const other = await aDatabase('CREATE TABLE elsewhere (t text)');
    const slot = `sluice_${name.replaceAll('-', '_')}`;
    startMigration(name, database.name, ['public.accounts']);
    await waitFor(name, 'approval');
    expect(sluice('approve', name, '--approver', 'ann', '--reason', 'proven', '--yes').code).toBe(
      0,
    );
    await waitFor(name, 'outcome=migrated');
    expect((await get(name)).leftovers).toEqual([]);
    const one = async (sql: string): Promise<string> =>
      (await database.client.query<{ v: string }>(`SELECT (${sql})::text AS v`)).rows[0]!.v;
    const before = await one('pg_current_wal_lsn()');
    // The rows are wide and do not compress, so few statements write much WAL.
    const write = `INSERT INTO elsewhere SELECT (SELECT string_agg(md5(random()::text || g || i), '') FROM generate_series(1, 60) i) FROM generate_series(1, 2000) g`;
    for (const { client } of [database, other]) {
      const written = async (): Promise<number> =>
        Number(
          (
            await client.query<{ n: string }>(
              `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1) AS n`,
              [start],
            )
          ).rows[0]!.n,
        );
      const start = await one('pg_current_wal_lsn()');
      while ((await written()) < FOREIGN) await client.query(write);
    }
    const end = await one('pg_current_wal_lsn()');
    expect(Number(await one(`pg_wal_lsn_diff('${end}', '${before}')`))).toBeGreaterThan(
      2 * FOREIGN - MEGABYTE,
    );
    const of = (column: string): string =>
      `SELECT ${column} FROM pg_replication_slots WHERE slot_name = '${slot}'`;
    const ended = performance.now();
    const isPast = async (): Promise<boolean> =>
      (await one(`(${of('confirmed_flush_lsn')}) >= '${end}'::pg_lsn`)) === 'true';
    await sleepUntil('the connector acknowledges a position after the foreign writes', isPast);
    const isLean = async (): Promise<boolean> =>
      Number(await one(`pg_wal_lsn_diff(pg_current_wal_lsn(), (${of('restart_lsn')}))`)) <
      RETAINED_AT_MOST;
    await sleepUntil('the server may remove that WAL', isLean);
    console.log(
      `idle slot: ${(2 * FOREIGN) / MEGABYTE} MB of foreign WAL released ${((performance.now() - ended) / 1000).toFixed(1)} s after the last write`,
    );
  });
});

describe('sluice compare over topics that a migration handed over', () => {
  compareRuns(() => ({ name, database }));
});
