// Tests the facts about views and functions that a query of the batch uses, on a real database. If
// a person redefines one of them, a fact changes, so earlier windows no longer count. The file also
// tests that Sluice finds views and tables whose names need quotes, or depend on the search path.
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { definitionFacts } from '../../src/activities/checks/queries/query-definitions.js';
import { dependenceOf } from '../../src/activities/checks/queries/query-reads.js';
import { factsChange } from '../../src/domain/evidence/epoch.js';
import { BATCH_PARTS, aPlan } from '../support/builders.js';
import { freshDatabase } from '../support/sluice.js';

let client: pg.Client;

beforeAll(async () => {
  const database = await freshDatabase(`
    CREATE TABLE sales (id int PRIMARY KEY, cents bigint NOT NULL); CREATE TABLE other (id int);
    CREATE FUNCTION rate(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 * 19 / 100; END';
    CREATE FUNCTION tax(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN rate($1); END';
    CREATE FUNCTION unused(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint';
    CREATE VIEW base AS SELECT * FROM sales; CREATE VIEW taxed AS SELECT id, tax(cents) AS tax FROM base;
    CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."c.d" (id int); CREATE VIEW "a.b".dotted AS SELECT id FROM sales WHERE now() IS NOT NULL;
    CREATE FUNCTION of_dotted() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM "a.b"."c.d"); END';
    CREATE SCHEMA app; CREATE TABLE app.fees (id int);
    CREATE FUNCTION of_path() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM fees); END';`);
  ({ client } = database);
  return () => database.drop();
});

const facts = (sql: string): ReturnType<typeof definitionFacts> =>
  definitionFacts(
    client,
    aPlan({
      spec: {
        ...BATCH_PARTS,
        batch: { ...BATCH_PARTS.batch, query: { sql } },
        cutover: {},
      },
    }),
  );
const QUERY = 'SELECT id, sum(tax) AS tax FROM taxed GROUP BY id; -- nightly';

describe('a query of the batch', () => {
  it('has no fact about definitions if it uses no view and no user-defined function', async () => {
    expect(await facts('SELECT id, sum(cents) AS cents FROM sales GROUP BY id')).toEqual({});
  });

  it.each([
    [
      'a view behind its view',
      'CREATE OR REPLACE VIEW base AS SELECT * FROM sales WHERE cents > 0',
      /view base .*view base/,
    ],
    [
      'a function behind its function',
      "CREATE OR REPLACE FUNCTION rate(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 / 4; END'",
      /function rate\(bigint\).*function rate\(bigint\)/,
    ],
    ['a setting of its function', "ALTER FUNCTION tax(bigint) SET timezone = 'Asia/Tokyo'", /tax/],
  ])('begins a new epoch, which names the change, if a person replaces %s', async (_, ddl, why) => {
    const before = await facts(QUERY);
    expect(factsChange(before, await facts(QUERY))).toBeNull();
    await client.query(ddl);
    expect(factsChange(before, await facts(QUERY))?.epoch).toMatch(why);
  });

  it('begins no new epoch if a different function or a privilege changes', async () => {
    const before = await facts(QUERY);
    await client.query(
      "CREATE OR REPLACE FUNCTION unused(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 2::bigint'; REVOKE EXECUTE ON FUNCTION tax(bigint) FROM PUBLIC",
    );
    expect(factsChange(before, await facts(QUERY))).toBeNull();
  });

  it('has a fact about a view in a schema whose name has a dot, and the view is examined', async () => {
    const sql = 'SELECT id, 1 AS cents FROM "a.b".dotted';
    expect(await facts(sql)).toEqual({
      'definitions that the query of result uses': [
        expect.stringContaining('view "a.b".dotted') as string,
      ],
    });
    expect((await dependenceOf(client, sql)).clock).toEqual(['now() in "a.b".dotted']);
  });

  it('is found to read a table with dots in its name, through a function', async () => {
    const { tables } = await dependenceOf(client, 'SELECT id, of_dotted() FROM sales');
    expect(tables).toEqual(['"a.b"."c.d"', 'public.sales']);
  });

  it('is found to read a table that a function finds through the search path', async () => {
    await client.query('SET search_path = app, public');
    const { tables } = await dependenceOf(client, 'SELECT id, of_path() FROM sales');
    await client.query('RESET search_path');
    expect(tables).toEqual(['app.fees', 'public.sales']);
  });
});
