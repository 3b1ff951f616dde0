import { describe, expect, it } from 'vitest';
import { flinkPlan } from '../../src/connectors/flink-sql.js';
import { splitStatements } from '../../src/domain/statements.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

describe('a text of statements', () => {
  it('is cut at semicolons that are in no quotes, comments or statement set', () => {
    const text =
      "SET 'a' = 'x;y'; -- not; here\nCREATE TABLE `odd;name` (a INT) /* nor; here */;\nEXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;\nSELECT 'it''s; one'";
    expect(splitStatements(text)).toEqual([
      "SET 'a' = 'x;y'",
      'CREATE TABLE `odd;name` (a INT)',
      'EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END',
      "SELECT 'it''s; one'",
    ]);
  });
});

const withText = (sql: string) => {
  const spec = aSpec({ spec: BATCH_PARTS });
  const pipeline = { ...spec.spec.pipeline!, type: 'flink-sql' as const, gateway: 'http://gateway', statements: { sql } };
  return { ...spec, spec: { ...spec.spec, pipeline } };
};

describe('a Flink SQL pipeline', () => {
  it('has its placeholders filled in and its jobs named', () => {
    const spec = withText(
      "CREATE TABLE a (x INT) WITH ('topic' = '${topic:public.accounts}', 'g' = '${group}'); INSERT INTO o SELECT 1; INSERT INTO p SELECT '${output}'",
    );
    const name = spec.metadata.name;
    expect(flinkPlan(spec, 2)).toEqual({
      setup: [`CREATE TABLE a (x INT) WITH ('topic' = '${name}.g2.public.accounts', 'g' = 'totals')`],
      jobs: [
        { name: `sluice-${name}-g2-1`, sql: 'INSERT INTO o SELECT 1' },
        { name: `sluice-${name}-g2-2`, sql: "INSERT INTO p SELECT 'totals'" },
      ],
    });
  });

  it.each([
    ["INSERT INTO o SELECT '${topic:public.nope}'", /no public.nope is captured/],
    ["INSERT INTO o SELECT '${brokerz}'", /is no placeholder/],
    ['CREATE TABLE a (x INT)', /starts no job/],
    ['SELECT 1; INSERT INTO o SELECT 1', /"SELECT 1" is no statement of a pipeline/],
  ])('%s is refused, naming the part', (sql, message) => expect(() => flinkPlan(withText(sql), 1)).toThrow(message));
});
