// Tests on a real database what doctor finds out about the batch's query. Before the first window,
// doctor knows which tables the query reads, what it returns, and which session settings change its
// result.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBatch } from '../../src/activities/checks/batch-checks.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { BATCH_PARTS, aPlan } from '../support/builders.js';
import { freshDatabase, testPostgres } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;

beforeAll(async () => {
  database =
    await freshDatabase(`CREATE TABLE sales (id int PRIMARY KEY, shop int, region text NOT NULL, cents bigint NOT NULL, at timestamptz NOT NULL, part numeric);
    INSERT INTO sales SELECT g, nullif(g % 20, 0), (ARRAY['n','s'])[1 + g % 2], g * 100, timestamptz '2026-01-01 00:00Z' + g * interval '37 minutes', g / 8.0 FROM generate_series(1, 400) g;
    CREATE TABLE fees (region text PRIMARY KEY, percent int); INSERT INTO fees VALUES ('n', 1), ('s', 2);
    CREATE VIEW current_fees AS SELECT * FROM fees; CREATE VIEW todays AS SELECT * FROM sales WHERE at <= now(); CREATE MATERIALIZED VIEW held AS SELECT id FROM sales;
    CREATE FUNCTION fee_of(text) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT percent FROM fees WHERE region = $1); END $$;
    CREATE FUNCTION pure(bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT $1 / 100 $$;
    CREATE FUNCTION hidden(text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN EXECUTE 'SELECT count(*) FROM ' || $1 INTO n; RETURN n; END $$;
    CREATE FUNCTION rank(int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM fees WHERE percent < $1); END $$;
    CREATE FUNCTION recent(timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT $1 > 'yesterday' $$;
    CREATE SCHEMA own; CREATE VIEW own.daily AS SELECT * FROM sales WHERE at <= now();
    CREATE FUNCTION fresh() RETURNS timestamptz LANGUAGE sql AS $$ SELECT clock_timestamp() $$;
    CREATE FUNCTION pg_catalog.timezone(text, int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN $2; END $$;
    CREATE TABLE parted (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE totals_batch (k int, day date, total numeric(14,2))`);
});
afterAll(() => database.drop());

async function findings(
  sql: string,
  key: string[] = ['k'],
  tables = ['public.sales'],
): Promise<Map<string, { status: string; detail: string }>> {
  const result = { table: 'public.totals_batch', key };
  const plan = aPlan({
    spec: {
      ...BATCH_PARTS,
      source: { postgres: testPostgres(database.name), tables },
      batch: { result, query: { sql } },
      pipeline: { ...BATCH_PARTS.pipeline, output: { topic: 'totals', key } },
      cutover: {},
    },
  });
  const checks = await checkBatch({ secret: resolveSecret }, plan);
  return new Map(checks.map(({ name, status, detail }) => [name, { status, detail }]));
}

