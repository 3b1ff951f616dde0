// Debezium finds the types of some extensions by their name alone. If a user made a type of that
// name, Sluice must not treat it as the extension's type. If both types exist, Sluice must trust
// neither. Also tests how Sluice finds a collation that treats different texts as equal.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeQuery, readTable } from '../../src/clients/postgres/catalog.js';
import { isProvable } from '../../src/compare/column-types.js';
import { whyUnproven } from '../../src/compare/types/unproven.js';
import { freshDatabase } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase(`CREATE SCHEMA ext; CREATE SCHEMA app;
    CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
    CREATE TABLE app.ltree (id int); CREATE TYPE app.geometry AS RANGE (subtype = int8); CREATE TYPE app.geography AS ENUM ('a');
    CREATE TYPE app.money AS RANGE (subtype = numeric); CREATE DOMAIN app.vector AS int; CREATE DOMAIN app.pairs AS ext.hstore;
    CREATE TABLE named (id int PRIMARY KEY, h ext.hstore, hs ext.hstore[], d app.pairs, c ext.citext, l ext.ltree, g app.geometry, e app.geography,
      es app.geography[], m app.money, v app.vector, own money)`);
});
afterAll(() => database.drop());

describe('the name of a type', () => {
  it('has no schema if the type is provable and belongs to Postgres or to an extension', async () => {
    const { columns } = (await readTable(database.client, 'public.named'))!;
    const found = Object.fromEntries(columns.map(({ name, type }) => [name, type]));
    const plain = { h: 'hstore', hs: 'hstore[]', d: 'hstore', c: 'citext', own: 'money' };
    expect(found).toMatchObject(plain);
    expect(Object.values(plain).every(isProvable)).toBe(true);
    // For a column of a query, Postgres names the base type of a domain, as for `v`.
    const queried = await describeQuery(database.client, 'SELECT * FROM named');
    expect(Object.fromEntries(queried.map(({ name, type }) => [name, type]))).toEqual({
      ...found,
      v: 'int4',
    });
  });

  it("makes a type unprovable if a user's type has the name of a type that the connector knows by name", async () => {
    const { columns } = (await readTable(database.client, 'public.named'))!;
    const others = columns.filter(({ type }) => !isProvable(type));
    expect(Object.fromEntries(others.map(({ name, type }) => [name, type]))).toEqual({
      l: 'ltree (ambiguous)',
      g: 'geometry (ambiguous)',
      e: 'geography (ambiguous)',
      es: 'geography (ambiguous)[]',
      m: 'app.money',
      v: 'vector (ambiguous)',
    });
    for (const { type } of others)
      expect(whyUnproven(type)).toMatch(
        type === 'app.money' ? /form in records is not known/ : /only by its name/,
      );
  });
});

describe('the collation of a column', () => {
  it('is found if it treats different texts as equal, also for a domain and an array', async () => {
    await database.client
      .query(`CREATE COLLATION app.ignores_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE DOMAIN app.label AS text COLLATE app.ignores_case;
      CREATE TABLE labelled (k text COLLATE app.ignores_case PRIMARY KEY, d app.label, l text[] COLLATE app.ignores_case,
        c text COLLATE "C", plain text, n int)`);
    const { columns } = (await readTable(database.client, 'public.labelled'))!;
    expect(Object.fromEntries(columns.map((c) => [c.name, c.looseCollation]))).toEqual({
      k: 'ignores_case',
      d: 'ignores_case',
      l: 'ignores_case',
      c: null,
      plain: null,
      n: null,
    });
  });
});
