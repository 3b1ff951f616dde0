import { beforeAll, describe, expect, it } from 'vitest';
import type { TableFacts } from '../../src/assess/facts.js';
import type { Process } from '../../src/assess/portfolio.js';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { startingPoints } from '../../src/assess/starting-points/index.js';

beforeAll(loadParser);

const pay: TableFacts = {
  table: 'public.pay',
  kind: 'r',
  rows: 1,
  bytes: 1,
  key: ['id'],
  replicaIdentity: 'default',
  mayRead: true,
  unprovable: [],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'store', type: 'int4' },
    { name: 'amount', type: 'numeric' },
    { name: 'at', type: 'timestamptz' },
  ],
  total: null,
  perDay: null,
};
const pointsFor = (sql: string) =>
  startingPoints(
    {
      name: 'pay-totals',
      query: { sql },
      result: { table: 'public.r', key: ['store'] },
    } satisfies Process,
    [pay],
  );
const SQL = `WITH late AS (SELECT store, amount FROM pay WHERE at > '2026-01-01' AND amount IS NOT NULL)
SELECT store, sum(amount)::numeric(12, 2) AS total, count(*) AS n FROM late GROUP BY 1`;

describe('starting points', () => {
  it('are one query for each stage in Flink SQL, with topic placeholders and the expected types', () => {
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

  it('name what must be written by hand, and leave it unchanged', () => {
    const [flink] = pointsFor(
      'SELECT store, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS middle FROM pay GROUP BY store',
    );
    expect(flink!.open).toContain('result: function percentile_cont must be written by hand');
    expect(flink!.text).toContain(
      '-- OPEN result: function percentile_cont has no equivalent here. The original:\n-- SELECT store, percentile_cont',
    );
  });

  it('return the stages that can be validated alone, each as a query that runs alone', () => {
    const stages = pointsFor(
      `WITH s AS (SELECT store, sum(amount) AS t FROM pay GROUP BY store) SELECT store, t FROM s`,
    ).at(-1)!;
    expect(stages.text).toContain('  - name: s\n    key: [store]\n    topic: pay-totals.s');
    expect(stages.text).toContain(
      'WITH s AS (SELECT store, sum(amount) AS t FROM pay GROUP BY store) SELECT * FROM s',
    );
  });

  it('are refused for text that is not one SELECT', () => {
    expect(() => pointsFor('TRUNCATE r; INSERT INTO r SELECT 1')).toThrow(/not one SELECT/);
  });
});
