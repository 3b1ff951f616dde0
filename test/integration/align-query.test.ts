// Tests on a real database which queries can be aligned, that is, rewritten to read the tables as
// of a still point. In an aligned query, the rows of the gap (those that differ between snapshot
// and topics) replace rows of the table. Their values have the table's types.
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { alignQuery, type AlignedQuery } from '../../src/activities/checks/queries/align-query.js';
import { standIn, type GivenRow } from '../../src/assess/sql/stand-in.js';
import { relation } from '../../src/domain/migration/names.js';
import { freshDatabase } from '../support/sluice.js';

const TABLES = ['public.sales', '"Odd".shops'].map(relation);
let client: pg.Client;

beforeAll(async () => {
  const database = await freshDatabase(`
    CREATE SCHEMA "Odd";
    CREATE TABLE sales (id int PRIMARY KEY, shop text COLLATE "C", cents numeric(12,2), at timestamptz, tags text[], raw bytea, code char(4));
    CREATE TABLE "Odd".shops (name text, region int, PRIMARY KEY (name, region));
    CREATE TABLE secret (id int PRIMARY KEY);
    INSERT INTO sales SELECT g, 's' || g % 3, g, '2026-01-01'::timestamptz + g * interval '1 h', ARRAY['a', NULL], '\\x00', 'ab' FROM generate_series(1, 9) g;
    INSERT INTO "Odd".shops VALUES ('s0', 1), ('s1', 1), ('s2', 2);
    CREATE VIEW cheap AS SELECT id, shop, cents AS c FROM sales WHERE cents < 5;
    CREATE VIEW cheapest AS SELECT c.id, s.region FROM cheap c JOIN "Odd".shops s ON s.name = c.shop;
    CREATE VIEW leaky AS SELECT id FROM cheap UNION SELECT id FROM secret;
    CREATE VIEW deeper AS SELECT id FROM leaky;
    CREATE MATERIALIZED VIEW kept AS SELECT id FROM sales;
    CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere; CREATE FOREIGN TABLE abroad (id int) SERVER far;
    CREATE FUNCTION pure(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + 1';
    CREATE FUNCTION peeks() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM sales); END';
    CREATE FUNCTION inlined() RETURNS SETOF secret LANGUAGE sql STABLE AS 'SELECT * FROM secret';
    CREATE FUNCTION moody() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
    CREATE FUNCTION aged(at timestamptz) RETURNS interval LANGUAGE plpgsql STABLE AS 'BEGIN RETURN current_date - at; END';
    CREATE FUNCTION host(int) RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM secret WHERE id = $1); END';
    CREATE FUNCTION round(text, int) RETURNS numeric LANGUAGE sql AS 'SELECT round($1::numeric, $2)';
    CREATE FUNCTION counted(bigint, int) RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1 + (SELECT count(*) FROM secret); END';
    CREATE AGGREGATE tally(int) (SFUNC = counted, STYPE = bigint, INITCOND = 0);
    CREATE OPERATOR #~# (LEFTARG = bigint, RIGHTARG = int, FUNCTION = counted);`);
  ({ client } = database);
  return () => database.drop();
});

const aligned = async (sql: string): Promise<AlignedQuery> => {
  const query = await alignQuery(client, TABLES, sql);
  if (!query.ok) throw new Error(query.reason);
  return query.value;
};

