// A publication of a partitioned table and of its partition carries the changes only under the name
// of the partitioned table. Doctor must refuse a spec that names both.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTable } from '../../src/activities/checks/table-checks.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { freshDatabase, specOf } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase(
    `CREATE TABLE "Visits" (id int PRIMARY KEY) PARTITION BY RANGE (id);
     CREATE TABLE half PARTITION OF "Visits" FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (id);
     CREATE TABLE leaf PARTITION OF half DEFAULT; CREATE TABLE other (id int PRIMARY KEY)`,
  );
});
afterAll(() => database.drop());

async function kinds(...tables: readonly string[]): Promise<string[]> {
  const parsed = parseSpecObject(specOf('parts', database.name, [...tables]));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const plan = resolve({ spec: parsed.spec, generation: 1 });
  return withSource(plan, resolveSecret, async (client) => {
    const found: string[] = [];
    for (const table of tables) {
      const checks = await checkTable(client, plan, table, (await readTable(client, table))!);
      found.push(...checks.filter((c) => c.name === 'table.kind').map((c) => c.detail));
    }
    return found;
  });
}

describe('a partition', () => {
  it('is refused if the spec also names a partitioned table above it', async () => {
    const { client } = database;
    await client.query(
      'CREATE PUBLICATION p FOR TABLE "Visits", leaf WITH (publish_via_partition_root = true)',
    );
    const { rows } = await client.query('SELECT tablename FROM pg_publication_tables');
    expect(rows).toEqual([{ tablename: 'Visits' }]);
    expect(await kinds('"public"."Visits"', 'public.leaf', 'public.other')).toEqual([
      'a partitioned table, 1 partitions',
      expect.stringContaining('a partition of "public"."Visits", which the spec also names'),
      'an ordinary table',
    ]);
  });

  it('can be captured without the partitioned table', async () =>
    expect(await kinds('public.leaf', 'public.other')).toEqual([
      'an ordinary table',
      'an ordinary table',
    ]));
});
