// Tests `connector.snapshot: copy`: Sluice's own sessions read the rows of the initial load, and
// real Debezium continues from the slot's position. A worker is killed in the middle of the load.
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { readTopic } from '../../src/clients/kafka/records.js';
import { connectAccess, kafkaPort } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, dismantle, live, objects } from '../support/live.js';
import { get, sluice, startMigration, testPostgres, waitFor } from '../support/sluice.js';

const { aDatabase, worker } = live();

const connector = { type: 'debezium-postgres', ...connectAccess(), snapshot: 'copy' };
/** Limits the rate, so that the test can interrupt the load in the middle. */
const paced = (database: string, tables: string[]) => ({
  connector,
  source: { postgres: testPostgres(database), tables, limits: { rowsPerSecond: 40_000 } },
});

/**
 * Creates a table of several block ranges, whose rows move when they are updated, and two small
 * tables.
 */
const wide = `CREATE TABLE wide (id int PRIMARY KEY, n int NOT NULL, filler text);
INSERT INTO wide SELECT g, 0, repeat(md5(g::text), 24) FROM generate_series(1, 90000) g;
CREATE TABLE nothing (id int PRIMARY KEY); CREATE TABLE parts (id int PRIMARY KEY, sum int GENERATED ALWAYS AS (id + 1) STORED) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT generate_series(1, 1000);`;

async function chunksOf(name: string): Promise<number> {
  const ledger = new pg.Client({ connectionString: process.env['SLUICE_LEDGER_URL']! });
  await ledger.connect();
  try {
    const { rows } = await ledger.query<{ n: string }>(
      'SELECT count(*) AS n FROM sluice.copied c JOIN sluice.migration m USING (run_key) WHERE m.name = $1',
      [name],
    );
    return Number(rows[0]!.n);
  } finally {
    await ledger.end();
  }
}