describe('a query that cannot be aligned', () => {
  it.each([
    [
      'WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT id + 1 FROM r WHERE id < 3) SELECT id FROM r',
      /recursive/,
    ],
    ['SELECT id FROM sales TABLESAMPLE SYSTEM (50)', /TABLESAMPLE/],
    ['SELECT id, now() AS t FROM sales', /depends on now\(\)/],
    ['SELECT id, random() AS r FROM sales', /depends on random\(\)/],
    ['SELECT id FROM secret', /reads public\.secret, which is not captured/],
    ['SELECT id FROM deeper', /reads public\.secret, which is not captured/],
    ['SELECT id FROM kept', /reads public\.kept, which is not captured/],
    ['SELECT id FROM abroad', /reads public\.abroad, which is not captured/],
    ['SELECT id FROM gone', /gone, which does not exist/],
    ['SELECT id, peeks() AS n FROM sales', /calls peeks\(\), which reads/],
    ['SELECT id FROM inlined()', /calls inlined\(\), which reads/],
    ['SELECT id, moody() AS n FROM sales', /calls moody\(\), which is VOLATILE/],
    ["SELECT id, query_to_xml('SELECT 1', true, true, '')::text AS x FROM sales", /query_to_xml/],
    ["SELECT word AS id FROM ts_stat('SELECT to_tsvector(shop) FROM secret')", /ts_stat.*VOLATILE/],
    ['SELECT id, aged(at) AS a FROM sales', /calls aged\(.*may depend on current_date/],
    ['SELECT id, host(id) AS h FROM sales', /calls host\(integer\), which reads/],
    ['SELECT shop, tally(DISTINCT id) AS n FROM sales GROUP BY 1', /calls tally\(integer\), whose/],
    ['SELECT id, 1::bigint #~# id AS n FROM sales', /calls counted\(.*which reads/],
    [
      "SELECT id FROM sales WHERE at < 'today'",
      /depends on 'today', which Postgres reads as the current time/,
    ],
    ["SELECT id FROM sales WHERE date(at) < date('tomorrow')", /depends on 'tomorrow'/],
    ['WITH sales AS (SELECT * FROM sales) SELECT id FROM sales', /has the name of public\.sales/],
    ['SELECT id, shop FROM sales GROUP BY id', /Postgres refuses it: .*GROUP BY/],
    ['SELECT ctid::text AS id FROM sales', /Postgres refuses it: .*ctid/],
  ])('is refused with the reason: %s', async (sql, why) =>
    expect(await alignQuery(client, TABLES, sql)).toMatchObject({
      reason: expect.stringMatching(why) as string,
    }),
  );
});

describe('an aligned query', () => {
  const rows: GivenRow[] = [
    {
      key: ['1'],
      values: ['1', 's2', '100.50', '2020-02-02 00:00:00', '{"x,y",NULL}', '\\x5c', 'zz'].map(
        (text) => ({ text }),
      ),
    },
    { key: ['2'], values: null },
    { key: ['77'], values: ['77', 's0', null, null, null, null, null].map((text) => ({ text })) },
  ];
  const columns = ['id', 'shop', 'cents', 'at', 'tags', 'raw', 'code'];
  const replace = (table: string): string | null =>
    table === '"public"."sales"' ? standIn({ sql: table, columns, key: ['id'] }, rows) : null;
  const asOf = async (sql: string): Promise<unknown[]> => {
    const query = (await aligned(sql)).rewrite(replace);
    await client.query(`BEGIN; CREATE TEMP TABLE wanted ON COMMIT DROP AS TABLE sales;
      DELETE FROM wanted WHERE id IN (1, 2); INSERT INTO wanted VALUES (1, 's2', 100.50, '2020-02-02 00:00:00', '{"x,y",NULL}', '\\x5c', 'zz'); INSERT INTO wanted VALUES (77, 's0')`);
    const onCopy = sql.replaceAll(/public\.sales|\bsales\b/g, 'wanted');
    const rowsOf = async (text: string): Promise<object[]> =>
      (await client.query<object>(text)).rows;
    let found: object[];
    let wanted: object[];
    try {
      found = await rowsOf(query);
      wanted = await rowsOf(onCopy);
    } finally {
      await client.query('ROLLBACK');
    }
    const sorted = (list: object[]): string[] => list.map((row) => JSON.stringify(row)).sort();
    expect(sorted(found)).toEqual(sorted(wanted));
    return found;
  };

  it.each([
    'SELECT * FROM sales',
    'SELECT shop, sum(cents) AS total, count(*) AS n FROM public.sales AS sales GROUP BY shop',
    'SELECT s.id, o.region FROM sales s LEFT JOIN "Odd".shops o ON o.name = s.shop',
    'SELECT id FROM sales WHERE NOT EXISTS (SELECT FROM "Odd".shops WHERE name = shop AND region = 1)',
    'WITH x AS (SELECT shop, max(at) AS last FROM sales GROUP BY 1) SELECT * FROM x UNION ALL SELECT shop, at FROM sales',
    'SELECT id, row_number() OVER (PARTITION BY shop ORDER BY cents, id) AS n FROM sales',
    'SELECT shop, min(shop) AS a, array_agg(tags[1] ORDER BY id) AS t FROM sales GROUP BY shop ORDER BY shop',
    'SELECT s.id, l.n FROM sales s, LATERAL (SELECT count(*) AS n FROM sales t WHERE t.shop = s.shop) l',
    'SELECT id, pure(id) AS p, code || raw::text AS c FROM sales',
    "SELECT id, round(cents, 1) AS r FROM sales WHERE shop <> 'today' OR shop <> 'now'::text",
    "SELECT id, v.n FROM sales LEFT JOIN (VALUES ('now', 1), ('s1', 2)) v (shop, n) USING (shop) WHERE shop NOT IN ('today', 'é')",
  ])(
    'returns what the original query would return on a table with the rows of the gap: %s',
    async (sql) => expect((await asOf(sql)).length).toBeGreaterThan(2),
  );

  it('reads the captured tables behind views of views', async () => {
    const query = await aligned('SELECT id, region FROM cheapest');
    expect([...query.tables].sort()).toEqual(['"Odd"."shops"', '"public"."sales"']);
    const { rows: found } = await client.query<{ id: number }>(query.rewrite(replace));
    // row 1 became expensive, and row 2 was deleted
    expect(found.map(({ id }) => id).sort((a, b) => a - b)).toEqual([3, 4]);
  });

  it('is the query itself if no table has a gap', async () => {
    const sql = 'SELECT id FROM sales';
    expect((await aligned(sql)).rewrite(() => null)).toBe(sql);
  });
});
