// Tests every column type that doctor calls provable, except those of PostGIS. The first test uses
// the records that real Debezium writes for the initial load, inserts and updates. Sluice compares
// values by their canonical text, which must be the same for Postgres and for a record.
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../src/activities/windows/canonical-rows.js';
import { copyHashed, copySink } from '../../src/activities/windows/results/copied-rows.js';
import { describeQuery } from '../../src/clients/postgres/catalog.js';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { canonRow } from '../../src/compare/binary-text.js';
import { literalOfCanon } from '../../src/compare/literal.js';
import { joinRow, splitRow, type Shape } from '../../src/compare/row-comparison.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { TID_FIELD_BYTES } from '../../src/compare/enc/row-place.js';
import { NOT_IN_KEYS } from '../../src/compare/types/further-types.js';
import { quoteLiteral } from '../../src/domain/migration/names.js';
import { live } from '../support/live.js';
import { get, reach, serverVersion, sluice, startMigration, waitFor } from '../support/sluice.js';
import { FURTHER_SETUP, FURTHER_VALUES } from '../support/further-values.js';
import { MORE_TYPES, EDGE_VALUES } from '../support/type-values.js';

const { aDatabase } = live();
const VALUES: Readonly<Record<string, readonly string[]>> = { ...EDGE_VALUES, ...FURTHER_VALUES };

// PostgreSQL 14 refuses a scale below zero.
const since15 = (type: string): boolean => type === 'numeric(3,-2)';
const version = await serverVersion();
const columns = Object.keys(VALUES).filter((type) => version >= 150_000 || !since15(type));
const rows = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;

const inserts = (from: number): string =>
  Array.from({ length: rows }, (_, at) => {
    const values = columns.map((column) => VALUES[column]![at] ?? 'NULL');
    return `INSERT INTO everything VALUES (${from + at}, ${values.join(', ')});`;
  }).join('\n');

const SETUP = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
${MORE_TYPES} ${FURTHER_SETUP}
CREATE TABLE everything (id int PRIMARY KEY, ${columns.map((type, at) => `c${at} ${type}`).join(', ')});
${inserts(1)}`;

/** Opens a session with the settings of Sluice's sessions. It returns every value as text. */
async function aReader(database: string): Promise<pg.Client> {
  const types = { getTypeParser: () => (value: string) => value };
  const client = new pg.Client({ database, types: types as unknown as pg.CustomTypesConfig });
  await client.connect();
  await client.query(
    `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'`,
  );
  return client;
}

