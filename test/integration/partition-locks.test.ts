// Tests that reading the catalog never locks a partition before its table. DETACH PARTITION locks
// the table first, so the opposite order could end in a deadlock. Postgres may then end the
// statement of the table's owner.
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { qualifyNames, readCapturedTable } from '../../src/clients/postgres/captured-catalog.js';
import { blocksOf, readTable, storageOf } from '../../src/clients/postgres/catalog.js';
import { definitionDigest } from '../../src/clients/postgres/witness-tables.js';
import { freshDatabase } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let client: pg.Client;

beforeAll(async () => {
  database = await freshDatabase(`
    CREATE TABLE moves (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE moves_low PARTITION OF moves FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
    CREATE TABLE moves_low_1 PARTITION OF moves_low FOR VALUES FROM (0) TO (50);
    CREATE TABLE moves_high PARTITION OF moves FOR VALUES FROM (100) TO (200);
    CREATE TABLE alone (id bigint PRIMARY KEY);
    INSERT INTO moves SELECT g FROM generate_series(0, 49) g;`);
  const asText = {
    getTypeParser: () => (value: string) => value,
  } as unknown as pg.CustomTypesConfig; // the same as in Sluice's own sessions
  client = new pg.Client({ database: database.name, types: asText });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

it('reading the catalog finds the partitions at every depth, and keeps no lock on them', async () => {
  await client.query('BEGIN');
  expect((await readTable(client, 'public.moves'))!.leaves.map(({ name }) => name)).toEqual([
    'public.moves_high',
    'public.moves_low_1',
  ]);
  expect((await readTable(client, 'public.alone'))!.leaves).toEqual([]);
  expect(await blocksOf(client, 'public.moves')).toBe(1);
  await definitionDigest(client, ['public.moves'], 'none');
  await qualifyNames(client);
  const { partitions } = (await readCapturedTable(client, 'public.moves'))!;
  expect(partitions.map(({ name }) => name)).toEqual([
    'public.moves_low',
    'public.moves_low_1',
    'public.moves_high',
  ]);
  const { rows } = await client.query<{ name: string }>(
    `SELECT relation::regclass::text AS name FROM pg_catalog.pg_locks
     WHERE pid = pg_backend_pid() AND relation::regclass::text LIKE '%moves_%'`,
  );
  expect(rows).toEqual([]);
  await client.query('ROLLBACK');
});

it('reading the storage finds the file of a partition that was attached after the snapshot', async () => {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1');
  await database.client.query(
    'CREATE TABLE moves_late PARTITION OF moves FOR VALUES FROM (200) TO (300)',
  );
  await client.query('SELECT FROM public.moves LIMIT 0'); // locks the table first, as each caller of storageOf does
  const file = await database.client.query<{ file: number }>(
    `SELECT pg_relation_filenode('moves_late')::int AS file`,
  );
  const files = (await storageOf(client, 'public.moves')).split(',');
  expect(files).toContain(String(file.rows[0]!.file));
  await client.query('ROLLBACK');
});
