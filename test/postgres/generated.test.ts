// Tests which tables with generated columns doctor accepts. Since PostgreSQL 18, a published table
// whose replica identity has an unpublished generated column accepts no UPDATE. Doctor must refuse
// such a table before the publication exists.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTable } from '../../src/activities/checks/table-checks.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, serverVersion, specOf } from '../support/sluice.js';

const publishes = (await serverVersion()) >= 180_000;
const OPTION = publishes ? 'WITH (publish_generated_columns = stored)' : '';
let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase(
    `CREATE TABLE goods (id int PRIMARY KEY, cents int, euros numeric GENERATED ALWAYS AS (cents / 100.0) STORED); INSERT INTO goods VALUES (1, 5);
     ${publishes ? 'CREATE TABLE rates (id int PRIMARY KEY, cents int, euros numeric GENERATED ALWAYS AS (cents / 100.0) VIRTUAL); INSERT INTO rates VALUES (1, 5)' : ''}`,
  );
});
afterAll(() => database.drop());

type Found = { status: string; detail: string } | undefined;

async function finding(name: string, table: string, snapshot = 'initial'): Promise<Found> {
  const spec = specOf('generated', database.name, [table]) as {
    spec: { connector: Record<string, unknown> };
  };
  spec.spec.connector['snapshot'] = snapshot;
  const parsed = parseSpecObject(spec);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const plan = resolve({ spec: parsed.spec, generation: 1 });
  const found = await withSource(plan, resolveSecret, async (client) =>
    checkTable(client, plan, table, (await readTable(client, table))!),
  );
  return found.find((check) => check.name === name);
}

const identity = (table: string, snapshot?: string): Promise<Found> =>
  finding('table.replica-identity', table, snapshot);
const withDetail = (status: string, detail: string): object => ({
  status,
  detail: expect.stringContaining(detail) as string,
});

describe('a table with a generated column', () => {
  it('passes doctor from Postgres 18 on, if the column is stored and the load is not `incremental`', async () => {
    const refused = withDetail('failed', 'euros (generated: the log omits it)');
    expect(await finding('table.types', 'public.goods')).toMatchObject(
      publishes ? withDetail('passed', 'the generated columns euros') : refused,
    );
    expect(await finding('table.types', 'public.goods', 'incremental')).toMatchObject(refused);
    if (publishes) expect(await finding('table.types', 'public.rates')).toMatchObject(refused);
  });

  it('is refused for an incremental load, because Debezium cannot read such a table in chunks', async () => {
    expect(await finding('table.chunks', 'public.goods', 'incremental')).toMatchObject(
      withDetail('failed', 'generated columns: euros'),
    );
    expect(await finding('table.chunks', 'public.goods', 'copy')).toBeUndefined();
  });

  it('can be published with the key as replica identity, and with FULL only if updates still work', async () => {
    const { client } = database;
    expect(await identity('public.goods')).toMatchObject({ status: 'passed' });
    await client.query('ALTER TABLE goods REPLICA IDENTITY FULL');
    expect(await identity('public.goods')).toMatchObject({ status: 'passed' });
    await client.query(`CREATE PUBLICATION p FOR TABLE goods ${OPTION}`);
    await client.query('UPDATE goods SET cents = 7');
    if (!publishes) return;
    const refused = withDetail('failed', 'has generated columns (euros)');
    expect(await identity('public.goods', 'incremental')).toMatchObject(refused);
    await client.query(`ALTER TABLE rates REPLICA IDENTITY FULL`);
    expect(await identity('public.rates')).toMatchObject(refused);
    await client.query(`CREATE PUBLICATION q FOR TABLE rates ${OPTION}`);
    await expect(client.query('UPDATE rates SET cents = 7')).rejects.toThrow(
      'cannot update table "rates"',
    );
  });
});
