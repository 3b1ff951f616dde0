// Tests on a real database how doctor checks a statement that the spec gives for the batch. The
// example is batch.retire. Doctor reports a wrong statement, and runs no statement.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkActions } from '../../src/activities/checks/batch-action-checks.js';
import { freshDatabase } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;

beforeAll(async () => {
  database = await freshDatabase(
    `CREATE TABLE control (paused_until timestamptz); INSERT INTO control VALUES (NULL)`,
  );
});
afterAll(() => database.drop());

async function said(sql: string): Promise<{ status: string; detail: string; remedy: string }> {
  const parts = { result: { table: 'public.r', key: ['k'] }, query: { sql: 'SELECT 1 AS k' } };
  const [check] = await checkActions(database.client, { ...parts, retire: { sql } } as never);
  return check!;
}

describe('a statement of the batch', () => {
  it.each([
    'UPDATE control SET paused_until = $1',
    'UPDATE control SET paused_until = NULL; DELETE FROM control;',
    'ALTER TABLE control RENAME TO old',
    'CREATE TABLE later AS SELECT $1::timestamptz AS until',
  ])('passes if Postgres accepts it, and is not run: %s', async (sql) => {
    expect(await said(sql)).toMatchObject({ status: 'passed' });
    const { rows } = await database.client.query('SELECT count(*)::int AS n FROM control');
    expect(rows).toEqual([{ n: 1 }]);
  });

  it.each([
    'UPDATE control SET paused_until = $1; DELETE FROM control',
    'SELECT 1 -- until $1',
    'UPDATE control SET paused_until = least($1, $2)',
    "DO $$ BEGIN EXECUTE 'SELECT $1'; END $$",
    'CREATE VIEW pausing AS SELECT $1::timestamptz AS until',
    'COPY (SELECT $1) TO STDOUT',
    'PREPARE pausing AS UPDATE control SET paused_until = $1',
  ])('fails if Postgres would refuse its parameter when it runs: %s', async (sql) => {
    await expect(database.client.query(sql, [new Date().toISOString()])).rejects.toThrow();
    expect(await said(sql)).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/parameter/) as string,
      remedy: expect.stringContaining('correct batch.retire') as string,
    });
  });

  it('fails if it writes the parameter with leading zeros, because Postgres then has no value for it', async () => {
    expect(await said('UPDATE control SET paused_until = $01')).toMatchObject({
      status: 'failed',
      detail: 'it writes the parameter $1 with leading zeros; write $1',
    });
  });

  it.each([0, 2])(
    'fails if it has another parameter than $1, and the detail names the parameter: $%s',
    async (number) => {
      expect(await said(`UPDATE control SET paused_until = $${number}`)).toMatchObject({
        status: 'failed',
        detail: `it has the parameter $${number}, but only $1 has a value`,
      });
    },
  );

  it.each([
    ['a table that does not exist', 'UPDATE kontrol SET paused_until = $1', 'kontrol'],
    ['a column that does not exist', 'UPDATE control SET until = NULL', 'until'],
    ['a syntax error', 'UPDAT control SET paused_until = NULL', 'syntax error'],
    ['a syntax error in a later statement', 'SELECT 1; DELET FROM control', 'syntax error'],
  ])('fails with the cause and a remedy if it has %s', async (_what, sql, cause) => {
    expect(await said(sql)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(cause) as string,
      remedy: expect.stringContaining('correct batch.retire') as string,
    });
  });
});
