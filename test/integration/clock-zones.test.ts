// Tests on a real database that a query depends on the clock if it converts a time of day to a
// zone whose offset can change. Postgres takes the offset of such a zone from the current date.
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { alignQuery } from '../../src/activities/checks/queries/align-query.js';
import { checkReads } from '../../src/activities/checks/queries/query-reads.js';
import { attempt } from '../../src/activities/runtime/make-finding.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { relation } from '../../src/domain/migration/names.js';
import { aPlan } from '../support/builders.js';
import { freshDatabase } from '../support/sluice.js';

const TABLE = 'public.shops';
let client: pg.Client;

beforeAll(async () => {
  const database = await freshDatabase(`
    CREATE DOMAIN noon AS timetz;
    CREATE TABLE shops (id int PRIMARY KEY, day date, at timestamptz, opens timetz, closes time, zone text, lunch noon);
    CREATE VIEW local_shops AS SELECT id, opens AT TIME ZONE 'Europe/Berlin' AS opens FROM shops;
    CREATE VIEW fixed_shops AS SELECT id, opens AT TIME ZONE 'UTC' AS opens, at AT TIME ZONE 'Europe/Berlin' AS at FROM shops;
    CREATE FUNCTION opening(timetz) RETURNS text LANGUAGE sql AS $$ SELECT ($1 AT TIME ZONE 'Europe/Berlin')::text $$;
    CREATE FUNCTION opening(id int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT timezone('Europe/Berlin', s.opens) FROM public.shops s WHERE s.id = $1); END $$;
    CREATE FUNCTION day_of(timestamptz) RETURNS date LANGUAGE sql STABLE AS $$ SELECT ($1 AT TIME ZONE 'Europe/Berlin')::date $$;`);
  ({ client } = database);
  return () => database.drop();
});

const reads = (sql: string): Promise<Check> =>
  attempt('batch.reads', () => checkReads(client, aPlan({ tables: [TABLE] }), sql));
const aligned = async (sql: string): Promise<string> => {
  const found = await alignQuery(client, [relation(TABLE)], sql);
  return found.ok ? 'aligned' : found.reason;
};

describe('a query that converts times to a zone', () => {
  it.each([
    "SELECT id, opens AT TIME ZONE 'Europe/Berlin' AS o FROM shops",
    'SELECT id, opens AT TIME ZONE zone AS o FROM shops GROUP BY id, opens AT TIME ZONE zone',
    "SELECT id, timezone('Europe/Berlin', (opens)) AS o FROM shops",
    "SELECT id, pg_catalog.timezone(zone, opens + interval '1 h') AS o FROM shops",
    "SELECT id FROM shops WHERE 'é' <> zone AND opens AT TIME ZONE 'CET' AT TIME ZONE 'UTC' > '08:00'",
    "SELECT id, closes AT TIME ZONE 'Europe/Berlin' AS o FROM shops",
    "SELECT id, timezone(zone, '08:00+01'::time with time zone) AS o FROM shops",
    'SELECT id FROM local_shops',
  ])(
    'depends on the clock if it converts a time of day, and the offset is not fixed: %s',
    async (sql) => {
      expect(await reads(sql)).toMatchObject({
        status: 'failed',
        detail: expect.stringMatching(
          /depends on a time of day (AT TIME ZONE|timezone\(\))/,
        ) as string,
      });
      expect(await aligned(sql)).toMatch(/depends on a time of day/);
    },
  );

  it.each([
    "SELECT id, at AT TIME ZONE 'Europe/Berlin' AS o FROM shops",
    'SELECT id, (day + closes) AT TIME ZONE zone AS o FROM shops',
    'SELECT id, timezone(zone, day + opens) AS o FROM shops',
    "SELECT id, at AT TIME ZONE zone AT TIME ZONE 'CET' AS o FROM shops",
    "SELECT id, opens AT TIME ZONE 'UTC' AS o FROM shops",
    "SELECT id, opens AT TIME ZONE INTERVAL '1 h' AS o FROM shops",
    "SELECT id, '2026-01-01' AT TIME ZONE zone AS o FROM shops",
    'SELECT id, day_of(at) AS d FROM shops',
    'SELECT id FROM fixed_shops',
  ])(
    'does not depend on the clock if it converts a date and time, or the offset is fixed: %s',
    async (sql) => {
      const { status, detail } = await reads(sql);
      expect([status, detail]).toEqual(['passed', expect.stringContaining('captured')]);
      expect(await aligned(sql)).toBe('aligned');
    },
  );

  it('counts as unknown if the operand of AT TIME ZONE has a domain as its type', async () => {
    const sql = 'SELECT id, lunch AT TIME ZONE zone AS o FROM shops';
    expect(await reads(sql)).toMatchObject({
      status: 'unknown',
      detail: expect.stringMatching(/AT TIME ZONE zone: .*noon/) as string,
    });
    expect(await aligned(sql)).toMatch(/may convert a time of day: AT TIME ZONE zone: .*noon/);
  });

  it.each(['SELECT id, opening(opens) AS o FROM shops', 'SELECT id, opening(id) AS o FROM shops'])(
    'counts as unknown if a function may convert a time of day: %s',
    async (sql) => {
      expect(await reads(sql)).toMatchObject({
        status: 'unknown',
        detail: expect.stringMatching(
          /AT TIME ZONE may convert a time of day in opening/,
        ) as string,
      });
      expect(await aligned(sql)).toMatch(/calls opening\(/);
    },
  );
});
