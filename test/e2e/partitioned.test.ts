// Tests with real Debezium that a partitioned table counts as one table with one topic. A writer
// changes the table, and partitions come and go.
import { describe, expect, it } from 'vitest';
import { busy, dismantle, live } from '../support/live.js';
import { get, reach, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

/**
 * Creates partitions at two depths.
 */
const partitioned = `CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, note text) PARTITION BY RANGE (id);
CREATE TABLE accounts_low PARTITION OF accounts FOR VALUES FROM (0) TO (3000);
CREATE TABLE accounts_mid PARTITION OF accounts FOR VALUES FROM (3000) TO (20000) PARTITION BY HASH (id);
CREATE TABLE accounts_mid_0 PARTITION OF accounts_mid FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE "accounts_mid ""1" PARTITION OF accounts_mid FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE accounts_high PARTITION OF accounts FOR VALUES FROM (20000) TO (1000000);
INSERT INTO accounts SELECT g, g * 1.10, CASE WHEN g % 3 = 0 THEN NULL ELSE 'n' || g END FROM generate_series(1, 30000) g; ANALYZE accounts;`;

describe('a partitioned table', () => {
  it('passes windows with a busy writer, and reports each row of an attached table as missing', async () => {
    const database = await aDatabase(partitioned);
    const stop = busy(database);
    startMigration('parted', database.name, ['public.accounts']);
    await waitFor('parted', 'approval');
    await database.client.query(
      'CREATE TABLE accounts_next PARTITION OF accounts FOR VALUES FROM (1000000) TO (2000000); INSERT INTO accounts_next VALUES (1000001, 1, NULL)',
    );
    await reach('parted', 'a full window that names the new partition', (s) =>
      s.windows.some((w) =>
        /every row was read, because partitions of public\.accounts: now public\.accounts_next /.test(
          w.reason,
        ),
      ),
    );
    await reach('parted', 'a window that read only what changed', (s) =>
      s.windows.some((w) => /re-read [1-9]\d* changed rows and \d+ rows of scrub/.test(w.reason)),
    );
    expect(
      (await get('parted')).windows.every((w) => w.verdict === 'passed' && w.compared! >= 29_990),
    ).toBe(true);
    await database.client
      .query(`CREATE TABLE foreign_rows (LIKE accounts INCLUDING ALL); INSERT INTO foreign_rows SELECT g, 1, 'brought' FROM generate_series(2000000, 2000006) g;
      ALTER TABLE accounts ATTACH PARTITION foreign_rows FOR VALUES FROM (2000000) TO (3000000)`);
    // the ledger has the window a moment before the run withdraws the evidence of earlier windows
    await reach(
      'parted',
      'a failed window',
      (s) => s.windows.some((w) => w.verdict === 'failed') && !s.needsApproval,
    );
    const failed = (await get('parted')).windows.find((w) => w.verdict === 'failed')!;
    expect(failed).toMatchObject({ missing: 7, extraneous: 0, mismatched: 0, unknown: 0 });
    const diff = JSON.parse(sluice('diff', 'parted', '-o', 'json').stdout) as {
      counts: object;
      differences: { key: { id: string } }[];
    };
    expect(diff.counts).toEqual({ missing: 7 });
    expect(diff.differences.map((d) => d.key.id).sort()).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((n) => String(2_000_000 + n)),
    );
    await database.client.query('ALTER TABLE accounts DETACH PARTITION foreign_rows');
    await waitFor('parted', 'approval');
    expect(
      sluice('approve', 'parted', '--approver', 'ann', '--reason', 'proven', '--yes').code,
    ).toBe(0);
    await waitFor('parted', 'outcome=migrated');
    await stop();
    expect(await get('parted')).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      tables: [{ table: 'public.accounts' }],
    });
    await dismantle(database.client, 'parted');
  });

  it('fails its windows after a partition was replaced by a changed copy with equally many rows', async () => {
    const database = await aDatabase(partitioned);
    startMigration('swapped', database.name, ['public.accounts']);
    await reach('swapped', 'a window that read only what changed', (s) =>
      s.windows.some((w) => w.reason.includes('of scrub')),
    );
    const incremental = (await get('swapped')).windows.find((w) => w.reason.includes('of scrub'))!;
    expect(incremental.matched).toBe(30_000);
    expect(incremental.rowsRead).toBeLessThan(10_000);
    expect(incremental.rowsRead! + incremental.provenEarlier!).toBe(30_000);
    await database.client.query(`CREATE TABLE copied (LIKE accounts INCLUDING ALL);
      INSERT INTO copied SELECT id, balance + 1, note FROM accounts_low`);
    const before = Math.max(...(await get('swapped')).windows.map((w) => w.number));
    await reach('swapped', 'another window', (s) => s.windows.some((w) => w.number > before));
    await database.client.query(`BEGIN; ALTER TABLE accounts DETACH PARTITION accounts_low;
      ALTER TABLE accounts ATTACH PARTITION copied FOR VALUES FROM (0) TO (3000); COMMIT`);
    const swapped = Math.max(...(await get('swapped')).windows.map((w) => w.number));
    await reach(
      'swapped',
      'two windows that saw it',
      (s) => s.windows.filter((w) => w.number > swapped + 1).length > 1,
    );
    const after = (await get('swapped')).windows.filter((w) => w.number > swapped + 1);
    expect(after.map((w) => [w.verdict, w.mismatched])).toEqual(after.map(() => ['failed', 2999]));
    expect(sluice('audit', 'swapped').stdout).toMatch(
      /partitions of public.accounts: no longer public.accounts_low/,
    );
    expect(sluice('cancel', 'swapped', '--yes').code).toBe(0);
    await waitFor('swapped', 'outcome=aborted');
  });

  it('is refused if a partition is unlogged, in the spec, or without replica identity; so is inheritance', async () => {
    const database =
      await aDatabase(`CREATE TABLE a (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE UNLOGGED TABLE a_1 PARTITION OF a FOR VALUES FROM (0) TO (10);
      CREATE TABLE b (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE b_1 PARTITION OF b FOR VALUES FROM (0) TO (10); ALTER TABLE b_1 REPLICA IDENTITY NOTHING;
      CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE c_1 () INHERITS (c);
      CREATE TABLE d (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE d_1 PARTITION OF d FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id); CREATE TABLE d_1_1 PARTITION OF d_1 DEFAULT`);
    const { stdout, code } = sluice(
      'doctor',
      '-f',
      specFile('parts', database.name, [
        'public.a',
        'public.b',
        'public.c',
        'public.d',
        'public.d_1_1',
      ]),
      '-o',
      'json',
    );
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; subject: string; status: string; detail: string }[];
    };
    const failed = checks
      .filter((check) => check.status === 'failed')
      .map(({ name, subject, detail }) => [name, subject, detail]);
    expect(failed).toEqual([
      ['table.kind', 'public.a', 'partition public.a_1 is not an ordinary, logged table'],
      [
        'table.replica-identity',
        'public.b',
        expect.stringContaining('replica identity nothing of partition public.b_1 without a key'),
      ],
      [
        'table.kind',
        'public.c',
        'c_1 inherit from it: a query of the table also returns their rows, but the WAL records them under the names of these tables',
      ],
      [
        'table.kind',
        'public.d_1_1',
        'a partition of public.d, which the spec also names: its changes are published only under that name',
      ],
    ]);
  });

  it('is reported to have TOASTed values if any partition has one', async () => {
    const database =
      await aDatabase(`CREATE TABLE near (id int PRIMARY KEY, body text); INSERT INTO near VALUES (1, 'short');
      CREATE TABLE far (id int PRIMARY KEY, body text) PARTITION BY RANGE (id); CREATE TABLE far_1 PARTITION OF far FOR VALUES FROM (0) TO (10);
      INSERT INTO far SELECT 1, string_agg(md5(g::text), '') FROM generate_series(1, 1000) g; CREATE TABLE whole (LIKE far INCLUDING ALL); INSERT INTO whole SELECT * FROM far;
      ALTER TABLE whole REPLICA IDENTITY FULL`);
    const { stdout } = sluice(
      'doctor',
      '-f',
      specFile('far', database.name, ['public.near', 'public.far', 'public.whole']),
      '-o',
      'json',
    );
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; subject: string; status: string; detail: string }[];
    };
    const said = checks
      .filter((check) => check.name === 'table.replica-identity')
      .map(({ subject, status, detail }) => [subject, status, detail.includes('TOASTed')]);
    expect(said).toEqual([
      ['public.near', 'passed', false],
      ['public.far', 'passed', true],
      ['public.whole', 'passed', false],
    ]);
  });
});