describe('an initial load by copy', () => {
  it('is exact with a busy writer, a killed worker and moved rows; the capture continues from the WAL', async () => {
    const database = await aDatabase(`${accounts(30_000)} ${wide}`);
    const stop = busy(database, 200);
    const tables = ['public.wide', 'public.accounts', 'public.nothing', 'public.parts'];
    const more = {
      ...paced(database.name, tables),
      validation: { every: '2s', passesInARow: 2, compare: { ignore: ['public.parts.sum'] } },
    };
    startMigration('copied', database.name, tables, more);
    await sleepUntil('the first ranges', async () => (await chunksOf('copied')) > 0);
    await worker.kill();
    const before = await chunksOf('copied');
    await database.client.query(
      'UPDATE wide SET n = n + 1 WHERE id % 50 = 0; DELETE FROM wide WHERE id % 1000 = 7',
    );
    await worker.start();
    await waitFor('copied', 'approval');
    expect(before).toBeLessThan(await chunksOf('copied')); // the kill was in the middle
    expect(
      sluice('approve', 'copied', '--approver', 'ann', '--reason', 'proven', '--yes').code,
    ).toBe(0);
    await waitFor('copied', 'outcome=migrated');
    await stop();
    const status = await get('copied');
    expect(status).toMatchObject({ outcome: 'migrated', leftovers: [], epoch: 1 });
    expect(status.windows.every((w) => w.mode === 'exact' && w.verdict === 'passed')).toBe(true);
    expect(status.tables.find((t) => t.table === 'public.wide')!.rowsScanned).toBeGreaterThan(
      80_000,
    );
    expect(status.handedOver.map((o) => o.kind)).toContain('slot');
    await dismantle(database.client, 'copied');
  });

  it('begins again if the table was rewritten while no worker ran, because rows moved between ranges', async () => {
    const database = await aDatabase(wide);
    const tables = ['public.wide'];
    startMigration('rewritten', database.name, tables, paced(database.name, tables));
    await sleepUntil('the first range', async () => (await chunksOf('rewritten')) > 0);
    await worker.kill();
    await database.client.query('DELETE FROM wide WHERE id <= 45000');
    await database.client.query('VACUUM FULL wide');
    await worker.start();
    await waitFor('rewritten', 'approval');
    expect((await get('rewritten')).windows.at(-1)).toMatchObject({
      verdict: 'passed',
      matched: 45_000,
    });
    expect(sluice('cancel', 'rewritten', '--yes').code).toBe(0);
    await waitFor('rewritten', 'outcome=aborted');
    expect(await objects(database.client)).toEqual([]);
  });

  it('contains the TOASTed value of a row that moved into a copied range while no worker ran', async () => {
    const doc = `(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i)`;
    const database = await aDatabase(
      `${wide} ALTER TABLE wide ADD doc text; UPDATE wide SET doc = ${doc} WHERE id = 85000`,
    );
    const { client } = database;
    await client.query('VACUUM FULL wide');
    const block = async (): Promise<number> =>
      Number(
        (await client.query(`SELECT (ctid::text::point)[0] AS n FROM wide WHERE id = 85000`))
          .rows[0]!['n'],
      );
    const tables = ['public.wide'];
    const slow = paced(database.name, tables);
    // With one session, the ranges are copied in order.
    const limits = { rowsPerSecond: 20_000, maxBackends: 1 };
    startMigration('moved', database.name, tables, { ...slow, source: { ...slow.source, limits } });
    await sleepUntil('the first range', async () => (await chunksOf('moved')) > 0);
    await worker.kill();
    expect(await chunksOf('moved')).toBeLessThan(3);
    // The row is now in the third range.
    expect(await block()).toBeGreaterThan(2 * 4096);
    await sleepUntil('the end of the killed sessions, which hold VACUUM back', async () => {
      const { rows } = await client.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
      return rows.length === 0;
    });
    await client.query('DELETE FROM wide WHERE id <= 20000');
    // An autovacuum that analyzes the table holds VACUUM back for a moment.
    await sleepUntil('the row is in the first range', async () => {
      await client.query('VACUUM (TRUNCATE false) wide');
      await client.query('UPDATE wide SET n = n + 1 WHERE id = 85000');
      return (await block()) < 4096;
    });
    await worker.start();
    await waitFor('moved', 'phase=validate');
    const kafka = kafkaPort();
    const docs: unknown[] = [];
    await readTopic(kafka, 'moved.public.wide', ({ key, value }) => {
      if (JSON.parse(key!.toString()).id === 85000)
        docs.push((JSON.parse(value!.toString()) as { after: { doc: unknown } }).after.doc);
    });
    await kafka.disconnect();
    const { rows } = await client.query(`SELECT doc FROM wide WHERE id = 85000`);
    expect(docs).toContain(rows[0]!['doc']);
    expect(sluice('rollback', 'moved', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('moved', 'outcome=rolled-back');
    expect(await objects(client)).toEqual([]);
  });

  it('writes each row once if nothing disturbs it, and the capture from the WAL repeats no row', async () => {
    const database = await aDatabase(accounts(3000));
    startMigration('once', database.name, ['public.accounts'], { connector });
    await waitFor('once', 'phase=validate');
    const kafka = kafkaPort();
    const ends = await kafka.offsets('once.public.accounts');
    await kafka.disconnect();
    expect(ends).toEqual([expect.objectContaining({ partition: 0, low: 0, committed: 3000 })]);
    expect(sluice('rollback', 'once', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('once', 'outcome=rolled-back');
    expect(await get('once')).toMatchObject({ leftovers: [] });
    expect(await objects(database.client)).toEqual([]);
  });

  it('leaves nothing if it is rolled back in the middle', async () => {
    const database = await aDatabase(wide);
    const tables = ['public.wide'];
    startMigration('copy-back', database.name, tables, paced(database.name, tables));
    await sleepUntil('the first range', async () => (await chunksOf('copy-back')) > 0);
    expect(sluice('rollback', 'copy-back', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('copy-back', 'outcome=rolled-back');
    expect(await get('copy-back')).toMatchObject({ leftovers: [] });
    expect(await objects(database.client)).toEqual([]);
  });
});
