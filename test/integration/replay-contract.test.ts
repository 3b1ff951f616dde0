// Compares the records of SnapshotWriter, with which `sluice prove` writes rows, with the records
// of real Debezium's initial load. For the same row, they must have the same bytes, except for
// version, snapshot flag, transaction, position and time. (The load `copy` uses LineRecords, which
// test/compare/line-records.heavy.test.ts compares with SnapshotWriter.)
import { describe, expect, it } from 'vitest';
import { SnapshotWriter } from '../../src/compare/write-debezium-json.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { openSource } from '../../src/clients/postgres/connection.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { live } from '../support/live.js';
import { recordsOf } from '../support/records-of-topic.js';
import { sluice, specOf, startMigration, waitFor } from '../support/sluice.js';
import { FURTHER_SETUP, FURTHER_VALUES } from '../support/further-values.js';
import { MORE_TYPES, EDGE_VALUES } from '../support/type-values.js';

const { aDatabase } = live();
/**
 * Types that can be compared, but that Sluice never writes. `snapshot: copy` and `sluice prove`
 * refuse them.
 */
const NOT_COPIED = /^(hstore|point|line|lseg|box|path|polygon|circle)\b/;
const VALUES: Readonly<Record<string, readonly string[]>> = { ...EDGE_VALUES, ...FURTHER_VALUES };
// without numeric(3,-2), because the connector reads its scale as 2046 digits after the point
const columns = Object.keys(VALUES).filter(
  (type) => type !== 'numeric(3,-2)' && !NOT_COPIED.test(type),
);
const rows = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;
const SETUP = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
${MORE_TYPES} ${FURTHER_SETUP}
CREATE TABLE everything (second int, ${columns.map((type, at) => `c${at} ${type}`).join(', ')}, first text, PRIMARY KEY (first, second));
${Array.from({ length: rows }, (_, at) => `INSERT INTO everything VALUES (${at}, ${columns.map((c) => VALUES[c]![at] ?? 'NULL').join(', ')}, 'k');`).join('\n')}`;

/** Replaces the values that depend on when and where the row was read, not on the row itself. */
const timeless = (value: string): string =>
  value
    .replaceAll(/"(ts_ms|ts_us|ts_ns|txId|lsn)":\d+/g, '"$1":0')
    .replace(/"version":"[^"]*"/, '"version":""')
    .replace(/"snapshot":"[a-z_]+"/, '"snapshot":""')
    .replace(/"sequence":("[^}]*?\]"|null)/, '"sequence":null');

describe('a row that Sluice writes to a topic', () => {
  it("has the bytes of Debezium's record, except version, snapshot flag, transaction, position and time", async () => {
    const database = await aDatabase(SETUP);
    const tables = ['public.everything'];
    startMigration('contract', database.name, tables);
    await waitFor('contract', 'phase=validate');
    const theirs = await recordsOf('contract.public.everything', rows);
    const parsed = parseSpecObject(specOf('contract', database.name, tables));
    if (!parsed.ok) throw new Error('spec');
    const client = await openSource(parsed.spec, () => process.env['PGPASSWORD']!);
    const catalog = (await readTable(client, 'public.everything'))!;
    const writer = new SnapshotWriter(
      {
        database: database.name,
        schema: 'public',
        table: 'everything',
        columns: catalog.columns,
        key: catalog.key,
        server: 'contract',
      },
      1,
    );
    const { rows: read } = await client.query<(string | null)[]>({
      text: 'SELECT * FROM everything',
      rowMode: 'array',
    });
    await client.end();
    for (const row of [...read].sort((a, b) => Number(a[0]) - Number(b[0]))) {
      const { key, value } = writer.record(row);
      expect([...theirs.keys()]).toContain(key);
      expect(timeless(value)).toBe(timeless(theirs.get(key)!));
    }
    sluice('cancel', 'contract', '--yes');
    await waitFor('contract', 'outcome=aborted');
  });
});
