// Tests the facts of a window about a table and a publication. Each change of a fact is named. A
// change after which less is captured than planned is also a problem with a remedy.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaptureProblem } from '../../src/domain/capture/captured-set.js';
import { factsChange, type FactsChange } from '../../src/domain/evidence/epoch.js';
import { CAPTURED_TABLES, readFacts } from '../support/captured-tables.js';
import { freshDatabase, serverVersion } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let client: pg.Client;
let version: number;
beforeAll(async () => {
  database = await freshDatabase(CAPTURED_TABLES);
  const asText = {
    getTypeParser: () => (value: string) => value,
  } as unknown as pg.CustomTypesConfig; // Sluice's own sessions also get every value as text
  client = new pg.Client({ database: database.name, types: asText });
  await client.connect();
  version = await serverVersion();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function after(
  change: string,
): Promise<{ change: FactsChange | null; problem: CaptureProblem | null }> {
  const before = await readFacts(client);
  await client.query(change);
  const now = await readFacts(client);
  return { change: factsChange(before.facts, now.facts), problem: now.problem };
}

describe('a change of a captured table', () => {
  it.each([
    [
      'a label is renamed',
      `ALTER TYPE state RENAME VALUE 'on_hold' TO 'waiting'`,
      /types of public.items: no longer label 'on_hold' of enum public.state .* now label 'waiting'/,
    ],
    [
      'two labels are swapped',
      `ALTER TYPE state RENAME VALUE 'open' TO 'x'; ALTER TYPE state RENAME VALUE 'closed' TO 'open'; ALTER TYPE state RENAME VALUE 'x' TO 'closed'`,
      /types of public.items: no longer .*label 'open' of enum/,
    ],
    [
      'a label within a composite type is renamed',
      `ALTER TYPE state RENAME VALUE 'waiting' TO 'idle'`,
      /types of public."Odd": no longer label 'waiting'/,
    ],
    [
      'a column is added',
      `ALTER TABLE items ADD COLUMN tier text NOT NULL DEFAULT 'basic'`,
      /columns of public.items: now tier text not null \(column 7\)/,
    ],
    [
      'a column is dropped and added again under the same name',
      'ALTER TABLE items DROP COLUMN note; ALTER TABLE items ADD COLUMN note text',
      /columns of public.items: no longer note text \(column 5\); now note text \(column 8\)/,
    ],
    [
      'a type is changed',
      'ALTER TABLE items ALTER COLUMN tier TYPE varchar(40)',
      /no longer tier text not null .* now tier character varying\(40\) not null/,
    ],
    [
      'a domain gets a new constraint',
      'ALTER DOMAIN euros ADD CONSTRAINT small CHECK (VALUE < 100)',
      /types of public.items: now domain public.euros: CHECK/,
    ],
    [
      'an attribute is added to a composite type',
      'ALTER TYPE point2 ADD ATTRIBUTE z int',
      /types of public."Odd": now attribute public.point2.z integer/,
    ],
    [
      'the primary key is replaced',
      'ALTER TABLE items DROP CONSTRAINT items_pkey, ADD CONSTRAINT items_pkey PRIMARY KEY (id) DEFERRABLE',
      /key of public.items: CREATE UNIQUE INDEX .* → .* deferrable/,
    ],
    [
      'row security is enabled',
      'ALTER TABLE items ENABLE ROW LEVEL SECURITY',
      /row security of public.items: now enabled/,
    ],
    [
      'row security is forced',
      'ALTER TABLE items FORCE ROW LEVEL SECURITY',
      /row security of public.items: now forced/,
    ],
    [
      'a policy is created',
      'CREATE POLICY mine ON items FOR SELECT USING (id < 5)',
      /row security of public.items: now policy mine \(permissive, select, for public\) using/,
    ],
    [
      'the replica identity is changed',
      'ALTER TABLE "Odd" REPLICA IDENTITY FULL',
      /replica identity of public."Odd": no longer default .* now full/,
    ],
    [
      'the table is swapped by renaming',
      'CREATE TABLE o (LIKE "Odd" INCLUDING ALL); ALTER TABLE "Odd" RENAME TO odd_old; ALTER TABLE o RENAME TO "Odd"',
      /table public."Odd": table, oid \d+ → table, oid \d+/,
    ],
    [
      'the table is renamed back',
      'ALTER TABLE "Odd" RENAME TO o; ALTER TABLE odd_old RENAME TO "Odd"; DROP TABLE o',
      /table public."Odd": table, oid/,
    ],
    [
      'a partition is swapped',
      'CREATE TABLE copy (LIKE parted INCLUDING ALL); ALTER TABLE parted DETACH PARTITION parted_1; ALTER TABLE parted ATTACH PARTITION copy FOR VALUES FROM (0) TO (10)',
      /partitions of public.parted: no longer public.parted_1 \(table, oid \d+\); now public.copy/,
    ],
  ])('begins a new epoch if %s', async (_what, change, said) => {
    expect((await after(change)).change?.epoch).toMatch(said);
  });

  it.each([
    [
      'the table is rewritten',
      'VACUUM FULL items',
      /storage of public.items: no longer public.items in file/,
    ],
    ['a partition is truncated', 'TRUNCATE parted_2', /storage of public.parted/],
    [
      'a partition is added',
      'CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30)',
      /partitions of public.parted: now public.parted_3/,
    ],
  ])('costs one full window and no new epoch if %s', async (_what, change, said) => {
    const seen = await after(change);
    expect(seen.change).toMatchObject({
      epoch: null,
      fullWindow: expect.stringMatching(said) as string,
    });
    expect(seen.problem).toBeNull();
  });

  it.each([
    'UPDATE "Odd" SET p = p',
    'ANALYZE items',
    'VACUUM items',
    'CREATE INDEX ON items (note)',
    'REINDEX TABLE items',
    'GRANT SELECT ON items TO PUBLIC',
  ])('begins no new epoch and is no problem if it is %s', async (change) => {
    const seen = await after(change);
    expect(seen.change?.epoch ?? null).toBeNull();
    expect(seen.problem).toBeNull();
  });
});

describe('a change after which less is captured than planned', () => {
  it.each([
    [
      'operations that are no longer published',
      "ALTER PUBLICATION pub SET (publish = 'insert')",
      /pub no longer carries updates, deletes, truncates of public.items/,
      /SET \(publish = 'insert, update, delete, truncate'\)/,
    ],
    [
      'rows',
      'ALTER PUBLICATION pub SET TABLE items WHERE (id <> 7), "Odd", parted',
      /pub carries only a part of public.items: only rows where \(id <> 7\)/,
      /SET TABLE "public"."items", "public"."Odd"/,
    ],
    [
      'columns',
      'ALTER PUBLICATION pub SET TABLE items (id, state), "Odd", parted',
      /pub carries only a part of public.items: no column .*price/,
      /SET TABLE/,
    ],
    [
      'a table that is no longer published',
      'ALTER PUBLICATION pub DROP TABLE "Odd"',
      /pub does not carry public."Odd"/,
      /ADD TABLE "public"."Odd"/,
    ],
    [
      'partitions under their own names',
      'ALTER PUBLICATION pub SET (publish_via_partition_root = false)',
      /under the partitions' names/,
      /publish_via_partition_root = true/,
    ],
    [
      'a publication that no longer exists',
      'ALTER PUBLICATION pub RENAME TO gone',
      /publication pub no longer exists/,
      /CREATE PUBLICATION "pub" FOR TABLE/,
    ],
    [
      'a replica identity of nothing',
      'ALTER TABLE parted_2 REPLICA IDENTITY NOTHING',
      /replica identity of public.parted_2 is nothing/,
      /ALTER TABLE public.parted_2 REPLICA IDENTITY DEFAULT/,
    ],
    [
      'a dropped primary key',
      'ALTER TABLE parted DROP CONSTRAINT parted_pkey',
      /public.parted no longer has a primary key/,
      /ADD PRIMARY KEY/,
    ],
    [
      'a table that inherits from a captured table',
      'CREATE TABLE heir () INHERITS (items)',
      /heir inherit from public.items/,
      /NO INHERIT/,
    ],
  ])('is reported with the statement that undoes it: %s', async (what, change, detail, remedy) => {
    await client.query('BEGIN');
    try {
      if (['rows', 'columns'].includes(what) && version < 150_000) {
        // before version 15, Postgres has no row filters and no column lists, so this change is a
        // syntax error
        await expect(client.query(change)).rejects.toThrow('syntax error');
        return;
      }
      const seen = await after(change);
      expect(seen.change?.epoch).toBeTruthy();
      expect(seen.problem?.detail).toMatch(detail);
      expect(seen.problem?.remedy).toMatch(remedy);
    } finally {
      await client.query('ROLLBACK');
    }
    expect((await readFacts(client)).problem).toBeNull();
  });

  it('is reported for a renamed table that is still published, and for a new table with the old name', async () => {
    const { problem } = await after(
      'CREATE TABLE o (LIKE "Odd" INCLUDING ALL); ALTER TABLE "Odd" RENAME TO odd_old; ALTER TABLE o RENAME TO "Odd"',
    );
    expect(problem?.detail).toMatch(
      /does not carry public."Odd".*carries public.odd_old, which the plan does not name/,
    );
  });

  it('is noticed even if a publication was changed and then changed back', async () => {
    const seen = await after(
      "ALTER PUBLICATION pub SET (publish = 'insert'); ALTER PUBLICATION pub SET (publish = 'insert, update, delete, truncate')",
    );
    expect(seen.change?.epoch).toMatch(/publication pub: version .* → version/);
  });
});
