import { describe, expect, it } from 'vitest';
import { flinkPlan, secretsOfStatements } from '../../src/connectors/flink-sql.js';
import { splitStatements } from '../../src/domain/pipelines/split-statements.js';
import { stripSemicolon } from '../../src/domain/values/strip-semicolon.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

describe('a text of statements', () => {
  it('is split at semicolons outside quotes, comments and statement sets', () => {
    const text =
      "SET 'a' = 'x;y'; -- not; here\nCREATE TABLE `odd;name` (a INT) /* nor; here */;\nCREATE STREAM \"an;other\" (a INT);\nEXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;\nSELECT 'it''s; one'";
    expect(splitStatements(text)).toEqual([
      "SET 'a' = 'x;y'",
      'CREATE TABLE `odd;name` (a INT)',
      'CREATE STREAM "an;other" (a INT)',
      'EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END',
      "SELECT 'it''s; one'",
    ]);
  });
});

const withText = (sql: string) => {
  const spec = aSpec({ spec: BATCH_PARTS });
  const pipeline = {
    ...spec.spec.pipeline!,
    type: 'flink-sql' as const,
    gateway: 'http://gateway',
    statements: { sql },
  };
  return { ...spec, spec: { ...spec.spec, pipeline } };
};

describe('a Flink SQL pipeline', () => {
  it('has its placeholders filled in and its jobs named', () => {
    const spec = withText(
      "CREATE TABLE a (x INT) WITH ('topic' = '${topic:public.accounts}', 'g' = '${group}'); INSERT INTO o SELECT 1; INSERT INTO p SELECT '${output}'",
    );
    const name = spec.metadata.name;
    expect(flinkPlan(spec, 2)).toEqual({
      setup: [
        `CREATE TABLE a (x INT) WITH ('topic' = '${name}.g2.public.accounts', 'g' = 'totals')`,
      ],
      jobs: [
        { name: `sluice-${name}-g2-1`, sql: 'INSERT INTO o SELECT 1' },
        { name: `sluice-${name}-g2-2`, sql: "INSERT INTO p SELECT 'totals'" },
      ],
    });
  });

  it('keeps references to secrets, which Flink resolves', () => {
    const sql = "SET 'a' = '${env:A} ${file:/b:c} ${directory:/d:e}'";
    expect(flinkPlan(withText(`${sql}; INSERT INTO o SELECT 1`), 1).setup).toEqual([sql]);
    expect(secretsOfStatements(sql)).toEqual([{ env: 'A' }, { file: '/b:c' }, { file: '/d/e' }]);
  });

  it.each([
    ["INSERT INTO o SELECT '${topic:public.nope}'", /public.nope is not captured/],
    ["INSERT INTO o SELECT '${brokerz}'", /is not a placeholder/],
    ['CREATE TABLE a (x INT)', /start no job/],
    ['SELECT 1; INSERT INTO o SELECT 1', /"SELECT 1" cannot be used in a pipeline/],
  ])('is refused, and the error names what is wrong in its statements: %s', (sql, message) =>
    expect(() => flinkPlan(withText(sql), 1)).toThrow(message),
  );
});

describe('a query that is used as a subquery', () => {
  const bare =
    "SELECT '; -- no end' AS \"a;b\", $$ -- x; $$ AS c, E'\\'; --' AS d FROM t /* in /* it */ */ WHERE x = 1";
  it.each([
    '',
    ';',
    ' ;;\n',
    ' -- nightly, owner: finance',
    '; -- end of job',
    '; /* 17 runs\n a /* week */ */ ',
    ' -- one\n; -- two',
    " -- it's",
  ])('loses its final semicolon and comments: %j', (ending) =>
    expect(stripSemicolon(`${bare}${ending}`)).toBe(bare),
  );
  it('may have a name with a dollar sign after a letter that is not ASCII', () =>
    expect(stripSemicolon('SELECT 1 AS é$x$; -- $x$')).toBe('SELECT 1 AS é$x$'));
  it('keeps a second statement, which the server then refuses', () =>
    expect(stripSemicolon('SELECT 1; SELECT 2;')).toBe('SELECT 1; SELECT 2'));
});