describe('the query of a batch', () => {
  it('passes if it reads only captured tables or their partitions, and returns each key once', async () => {
    for (const [sql, tables] of [
      [
        'SELECT coalesce(shop, 0) AS k, sum(pure(cents))::numeric(14,2) AS total FROM sales GROUP BY 1; -- nightly',
        ['public.sales'],
      ],
      [
        'WITH sales AS (SELECT * FROM public.sales) SELECT id AS k, NULL::numeric(14,2) AS total FROM sales /* end */;',
        ['public.sales'],
      ],
      ['SELECT id AS k, day FROM parted_1', ['public.parted']],
      [
        "SELECT id AS k, (at AT TIME ZONE 'UTC')::date AS day FROM sales WHERE extract(hour FROM at AT TIME ZONE 'UTC') > 3",
        ['public.sales'],
      ],
    ] as const) {
      const found = await findings(sql, ['k'], [...tables]);
      expect([
        sql,
        found.get('batch.query')!.status,
        found.get('batch.reads'),
        found.get('batch.run'),
      ]).toEqual([
        sql,
        'passed',
        expect.objectContaining({ status: 'passed' }),
        expect.objectContaining({ status: 'passed' }),
      ]);
    }
  });

  it.each([
    [
      'a table',
      'SELECT s.id AS k FROM sales s JOIN fees USING (region)',
      /reads public.fees, which/,
    ],
    [
      'a view',
      'SELECT s.id AS k FROM sales s JOIN current_fees USING (region)',
      /reads public.fees, which/,
    ],
    [
      'a common table expression with the name of a table',
      'WITH fees AS (SELECT * FROM fees) SELECT s.id AS k FROM sales s JOIN fees USING (region)',
      /public.fees/,
    ],
    ['a function', 'SELECT id AS k, fee_of(region) AS total FROM sales', /public.fees/],
    [
      'a subquery in a condition',
      'SELECT id AS k FROM sales WHERE region IN (SELECT region FROM public.fees)',
      /public.fees/,
    ],
    [
      'a function with the name of a built-in function',
      'SELECT id AS k, rank(shop) AS total FROM sales',
      /public.fees/,
    ],
    ['a materialized view', 'SELECT id AS k FROM held', /public.held/],
    [
      'the catalog',
      'SELECT s.id AS k FROM sales s, pg_catalog.pg_class c WHERE c.relname = s.region',
      /pg_catalog.pg_class/,
    ],
  ])('is refused if it reads data that is not captured, from %s', async (_, sql, why) => {
    expect((await findings(sql)).get('batch.reads')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(why),
    });
  });

  it.each([
    ['SELECT id AS k FROM sales WHERE at < now()', /now\(\)/],
    ['SELECT id AS k, current_date AS day FROM sales', /current_date/],
    ['SELECT id AS k FROM sales WHERE pg_catalog.random() < 0.5', /random\(\)/],
    ["SELECT id AS k FROM sales WHERE at > 'yesterday'::timestamptz", /yesterday/],
    ["SELECT id AS k FROM sales WHERE at > 'yesterday'", /yesterday/],
    ['SELECT id AS k, random()::numeric(14,2) AS total FROM sales', /random\(\)/],
    ['SELECT id AS k FROM todays', /now\(\) in todays/],
    ['SELECT id AS k, fresh()::date AS day FROM sales', /clock_timestamp\(\) in fresh\(\)/],
  ])('is refused if it depends on the clock or on chance: %s', async (sql, why) => {
    expect((await findings(sql)).get('batch.reads')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(why),
    });
  });

  it.each([
    ["SELECT id AS k, hidden('fees') AS total FROM sales", /hidden\(text\).*EXECUTE/],
    [
      "SELECT nentry AS k FROM ts_stat('SELECT to_tsvector(region) FROM fees')",
      /ts_stat.*VOLATILE/,
    ],
    ['SELECT id AS k FROM sales WHERE recent(at)', /'yesterday' may stand for the current time/],
  ])('counts as unknown if a function may read tables or the clock: %s', async (sql, why) => {
    expect((await findings(sql)).get('batch.reads')).toMatchObject({
      status: 'unknown',
      detail: expect.stringMatching(why),
    });
  });

  it('is refused if a view that it reads depends on the clock, also outside of the schema public', async () => {
    const { client, name } = database;
    await client.query(`ALTER DATABASE ${name} SET search_path = own, public`);
    try {
      expect((await findings('SELECT id AS k FROM daily')).get('batch.reads')).toMatchObject({
        status: 'failed',
        detail: expect.stringMatching(/now\(\) in daily/),
      });
    } finally {
      await client.query(`ALTER DATABASE ${name} RESET search_path`);
    }
  });

  it.each([
    [
      'keys that occur in several rows',
      'SELECT shop AS k FROM sales WHERE shop IS NOT NULL',
      /not unique: 19 keys .* 380 rows/,
    ],
    [
      'keys that are NULL',
      'SELECT shop AS k, sum(cents) AS total FROM sales GROUP BY 1',
      /1 of 20 rows .* NULL in their key/,
    ],
    [
      'values that the table of the result rounds',
      'SELECT id AS k, part AS total FROM sales',
      /total is stored as numeric\(14,2\), which changes \d+ of 400 rows/,
    ],
  ])('is refused for %s', async (_, sql, why) => {
    expect((await findings(sql)).get('batch.run')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(why),
    });
  });

  it('is refused if its result depends on settings of the database or the batch role; they are named', async () => {
    const local = 'SELECT max(id) AS k, at::date AS day FROM sales GROUP BY 2';
    const utc = "SELECT max(id) AS k, (at AT TIME ZONE 'UTC')::date AS day FROM sales GROUP BY 2";
    const stamp = 'SELECT id AS k, NULL::numeric(14,2) AS total FROM sales WHERE at IS NOT NULL';
    await database.client.query(
      `ALTER DATABASE ${database.name} SET timezone = 'America/New_York'`,
    );
    expect((await findings(local)).get('batch.run')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/settings of the database \(TimeZone = 'America\/New_York'\)/),
    });
    // the text of arrays and ranges of timestamptz depends on TimeZone, but their values do not
    const many =
      'SELECT id AS k, ARRAY[at] AS ats, ARRAY[tstzrange(at, NULL)] AS spans, tstzrange(at, NULL) AS span FROM sales';
    for (const sql of [utc, stamp, many])
      expect((await findings(sql)).get('batch.run')).toMatchObject({ status: 'passed' });
    await database.client
      .query(`ALTER DATABASE ${database.name} SET timezone = 'Etc/UTC'; DROP ROLE IF EXISTS bq_nightly; CREATE ROLE bq_nightly; ALTER ROLE bq_nightly SET timezone = 'Asia/Tokyo';
      ALTER TABLE totals_batch OWNER TO bq_nightly`);
    try {
      expect((await findings(local)).get('batch.run')).toMatchObject({
        status: 'failed',
        detail: expect.stringMatching(/settings of role bq_nightly \(TimeZone = 'Asia\/Tokyo'\)/),
      });
      expect((await findings(utc)).get('batch.run')).toMatchObject({ status: 'passed' });
    } finally {
      await database.client.query(
        'ALTER TABLE totals_batch OWNER TO CURRENT_USER; DROP ROLE bq_nightly',
      );
    }
  });

  it('passes if it returns infinite dates, times and numbers', async () => {
    const sql = `SELECT id AS k, (ARRAY['infinity', '-infinity']::date[])[1 + id % 2] AS day, 'infinity'::timestamptz AS until, ARRAY['-infinity'::date] AS days,
      daterange('-infinity', 'infinity') AS span, 'Infinity'::numeric AS most, '-Infinity'::real AS least, 'NaN'::float8 AS none FROM sales`;
    expect((await findings(sql)).get('batch.run')).toMatchObject({ status: 'passed' });
  });

  it('is refused if row security hides rows from the role of the batch', async () => {
    const { client } = database;
    const sql = 'SELECT id AS k, NULL::numeric(14,2) AS total FROM sales';
    await client.query(`DROP ROLE IF EXISTS bq_filtered; CREATE ROLE bq_filtered; ALTER TABLE totals_batch OWNER TO bq_filtered;
      ALTER TABLE sales ENABLE ROW LEVEL SECURITY; CREATE POLICY north ON sales USING (region = 'n')`);
    try {
      expect((await findings(sql)).get('batch.run')).toMatchObject({
        status: 'failed',
        detail: expect.stringMatching(/row security of public\.sales applies to role bq_filtered/),
      });
      await client.query('ALTER ROLE bq_filtered BYPASSRLS');
      expect((await findings(sql)).get('batch.run')).toMatchObject({ status: 'passed' });
    } finally {
      await client.query(
        'ALTER TABLE totals_batch OWNER TO CURRENT_USER; DROP ROLE bq_filtered; DROP POLICY north ON sales; ALTER TABLE sales DISABLE ROW LEVEL SECURITY',
      );
    }
  });
});
