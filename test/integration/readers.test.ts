// Tests with real servers that Sluice finds what still reads the batch's table after the commit:
// views, sessions and statements.
import { describe, expect, it } from 'vitest';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { stackHome, type StackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { PG_PASSWORD, PG_USER, startPostgres } from '../../stack/services/postgres.js';
import { createConsumerActivities } from '../../src/activities/cutover/batch-output-readers.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';
import { freshDatabase, testPostgres } from '../support/sluice.js';

/**
 * The binaries of an installed Postgres that has pg_stat_statements. The stack's own Postgres lacks
 * this extension.
 */
const COUNTING = [18, 17, 16, 15, 14]
  .map((v) => `/usr/lib/postgresql/${v}`)
  .find((dir) => existsSync(`${dir}/lib/pg_stat_statements.so`))
  ?.concat('/bin');

describe("readers of the batch's table", () => {
  it('are the views and materialized views over it, but not the switched view', async () => {
    const database =
      await freshDatabase(`CREATE TABLE totals_batch (day date PRIMARY KEY, total numeric); CREATE TABLE totals_stream (LIKE totals_batch);
      CREATE VIEW totals AS SELECT * FROM totals_batch; CREATE VIEW "Other View" AS SELECT count(*) AS n FROM totals_batch;
      CREATE MATERIALIZED VIEW monthly AS SELECT date_trunc('month', day) AS month, sum(total) FROM totals_batch GROUP BY 1; CREATE VIEW unrelated AS SELECT * FROM totals_stream`);
    try {
      const activities = createConsumerActivities({
        secret: () => process.env['PGPASSWORD'] ?? '',
      });
      const ref = aRef({
        spec: {
          ...BATCH_PARTS,
          source: { postgres: testPostgres(database.name), tables: ['public.totals_batch'] },
        },
      });
      expect(await activities.readersOfBatch(ref)).toEqual([
        'materialized view monthly',
        'view "Other View"',
      ]);
      expect(
        await activities.readersOfBatch(
          aRef({
            spec: {
              source: { postgres: testPostgres(database.name), tables: ['public.totals_batch'] },
            },
          }),
        ),
      ).toEqual([]);
    } finally {
      await database.drop();
    }
  });

  it("are the sessions that read it after a given moment, except Sluice's and those that only write to it", async () => {
    const database = await freshDatabase(
      'CREATE TABLE "Odd.Totals" (day date PRIMARY KEY); CREATE TABLE odd (day date)',
    );
    const clients = ['before', '', 'elsewhere', 'shadow', 'sluice/mine'].map(
      (application_name) => new pg.Client({ database: database.name, application_name }),
    );
    const [before, dashboard, elsewhere, shadow, ours] = clients as [
      pg.Client,
      pg.Client,
      pg.Client,
      pg.Client,
      pg.Client,
    ];
    try {
      for (const client of clients) await client.connect();
      const activities = createConsumerActivities({
        secret: () => process.env['PGPASSWORD'] ?? '',
      });
      const batch = {
        ...BATCH_PARTS.batch,
        result: { table: 'public."Odd.Totals"', key: ['day'] },
      };
      const ref = aRef({
        spec: {
          ...BATCH_PARTS,
          batch,
          cutover: {},
          source: { postgres: testPostgres(database.name), tables: ['public.odd'] },
        },
      });
      await before.query('SELECT * FROM "Odd.Totals"');
      const mark = await activities.markReaders(ref);
      await dashboard.query('SELECT max(day) FROM public."Odd.Totals" t');
      await elsewhere.query('SELECT * FROM odd');
      await shadow.query('DELETE FROM "Odd.Totals"');
      await ours.query('SELECT * FROM "Odd.Totals"');
      expect(await activities.readersOfBatch(ref, mark)).toEqual([
        `session of ${process.env['PGUSER']}`,
      ]); // a session without an application name
      // this statement writes to a different table, but reads the batch's table
      await shadow.query('INSERT INTO odd SELECT day FROM "Odd.Totals"');
      expect(await activities.readersOfBatch(ref, mark)).toHaveLength(2);
      expect(await activities.readersOfBatch(ref, await activities.markReaders(ref))).toEqual([]);
    } finally {
      for (const client of clients) await client.end();
      await database.drop();
    }
  });

  it('are the queries that other roles ran after a given moment, if the server counts statements', async ({
    skip,
  }) => {
    if (!COUNTING)
      return skip('no Postgres with pg_stat_statements is installed (apt install postgresql)');
    const main = stackHome();
    const dir = join(main.dir, 'counting');
    const home: StackHome = {
      ...main,
      dir,
      logs: join(dir, 'logs'),
      pids: join(dir, 'pids'),
      ports: { ...main.ports, postgres: main.ports.postgres + 21 },
    };
    await startPostgres(home, () => undefined, {
      bin: COUNTING,
      settings: ['shared_preload_libraries=pg_stat_statements'],
    });
    const options = { host: '127.0.0.1', port: home.ports.postgres, database: 'postgres' };
    const client = new pg.Client({
      ...options,
      user: PG_USER,
      password: PG_PASSWORD,
      application_name: 'sluice/test',
    });
    try {
      await client.connect();
      await client.query(
        `CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext; CREATE ROLE report LOGIN PASSWORD 'r'; CREATE TABLE totals_batch (day date PRIMARY KEY); GRANT ALL ON totals_batch TO report`,
      );
      const activities = createConsumerActivities({ secret: () => PG_PASSWORD });
      const ref = aRef({
        spec: {
          ...BATCH_PARTS,
          source: {
            postgres: { ...options, user: PG_USER, passwordFrom: { env: 'X' } },
            tables: ['public.totals_batch'],
          },
        },
      });
      const as = async (sql: string): Promise<void> => {
        const report = new pg.Client({ ...options, user: 'report', password: 'r' });
        await report.connect();
        await report.query(sql);
        await report.end();
      };
      const reads = "SELECT count(*) FROM totals_batch WHERE day > '2026-01-01'";
      await as(reads);
      const mark = await activities.markReaders(ref);
      expect(await activities.readersOfBatch(ref, mark)).toEqual([]);
      await as('TRUNCATE public.totals_batch');
      await as("INSERT INTO totals_batch (day) VALUES ('2026-01-01')");
      await client.query('SELECT * FROM totals_batch'); // Sluice's own role
      expect(await activities.readersOfBatch(ref, mark)).toEqual([]);
      await as(reads);
      await as('COPY totals_batch TO STDOUT');
      expect((await activities.readersOfBatch(ref, mark)).sort()).toEqual([
        'statement of report: COPY totals_batch TO STDOUT',
        'statement of report: SELECT count(*) FROM totals_batch WHERE day > $1',
      ]);
    } finally {
      await client.end();
      await stop(home, 'postgres');
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
