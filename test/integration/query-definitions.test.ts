// Tests on a real database that a fact changes if a person redefines a view or function that a
// query of the batch uses. Earlier windows then no longer count.
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { definitionFacts } from '../../src/activities/checks/queries/query-definitions.js';
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
    CREATE VIEW base AS SELECT * FROM sales; CREATE VIEW taxed AS SELECT id, tax(cents) AS tax FROM base;`);
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
});
