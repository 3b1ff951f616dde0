// Executes the SQL of docs/how-to/managed-postgres.md as a role that imitates the administrator of
// a managed service. Then asks Sluice whether the created login may replicate.
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tryReplication } from '../../src/activities/checks/replication-check.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { mayReplicate } from '../../src/domain/access/privilege-conditions.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, serverVersion, specOf, testPostgres } from '../support/sluice.js';

const PAGE = readFileSync('docs/how-to/managed-postgres.md', 'utf8');
const LOGIN = 'shop_migrator';
const ADMINISTRATOR = `administrator_${process.pid}`;
const version = await serverVersion();

/** Returns the SQL under a heading of the page. */
function sqlOf(service: string): string {
  const [, section = ''] = PAGE.split(`### ${service}\n`);
  const [, sql = ''] = /^[^#]*?```sql\n(.*?)```/s.exec(section) ?? [];
  if (!sql.includes(LOGIN)) throw new Error(`the page has no SQL for ${service}`);
  return sql;
}

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
});
afterAll(() => database.drop());

const root = (sql: string): Promise<unknown> => database.client.query(sql);
const asAdministrator = async (sql: string): Promise<void> => {
  const client = new pg.Client({ database: database.name, user: ADMINISTRATOR });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

const trial = async (): Promise<unknown> => {
  await root(`ALTER ROLE ${LOGIN} PASSWORD '${process.env['PGPASSWORD']}'`);
  const source = {
    postgres: { ...testPostgres(database.name), user: LOGIN },
    tables: ['public.orders'],
  };
  const parsed = parseSpecObject(specOf('managed', database.name, [], { source }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return tryReplication(database.client, parsed.spec, resolveSecret);
};
const inCatalog = async (): Promise<unknown> =>
  (await database.client.query(`SELECT ${mayReplicate(LOGIN)} AS may`)).rows;

// Before PostgreSQL 16, only a superuser can grant REPLICATION. The managed services have changed
// this rule in their servers, but the server of this test has not. So before version 16, the test
// makes its administrator a superuser.
const MAY_GIVE = version >= 160_000 ? 'REPLICATION' : 'SUPERUSER';
beforeEach(() =>
  root(`CREATE ROLE ${ADMINISTRATOR} LOGIN CREATEROLE PASSWORD '${process.env['PGPASSWORD']}'`),
);
afterEach(async () => {
  for (const role of [LOGIN, ADMINISTRATOR, 'rds_replication', 'cloudsqlsuperuser'])
    await root(`DROP ROLE IF EXISTS ${role}`);
});

describe('the SQL for a managed service', () => {
  it.each(['Google Cloud SQL and AlloyDB', 'Azure Database for PostgreSQL', 'Supabase'])(
    'of %s lets the login open a replication session',
    async (service) => {
      await root(`ALTER ROLE ${ADMINISTRATOR} ${MAY_GIVE}`);
      await asAdministrator(sqlOf(service));
      expect(await trial()).toBe('the role may replicate: it opened a replication session');
      expect(await inCatalog()).toEqual([{ may: true }]);
    },
  );

  it('of Amazon RDS and Aurora contains the remedy that doctor names, and the catalog shows its effect', async () => {
    await root(
      `CREATE ROLE rds_replication; GRANT rds_replication TO ${ADMINISTRATOR} WITH ADMIN OPTION`,
    );
    const [create, grant] = sqlOf('Amazon RDS and Aurora').trim().split('\n');
    await asAdministrator(create!);
    const refused = (await trial()) as { remedy: string };
    expect(refused).toMatchObject({
      detail: expect.stringContaining(`role ${LOGIN} cannot create replication slots`) as string,
    });
    expect(`${refused.remedy};`).toBe(grant);
    expect(await inCatalog()).toEqual([{ may: false }]);
    await asAdministrator(grant!);
    expect(await inCatalog()).toEqual([{ may: true }]);
  });
});

describe("a member of a service's administrators without REPLICATION", () => {
  it('may not replicate on a plain server, although its group is named cloudsqlsuperuser', async () => {
    await root(
      `CREATE ROLE cloudsqlsuperuser; CREATE ROLE ${LOGIN} LOGIN; GRANT cloudsqlsuperuser TO ${LOGIN}`,
    );
    expect(await trial()).toMatchObject({ remedy: `ALTER ROLE ${LOGIN} REPLICATION` });
    expect(await inCatalog()).toEqual([{ may: false }]);
  });
});
