// Tests the drafts of a pipeline that `sluice assess` derives from the SQL of a batch.
import { beforeAll, describe, expect, it } from 'vitest';
import type { TableFacts } from '../../src/assess/facts.js';
import type { Process } from '../../src/assess/portfolio.js';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { startingPoints } from '../../src/assess/starting-points/index.js';
import { PAY } from './good-process.js';

beforeAll(loadParser);

const pay: TableFacts = {
  ...PAY,
  columns: [
    ...PAY.columns,
    { name: 'at', type: 'timestamptz', declared: 'timestamp with time zone' },
  ],
};
const pointsFor = (sql: string, result: TableFacts | null = null) =>
  startingPoints(
    {
      name: 'pay-totals',
      query: { sql },
      result: { table: 'public.r', key: ['store'] },
    } satisfies Process,
    [pay],
    result,
  );
const SQL = `WITH late AS (SELECT store, amount FROM pay WHERE at > '2026-01-01' AND amount IS NOT NULL)
SELECT store, sum(amount)::numeric(12, 2) AS total, count(*) AS n FROM late GROUP BY 1`;

describe('the starting points of a pipeline', () => {
  it('in Flink SQL have one query for each stage, with topic placeholders and the expected types', () => {
    const [flink] = pointsFor(SQL);
    expect(flink!.open).toEqual([]);
    expect(flink!.text).toContain("'topic' = '${topic:public.pay}'");
    expect(flink!.text).toContain(
      'CREATE TEMPORARY VIEW `stage_late` AS\nSELECT `store`,\n  `amount`\nFROM `pay` AS `pay`\nWHERE',
    );
    expect(flink!.text).toContain(
      '`store` INT,\n  `total` DECIMAL(12, 2),\n  `n` BIGINT,\n  PRIMARY KEY (`store`) NOT ENFORCED',
    );
    expect(flink!.text).toMatch(
      /INSERT INTO sluice_output\nSELECT `store`,\n {2}CAST\(SUM\(`amount`\) AS DECIMAL\(12, 2\)\) AS `total`,[\s\S]*GROUP BY `store`;/,
    );
  });

  it('give an output column the type that the result table declares, or a guess if it has no precision', () => {
    const sql = 'SELECT store, sum(amount) AS paid, sum(amount) AS gross FROM pay GROUP BY store';
    const result = (gross: string): TableFacts => ({
      ...pay,
      table: 'public.r',
      columns: [
        { name: 'store', type: 'int4', declared: 'integer' },
        { name: 'paid', type: 'numeric', declared: 'numeric(14,4)' },
        { name: 'gross', type: 'numeric', declared: gross },
      ],
    });
    const [declared] = pointsFor(sql, result('numeric(9)'));
    expect(declared!.text).toContain('`paid` DECIMAL(14, 4),\n  `gross` DECIMAL(9, 0),');
    expect(declared!.open).toEqual([]);
    const [without] = pointsFor(sql, result('numeric'));
    expect(without!.text).toContain('`paid` DECIMAL(14, 4),\n  `gross` DECIMAL(38, 10),');
    expect(without!.open).toEqual(['output column gross: its type is a guess (DECIMAL(38, 10))']);
  });

  it('name the functions that must be written by hand, and leave them unchanged', () => {
    const [flink] = pointsFor(
      'SELECT store, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS middle FROM pay GROUP BY store',
    );
    expect(flink!.open).toContain('result: function percentile_cont must be written by hand');
    expect(flink!.text).toContain(
      '-- OPEN result: function percentile_cont has no equivalent here. The original:\n-- SELECT store, percentile_cont',
    );
  });

  it.each([
    ['DISTINCT ON (store) store, amount FROM pay', 'DISTINCT ON'],
    ['store FROM pay OFFSET 3', 'WINDOW, LIMIT, OFFSET or VALUES'],
    ['s.a AS store FROM (SELECT store FROM pay) AS s (a)', 'an alias that names columns'],
    ['store FROM pay AS p (i, store)', 'an alias that names columns'],
    ['j.store FROM (pay a JOIN pay b USING (id)) AS j', 'an alias of a JOIN'],
    ['store FROM ONLY pay', 'ONLY'],
    ["store, at::timestamp AT TIME ZONE 'CET' AS t FROM pay", 'AT TIME ZONE of a value'],
    ["store, now() AT TIME ZONE 'CET' AS t FROM pay", 'AT TIME ZONE of a value'],
    [
      "store, at AT TIME ZONE 'CET' AS t FROM (SELECT store, at::timestamp AS at FROM pay) AS s",
      'AT TIME ZONE of a value',
    ],
  ])(
    'leave SELECT %s to the reader, because Flink SQL would compute something else',
    (sql, what) => {
      const [flink] = pointsFor(`SELECT ${sql}`);
      expect(flink!.open.join()).toContain(`result: ${what}`);
      expect(flink!.text).toMatch(/-- OPEN result: [^]*The original:\n-- SELECT/);
    },
  );

  it('leave a CTE that names its columns to the reader', () => {
    const [flink] = pointsFor('WITH s (a) AS (SELECT store FROM pay) SELECT a AS store FROM s');
    expect(flink!.open).toContain('s: a CTE that names its columns must be written by hand');
  });

  it('convert a timestamptz to the local time of a zone', () => {
    const [flink] = pointsFor("SELECT store, at AT TIME ZONE 'CET' AS t FROM pay");
    expect(flink!.text).toContain("'UTC', 'CET')");
  });

  it('include a draft of `batch.stages` for the spec, with a query for each stage that runs by itself', () => {
    const stages = pointsFor(
      `WITH s AS (SELECT store, sum(amount) AS t FROM pay GROUP BY store) SELECT store, t FROM s`,
    ).at(-1)!;
    expect(stages.text).toContain('  - name: s\n    key: [store]\n    topic: pay-totals.s');
    expect(stages.text).toContain(
      'WITH s AS (SELECT store, sum(amount) AS t FROM pay GROUP BY store) SELECT * FROM s',
    );
  });

  it('include the stages of a WITH that precedes an INSERT', () => {
    const insert = `WITH late AS (SELECT store, amount FROM pay) INSERT INTO r WITH s AS (SELECT store, sum(amount) AS t FROM late GROUP BY store) SELECT store, t FROM s`;
    const [flink] = pointsFor(insert);
    expect(flink!.text).toMatch(
      /VIEW `stage_late` AS[\s\S]*VIEW `stage_s` AS[\s\S]*FROM `stage_late`/,
    );
    const stages = pointsFor(insert).at(-1)!;
    expect(stages.text).toContain(
      'WITH late AS (SELECT store, amount FROM pay), s AS (SELECT store, sum(amount) AS t FROM late GROUP BY store) SELECT * FROM s',
    );
  });

  it('are refused for text that is not one SELECT', () => {
    expect(() => pointsFor('TRUNCATE r; INSERT INTO r SELECT 1')).toThrow(/not one SELECT/);
  });
});
