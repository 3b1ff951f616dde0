// Since PostgreSQL 18, a published table whose replica identity has a generated column accepts no
// UPDATE. Doctor must refuse such a table before the publication exists.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTable } from '../../src/activities/checks/table-checks.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, serverVersion, specOf } from '../support/sluice.js';

const refuses = (await serverVersion()) >= 180_000;
let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase(
    `CREATE TABLE goods (id int PRIMARY KEY, cents int, euros numeric GENERATED ALWAYS AS (cents / 100.0) STORED); INSERT INTO goods VALUES (1, 5)`,
  );
});
afterAll(() => database.drop());

async function identity(): Promise<{ status: string; detail: string } | undefined> {
  const parsed = parseSpecObject(specOf('generated', database.name, ['public.goods']));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const plan = resolve({ spec: parsed.spec, generation: 1 });
  const found = await withSource(plan, resolveSecret, async (client) =>
    checkTable(client, plan, 'public.goods', (await readTable(client, 'public.goods'))!),
  );
  return found.find(({ name }) => name === 'table.replica-identity');
}

describe('a table with a generated column', () => {
  it('can be published with its key, and with FULL only if the server then accepts updates', async () => {
    const { client } = database;
    expect(await identity()).toMatchObject({ status: 'passed' });
    await client.query('ALTER TABLE goods REPLICA IDENTITY FULL');
    expect(await identity()).toMatchObject(
      refuses
        ? {
            status: 'failed',
            detail: expect.stringContaining('has generated columns (euros)') as string,
          }
        : { status: 'passed' },
    );
    await client.query('CREATE PUBLICATION p FOR TABLE goods');
    const update = client.query('UPDATE goods SET cents = 7');
    if (refuses) await expect(update).rejects.toThrow('cannot update table "goods"');
    else await update;
  });
});
