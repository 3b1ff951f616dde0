// Tests the types of PostGIS with the records that real Debezium writes for the initial load,
// inserts and updates. The stack's own Postgres lacks PostGIS, so an installed Postgres that has
// PostGIS runs beside it.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackHome, type StackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { PG_PASSWORD, PG_USER, startPostgres } from '../../stack/services/postgres.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { SnapshotWriter } from '../../src/compare/write-debezium-json.js';
import { live } from '../support/live.js';
import { POSTGIS_VALUES as VALUES } from '../support/postgis-values.js';
import { recordsOf } from '../support/records-of-topic.js';
import {
  get,
  reach,
  sluice,
  specFile,
  startMigration,
  testPostgres,
  waitFor,
} from '../support/sluice.js';

/** The binaries of an installed Postgres that has PostGIS. */
const WITH_POSTGIS = [18, 17, 16, 15, 14]
  .filter((v) => existsSync(`/usr/share/postgresql/${v}/extension/postgis.control`))
  .map((v) => `/usr/lib/postgresql/${v}/bin`)
  .find((bin) => existsSync(bin));
const MISSING = 'no Postgres with PostGIS is installed (apt install postgresql-15-postgis-3)';

live();
const main = stackHome();
const dir = join(main.dir, 'postgis');
const home: StackHome = {
  ...main,
  dir,
  logs: join(dir, 'logs'),
  pids: join(dir, 'pids'),
  ports: { ...main.ports, postgres: main.ports.postgres + 22 },
};
const columns = Object.keys(VALUES);
const rows = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;

const inserts = (from: number): string =>
  Array.from({ length: rows }, (_, at) => {
    const values = columns.map((column) => VALUES[column]![at] ?? 'NULL');
    return `INSERT INTO everything VALUES (${from + at}, ${values.join(', ')});`;
  }).join('\n');

/** PostGIS is in a schema that is not in the default search path, as on many servers. */
const SETUP = `CREATE SCHEMA gis; CREATE EXTENSION postgis SCHEMA gis; SET search_path = public, gis;
CREATE DOMAIN spot AS geometry(Point, 4326);
CREATE TABLE everything (id int PRIMARY KEY, ${columns.map((type, at) => `c${at} ${type}`).join(', ')});
${inserts(1)}`;

const clients: pg.Client[] = [];
async function connected(database: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: home.ports.postgres,
    user: PG_USER,
    password: PG_PASSWORD,
    database,
  });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

async function aDatabase(name: string, setup: string): Promise<pg.Client> {
  await (await connected('postgres')).query(`CREATE DATABASE ${name}`);
  const client = await connected(name);
  await client.query(setup);
  return client;
}

const sourceOf = (database: string, tables: string[]) => ({
  source: { postgres: { ...testPostgres(database), port: home.ports.postgres }, tables },
});

beforeAll(async () => {
  if (WITH_POSTGIS) await startPostgres(home, () => undefined, { bin: WITH_POSTGIS });
});
afterAll(async () => {
  for (const client of clients) await client.end();
  if (WITH_POSTGIS) await stop(home, 'postgres');
  rmSync(dir, { recursive: true, force: true });
});

const after = (value: string): string =>
  /^\{"before":null,"after":(.*?\}),"source"/.exec(value)![1]!;

/** Compares the row in each record of the initial load with what Sluice itself would write. */
async function expectSameBytes(client: pg.Client): Promise<void> {
  const catalog = (await readTable(client, 'public.everything'))!;
  const writer = new SnapshotWriter(
    {
      database: 'postgis_types',
      schema: 'public',
      table: 'everything',
      columns: catalog.columns,
      key: catalog.key,
      server: 'postgis',
    },
    1,
  );
  const theirs = await recordsOf('postgis.public.everything', rows);
  const { rows: read } = await client.query<(string | null)[]>({
    text: `SELECT * FROM everything WHERE id <= ${rows}`,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  for (const row of read) {
    const { key, value } = writer.record(row);
    expect(after(value)).toBe(after(theirs.get(key)!));
  }
}

describe('a value of PostGIS', () => {
  it('passes after load, inserts and updates, has equal bytes in a copy, and fails after a hidden change', async ({
    skip,
  }) => {
    if (!WITH_POSTGIS) return skip(MISSING);
    const client = await aDatabase('postgis_types', SETUP);
    const tables = ['public.everything'];
    startMigration('postgis', 'postgis_types', tables, {
      ...sourceOf('postgis_types', tables),
      validation: { every: '1s', passesInARow: 1 },
    });
    await waitFor('postgis', 'approval');
    await expectSameBytes(client);
    await client.query(inserts(101));
    // Rotates every column by one row, so that each value also arrives by an update.
    const rotated = columns.map((_, at) => `c${at} = b.c${at}`).join(', ');
    await client.query(
      `UPDATE everything a SET ${rotated} FROM everything b WHERE a.id > 100 AND b.id = 101 + (a.id - 100) % ${rows}`,
    );
    const { windows } = await reach(
      'postgis',
      'a window over the rows before and after the inserts',
      (s) => s.windows.at(-1)!.compared === rows * 2,
    );
    expect({ ...windows.at(-1), differences: sluice('diff', 'postgis').stdout }).toMatchObject({
      verdict: 'passed',
      matched: rows * 2,
      unknown: 0,
    });
    // Changes each column once while the publication lacks the table, so the topic gets no record.
    const before = (await get('postgis')).windows.at(-1)!.number;
    const changed = columns.map((_, at) => `c${at} = NULL`).join(', ');
    await client.query(
      `ALTER PUBLICATION sluice_postgis DROP TABLE everything; UPDATE everything SET ${changed} WHERE id = 1; ALTER PUBLICATION sluice_postgis ADD TABLE everything`,
    );
    await reach('postgis', 'a later failed window', (s) => {
      const { number, verdict } = s.windows.at(-1)!;
      return number > before && verdict === 'failed';
    });
    const diff = JSON.parse(sluice('diff', 'postgis', '-o', 'json').stdout) as {
      differences: { column: string }[];
    };
    expect(diff.differences.map((d) => d.column).sort()).toEqual(
      columns.map((_, at) => `c${at}`).sort(),
    );
    expect(sluice('cancel', 'postgis', '--yes').code).toBe(0);
    await waitFor('postgis', 'outcome=aborted');
  });

  it('makes doctor fail if a table has the name of a PostGIS type, because Debezium confuses the two', async ({
    skip,
  }) => {
    if (!WITH_POSTGIS) return skip(MISSING);
    const client = await aDatabase(
      'postgis_twins',
      `CREATE SCHEMA gis; CREATE EXTENSION postgis SCHEMA gis; CREATE TABLE places (id int PRIMARY KEY, g gis.geometry, a gis.geometry[], p gis.geography(Point, 4326))`,
    );
    const tables = ['public.places'];
    const file = specFile('twins', 'postgis_twins', tables, sourceOf('postgis_twins', tables));
    expect(sluice('doctor', '-f', file).stdout).toContain(
      'rare types can be compared: g (gis.geometry), p (gis.geography(Point,4326))',
    );
    await client.query('CREATE TABLE geometry (id int)');
    expect(sluice('doctor', '-f', file).stdout).toMatch(
      /cannot be proven equal: g \(gis\.geometry: the connector knows this type only by its name.*a \(gis\.geometry\[\]: .*rare types can be compared: p/,
    );
  });
});
