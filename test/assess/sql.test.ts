// Tests what Sluice finds in the SQL of a batch: flags, tables, stages, and texts that it cannot
// read.
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseSql, loadParser } from '../../src/assess/sql/analyse.js';
import { mayConvertTime, zonedTimes } from '../../src/assess/sql/zoned-times.js';
import { CORPUS, TYPES } from './corpus.js';
import { ORDER_CORPUS } from './order-corpus.js';

beforeAll(loadParser);

describe('reading the SQL of a batch', () => {
  it.each([...CORPUS, ...ORDER_CORPUS])(
    'finds the flags and the hardest kind of state in: %s',
    (sql, flags, hardest) => {
      const found = analyseSql(sql, { types: TYPES });
      expect(found.error).toBeNull();
      expect([[...new Set(found.flags.map((f) => f.id))].sort(), found.class]).toEqual([
        [...flags].sort(),
        hardest,
      ]);
    },
  );

  it.each([
    ["SELECT t AT TIME ZONE 'CET' FROM a", ['SELECT t  COLLATE "C" AT TIME ZONE \'CET\' FROM a']],
    ['SELECT t at local FROM a', ['SELECT t  COLLATE "C" at local FROM a']],
    [
      'SELECT pg_catalog.timezone(z.name, (d + t)[1]) AS é FROM a',
      ['SELECT pg_catalog.timezone(z.name, ( (d + t)[1]) COLLATE "C" ) AS é FROM a'],
    ],
    ["SELECT timezone('utc'::text, t), t AT TIME ZONE '+02', t AT TIME ZONE INTERVAL '1 h'", []],
    [
      "SELECT timezone('utc' || x, t) FROM a",
      ['SELECT timezone(\'utc\' || x, ( t) COLLATE "C" ) FROM a'],
    ],
    ['SELECT "timezone", at, time, zone FROM a', []],
  ])(
    'finds the operand of each conversion to a time zone whose offset can change: %s',
    (sql, probes) => {
      expect(zonedTimes(sql).map(({ probe }) => probe)).toEqual(probes);
    },
  );

  it.each([
    ["f(time) AS $$ SELECT $1 AT TIME ZONE 'CET' $$", true],
    ['f(timetz) AS $$ SELECT timezone(zone, $1) $$', true],
    ["f(timestamp with time zone) AS $$ SELECT $1 AT TIME ZONE 'CET' $$", false],
    ['f(time) AS $$ SELECT $1 $$', false],
  ])(
    'says whether a function may convert a time of day to a different time zone: %s',
    (text, may) => {
      const sql = `CREATE FUNCTION ${text} LANGUAGE sql`.replace(
        / AS (.*) LANGUAGE/,
        ' RETURNS text LANGUAGE sql AS $1 --',
      );
      expect(mayConvertTime(sql, analyseSql(sql))).toBe(may);
    },
  );

  it('splits a query into stages that can run alone, in the order of their computation', () => {
    const { blocks, tables } = analyseSql(
      `WITH paid AS (SELECT order_id, sum(amount) AS paid FROM public.pay GROUP BY order_id), late AS (SELECT order_id, paid FROM paid WHERE paid > 5)
       SELECT o.store, sum(l.paid) AS paid FROM shop.orders o JOIN late l ON l.order_id = o.id JOIN (SELECT id FROM stores WHERE open) AS open_stores ON open_stores.id = o.store GROUP BY o.store`,
    );
    expect(tables).toEqual(['public.pay', 'public.stores', 'shop.orders']);
    expect(blocks.map((b) => [b.name, b.reads, b.key])).toEqual([
      ['paid', ['public.pay'], ['order_id']],
      ['late', ['paid'], []],
      ['open-stores', ['public.stores'], []],
      ['result', ['shop.orders', 'late', 'open-stores'], ['store']],
    ]);
    for (const block of blocks) expect(analyseSql(block.sql!).error, block.sql!).toBeNull();
    expect(blocks[1]!.sql).toMatch(/^WITH paid AS \(.*\), late AS \(.*\) SELECT \* FROM late$/s);
  });

  it('reports place and cause of SQL that PostgreSQL cannot parse', () => {
    expect(analyseSql('SELECT id\nFROM pay\nWHRE x').error).toEqual({
      message: 'syntax error at or near "x"',
      line: 3,
      column: 6,
    });
  });

  it('finds the statements inside a PL/pgSQL body, and names the text that it cannot read', () => {
    const found = analyseSql(`CREATE FUNCTION nightly() RETURNS void LANGUAGE plpgsql AS $$
      DECLARE n int; BEGIN n := 1; DELETE FROM result; INSERT INTO result SELECT store, sum(amount) FROM pay WHERE at > now() GROUP BY store; EXECUTE 'ANALYZE ' || n; END $$`);
    expect([found.tables, found.writes, found.flags.map((f) => f.id), found.unread]).toEqual([
      ['public.pay'],
      ['public.result'],
      ['now'],
      [expect.stringMatching(/nightly, line \d+: EXECUTE of a text that is built/)],
    ]);
  });

  it.each([
    ['UPDATE result SET rank = 1', 'UPDATE public.result'],
    [
      'MERGE INTO result r USING more m ON m.store = r.store WHEN MATCHED THEN UPDATE SET total = m.total',
      'MERGE INTO public.result',
    ],
    ['UPDATE pay SET amount = 0 WHERE amount < 0', 'UPDATE public.pay'],
  ])('names as unread what computes a part of the result outside of a SELECT: %s', (sql, found) => {
    const insert = 'INSERT INTO result SELECT store, sum(amount) FROM pay GROUP BY store';
    const { unread } = analyseSql(`${insert}; ${sql}`, { output: 'public.result' });
    expect(unread).toEqual([`${found}, which computes values outside of a SELECT`]);
  });

  it('does not need to read the statements that write a run log or empty the result', () => {
    const { unread } = analyseSql(
      'INSERT INTO runs VALUES (1); DELETE FROM result; INSERT INTO result SELECT store, sum(amount) FROM pay GROUP BY store; UPDATE runs SET finished_at = now()',
      { output: 'public.result' },
    );
    expect(unread).toEqual([]);
  });

  it('names every function and operator in the SQL, even those with a built-in name', () => {
    const { functions, operators } = analyseSql(
      'SELECT a.f(x), round(y, 2), g(DISTINCT z) FILTER (WHERE z === ANY (SELECT h(1))) FROM t ORDER BY x USING <<',
    );
    expect([[...functions].sort(), [...operators].sort()]).toEqual([
      ['a.f', 'g', 'h', 'round'],
      ['<<', '==='],
    ]);
  });

  it.each([
    ["SELECT id FROM t WHERE at > 'today 08:00'::timestamp", ["'today 08:00'"], ['today 08:00']],
    ["SELECT id FROM t WHERE at > 'now'::timetz", ["'now'"], ['now']],
    ["SELECT id FROM t WHERE day < 'tomorrow'", [], ['tomorrow']],
    ["SELECT id FROM t WHERE note = 'tomorrow?'", [], []],
  ])('finds constants that may mean the current time: %s', (sql, casts, constants) => {
    const { flags, moments } = analyseSql(sql);
    const clock = flags.filter(({ id }) => id === 'now').map(({ found }) => found);
    expect([clock, moments.map(({ text }) => text)]).toEqual([casts, constants]);
  });

  it('reports text that is not a query as unknown, never as harmless', () => {
    for (const sql of [
      'CALL nightly()',
      'DO $$ BEGIN PERFORM 1; END $$',
      "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'",
      '',
    ]) {
      const found = analyseSql(sql);
      expect([found.class, sql === '' || found.unread.length > 0]).toEqual(['unknown', true]);
    }
  });
});
