// Tests that SQL in a spec can only read data, except in fields that are meant to change data.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { describeQuery } from '../../src/clients/postgres/catalog.js';
import { parseCondition, readLone } from '../../src/clients/postgres/single-statement.js';
import { readSource } from '../../src/clients/postgres/connection.js';
import { readRows } from '../../src/activities/windows/canonical-rows.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import { freshDatabase, sluice, specFile, specOf } from '../support/sluice.js';

const SETUP = `CREATE TABLE orders (id bigint PRIMARY KEY, n int);
CREATE TABLE precious (id int PRIMARY KEY); INSERT INTO precious VALUES (1);
CREATE TABLE totals_batch (n int PRIMARY KEY, sum bigint);
CREATE SEQUENCE counter;
CREATE FUNCTION empties() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM precious; RETURN 1; END'`;
const GOOD = 'SELECT n, sum(n) AS sum FROM orders GROUP BY n';

/** Queries that would write, or would allow the next statement to write. */
const HOSTILE: readonly [string, string][] = [
  [
    'closes the parenthesis and adds more statements',
    `${GOOD}) q; DROP TABLE precious; SELECT * FROM (${GOOD}`,
  ],
  ['is two statements', `${GOOD}; DELETE FROM precious`],
  ['closes the parenthesis and stays one statement', 'SELECT 1 AS n) q, (SELECT empties() AS sum'],
  ['ends the transaction first', `COMMIT; DELETE FROM precious; ${GOOD}`],
  [
    'deletes and returns',
    'WITH gone AS (DELETE FROM precious RETURNING id) SELECT id AS n, 1 AS sum FROM gone',
  ],
  ['is not a query', 'DELETE FROM precious RETURNING id AS n, 1 AS sum'],
  ['calls a function that writes', 'SELECT empties() AS n, 1 AS sum'],
  ['takes a number from a sequence', "SELECT nextval('counter') AS n, 1 AS sum"],
  ['creates a table', 'SELECT n, n AS sum INTO loot FROM orders'],
  [
    'leaves read-only mode by set_config, then writes',
    "SELECT set_config('transaction_read_only', 'off', false)::text AS n, empties() AS sum",
  ],
  [
    'leaves read-only mode for the next statement',
    "SELECT length(set_config('default_transaction_read_only', 'off', false)) AS n, 1 AS sum",
  ],
];

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase(SETUP);
});
afterAll(() => database.drop());

const untouched = async (): Promise<void> => {
  const { rows } = await database.client.query<object>(
    `SELECT (SELECT count(*)::int FROM precious) AS precious, to_regclass('loot') IS NULL AS no_loot, (SELECT is_called FROM counter) AS counted`,
  );
  expect(rows).toEqual([{ precious: 1, no_loot: true, counted: false }]);
};

const batch = (query: string, more: object = {}) => ({
  batch: { result: { table: 'public.totals_batch', key: ['n'] }, query: { sql: query }, ...more },
  pipeline: { type: 'external', groups: ['g'], output: { topic: 'totals', key: ['n'] } },
});

describe.each(HOSTILE)('a query that %s', (_what, query) => {
  it('changes nothing in doctor, neither as the batch’s query nor as a stage’s', async () => {
    const stages = [{ name: 'first', query: { sql: query }, key: ['n'], topic: 'first' }];
    for (const parts of [batch(query), batch(GOOD, { stages })]) {
      sluice('doctor', '-f', specFile('hostile', database.name, ['public.orders'], parts));
      await untouched();
    }
  });

  it('changes nothing in a window’s session, and later statements of the session change nothing either', async () => {
    const parsed = parseSpecObject(specOf('hostile', database.name, ['public.orders']));
    const spec = (parsed as { spec: MigrationSpec }).spec;
    await readSource(
      spec,
      () => process.env['PGPASSWORD']!,
      async (client: pg.Client) => {
        const tried = async (use: () => Promise<unknown>): Promise<void> =>
          void (await use().catch(() => undefined));
        await tried(() => describeQuery(client, query));
        await tried(() => readLone(client, `SELECT count(*) FROM (${query}\n) AS q`));
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        const shape = { key: ['n'], columns: [{ name: 'n', type: 'text' }] };
        await tried(() =>
          readRows(
            client,
            `(${query}) AS q`,
            shape,
            { rowsPerSecond: 0, heartbeat: () => undefined },
            () => undefined,
          ),
        );
        await client.query('ROLLBACK');
        await tried(() => readLone(client, 'SELECT empties()'));
        await tried(() => client.query('DELETE FROM precious'));
      },
    );
    await untouched();
  });
});

describe('a condition of a spec', () => {
  it.each([
    ['is two statements', 'true; DELETE FROM precious'],
    ['closes the parenthesis', 'true) OR (true'],
    ['closes the parenthesis and writes', 'true); DELETE FROM precious; SELECT (true'],
    ['has more SQL after the condition', 'true LIMIT 1) UNION ALL SELECT (1'],
    ['is incomplete', 'n +'],
  ])('is refused and not run if it %s', async (_what, condition) => {
    await expect(
      parseCondition(database.client, condition, 'n', 'public.totals_batch'),
    ).rejects.toThrow(/.+/);
    const more = { runs: { table: 'public.totals_batch' } };
    const file = specFile('hostile', database.name, ['public.orders'], {
      ...batch(GOOD, more),
      validation: { closedKeys: condition },
    });
    sluice('doctor', '-f', file);
    await untouched();
  });

  it('may end in a comment', () =>
    expect(
      parseCondition(database.client, 'n < 3 -- closed', 'n', 'public.totals_batch'),
    ).resolves.toBeUndefined());
});

describe('a query of a spec', () => {
  it('can be described even if it ends in a comment or a semicolon', async () => {
    for (const text of [
      `${GOOD};`,
      `${GOOD} -- all of it`,
      `WITH x AS (${GOOD}) SELECT * FROM x /* done */`,
      'VALUES (1, 2)',
    ]) {
      expect((await describeQuery(database.client, text)).length, text).toBe(2);
    }
  });
});