describe('every provable column type', () => {
  it('is equal in table and topic after load, inserts and updates, and any unseen change is found', async () => {
    const database = await aDatabase(SETUP);
    startMigration('types', database.name, ['public.everything'], {
      validation: { every: '1s', passesInARow: 1 },
    });
    await waitFor('types', 'approval');
    await database.client.query(inserts(101));
    // Rotates every column by one row, so that each value also arrives by an update.
    const rotated = columns.map((_, at) => `c${at} = b.c${at}`).join(', ');
    await database.client.query(
      `UPDATE everything a SET ${rotated} FROM everything b WHERE a.id > 100 AND b.id = 101 + (a.id - 100) % ${rows}`,
    );
    const { windows } = await reach(
      'types',
      'a window over the rows before and after the inserts',
      (s) => s.windows.at(-1)!.compared === rows * 2,
    );
    expect({ ...windows.at(-1), differences: sluice('diff', 'types').stdout }).toMatchObject({
      verdict: 'passed',
      matched: rows * 2,
      unknown: 0,
    });

    // Changes each column of one row while the publication lacks the table, so that the stream does
    // not see the changes.
    const before = (await get('types')).windows.at(-1)!.number;
    const emptied = columns.map(
      (_, at) =>
        `UPDATE everything SET c${at} = CASE WHEN c${at} IS NULL THEN (SELECT b.c${at} FROM everything b WHERE b.c${at} IS NOT NULL LIMIT 1) END WHERE id = 1`,
    );
    await database.client.query(
      `ALTER PUBLICATION sluice_types DROP TABLE everything; ${emptied.join('; ')}; ALTER PUBLICATION sluice_types ADD TABLE everything`,
    );
    await reach('types', 'a later failed window', (s) => {
      const { number, verdict } = s.windows.at(-1)!;
      return number > before && verdict === 'failed';
    });
    const diff = JSON.parse(sluice('diff', 'types', '-o', 'json').stdout) as {
      differences: { column: string }[];
    };
    expect(diff.differences.map((d) => d.column).sort()).toEqual(
      columns.map((_, at) => `c${at}`).sort(),
    );
    expect(sluice('cancel', 'types', '--yes').code).toBe(0);
    await waitFor('types', 'outcome=aborted');
  });

  it('is not proven for a value that the connector cannot carry, so the window does not pass', async () => {
    const database = await aDatabase(
      `CREATE TABLE edges (id int PRIMARY KEY, d date); INSERT INTO edges VALUES (1, 'infinity'), (2, '2026-01-01')`,
    );
    startMigration('edges', database.name, ['public.edges']);
    await reach('edges', 'a window', (s) => s.windows.length > 0);
    const [first] = (await get('edges')).windows;
    expect(first).toMatchObject({ matched: 1 });
    expect(first!.verdict).not.toBe('passed');
    expect(first!.unknown! + first!.mismatched!).toBe(1);
    expect(sluice('cancel', 'edges', '--yes').code).toBe(0);
    await waitFor('edges', 'outcome=aborted');
  });

  it('that a key may have is read back by Postgres from its canonical text', async () => {
    const { name } = await aDatabase(SETUP);
    const client = await aReader(name);
    const described = await describeQuery(client, 'SELECT * FROM everything');
    const shape: Shape = {
      key: ['id'],
      columns: described.filter(({ type }) => !NOT_IN_KEYS.has(type)),
    };
    const pace = { rowsPerSecond: 0, heartbeat: () => undefined };
    const printed: string[] = [];
    await readRows(client, 'everything', shape, pace, (_key, row) => printed.push(row!));
    expect(printed).toHaveLength(rows);
    for (const row of printed) {
      const given = splitRow(row).map((canon, at) => {
        const column = shape.columns[at]!;
        const text = literalOfCanon(column.type, canon);
        const declared = column.name === 'id' ? 'int' : columns[Number(column.name.slice(1))]!;
        return `${text === null ? 'NULL' : quoteLiteral(text)}::${declared} AS ${column.name}`;
      });
      const again: (string | null)[] = [];
      const from = `(SELECT ${given.join(', ')}) AS given`;
      await readRows(client, from, shape, pace, (_key, read) => again.push(read));
      expect(again).toEqual([row]);
    }
    await client.end();
  });

  it('has the same value in COPY BINARY as in text form, and the same hash as its canonical text', async () => {
    const { name } = await aDatabase(SETUP);
    const client = await aReader(name);
    const described = await describeQuery(client, 'SELECT * FROM everything');
    const shape: Shape = {
      key: ['id'],
      columns: described.map((column) => ({ name: column.name, type: column.type })),
    };
    const printed = new Map<string, string | null>();
    const pace = { rowsPerSecond: 0, heartbeat: () => undefined };
    await readRows(client, 'everything', shape, pace, (key, row) => printed.set(key, row));
    const decoded = new Map<string, string | null>();
    const encoder = new RowEncoder(shape, { hashesKey: true });
    const hashes: string[][] = [];
    const source: SourceClient = client;
    await copyHashed(source, 'everything', shape, pace.heartbeat, (_key, high, low, row) => {
      const { key, values } = canonRow(shape, row(), TID_FIELD_BYTES);
      decoded.set(joinRow(key!), values && joinRow(values));
      encoder.rowFromCanon(values);
      hashes.push([[high, low].join(), encoder.row.slice(0, 2).join()]);
    });
    // A sink's table is read as text if its columns and those of the query have different types.
    const query = `(SELECT 7::bigint AS id, 1.50::numeric AS n, 'a'::text AS t, true AS b, '10.0.0.1'::inet AS i) AS q`;
    const columnsOf = ['int8', 'numeric', 'text', 'bool', 'inet'].map((type, at) => ({
      name: ['id', 'n', 't', 'b', 'i'][at]!,
      type,
    }));
    const result: Shape = { key: ['id'], columns: columnsOf };
    await client.query(
      `CREATE TABLE stored (id int, n float8, t varchar, b bool, i inet); INSERT INTO stored VALUES (7, 1.5, 'a', true, '10.0.0.1')`,
    );
    const found: string[] = [];
    const note = (key: Int32Array, high: number, low: number): void =>
      void found.push([...key, high, low].join());
    await copyHashed(source, query, result, pace.heartbeat, note);
    await copySink(source, 'stored', result, pace.heartbeat, note);
    await copySink(source, query, result, pace.heartbeat, note);
    expect(found).toEqual([found[0], found[0], found[0]]);
    await client.end();
    expect(Object.fromEntries(decoded)).toEqual(Object.fromEntries(printed));
    expect([...printed.values()]).not.toContain(null);
    expect(hashes).toHaveLength(rows);
    for (const [binary, text] of hashes) expect(binary).toBe(text);
  });
});
