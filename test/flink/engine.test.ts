// Tests windows in which Flink joins each table with its topic to compare them (validation.engine:
// flink), with real Debezium records of every type whose values Flink can prove equal.
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { live, produceRecord, produceToEach } from '../support/live.js';
import { get, sluice, specFile, waitFor } from '../support/sluice.js';
import { envelope } from '../support/rows.js';
import { VALUES } from '../support/type-values.js';

const { aDatabase } = live();

const columns = Object.keys(VALUES);
const rows = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;
const inserts = (from: number): string =>
  Array.from(
    { length: rows },
    (_, at) =>
      `INSERT INTO everything VALUES (${from + at}, ${columns.map((column) => VALUES[column]![at] ?? 'NULL').join(', ')});`,
  ).join('\n');

const SETUP = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE everything (id int PRIMARY KEY, ${columns.map((type, at) => `c${at} ${type}`).join(', ')});
${inserts(1)}
CREATE TABLE plain (id int, region text, note text, seen timestamptz DEFAULT now(), place point DEFAULT '(1,2)', PRIMARY KEY (id, region));
INSERT INTO plain SELECT g, 'r' || g % 3, CASE WHEN g = 21 THEN U&'bad \\FFFD' ELSE 'note ' || g END FROM generate_series(1, 3000) g`;

const engine = () => ({ engine: 'flink', gateway: process.env['FLINK_GATEWAY_URL'] });

describe('a window in which Flink compares the rows', () => {
  it('passes for every provable type, names each wrong row, and counts what Flink cannot see as unknown', async () => {
    const database = await aDatabase(SETUP);
    const tables = ['public.everything', 'public.plain'];
    const file = specFile('by-flink', database.name, tables, {
      validation: {
        every: '1s',
        passesInARow: 1,
        ...engine(),
        compare: { ignore: ['public.plain.seen', 'public.plain.place'] },
      },
      kafka: { brokers: [process.env['KAFKA_BROKERS']], partitions: 2 },
    });
    expect(sluice('doctor', '-f', file).stdout).toMatch(/validation.engine.*Apache Flink/);
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('by-flink', 'approval');
    await database.client.query(inserts(101));
    await database.client.query(
      `DELETE FROM everything WHERE id = 102; DELETE FROM plain WHERE id = 5; UPDATE plain SET id = 9005 WHERE id = 6`,
    );
    const latest = async (subject: string) =>
      (await get('by-flink')).windows.findLast((w) => w.subject === subject)!;
    await sleepUntil(
      'a window over the rows before and after the inserts',
      async () => (await latest('public.everything')).compared === rows * 2 - 1,
    );
    expect(await latest('public.everything')).toMatchObject({
      verdict: 'passed',
      unknown: 0,
      mode: 'exact',
    });
    await sleepUntil(
      'the other table',
      async () => (await latest('public.plain')).compared === 2999,
    );
    expect(await latest('public.plain')).toMatchObject({ verdict: 'passed', matched: 2999 });

    const before = (await latest('public.plain')).number;
    await database.client.query(
      `ALTER PUBLICATION sluice_by_flink DROP TABLE plain, everything;
       UPDATE plain SET note = NULL WHERE id = 10; UPDATE plain SET note = '' WHERE id = 11; UPDATE plain SET seen = now() WHERE id = 12;
       DELETE FROM plain WHERE id = 13; INSERT INTO plain VALUES (99999, 'r0', 'new');
       UPDATE everything SET c0 = NOT c0 WHERE id = 1;
       ALTER PUBLICATION sluice_by_flink ADD TABLE plain, everything`,
    );
    await sleepUntil('a later failed window', async () => {
      const { number, verdict } = await latest('public.plain');
      return number > before && verdict === 'failed';
    });
    expect(await latest('public.plain')).toMatchObject({
      missing: 1,
      extraneous: 1,
      mismatched: 2,
      unknown: 0,
      matched: 2996,
    });
    expect(await latest('public.everything')).toMatchObject({ verdict: 'failed', mismatched: 1 });
    const found = (subject: string): string[] => {
      const diff = JSON.parse(
        sluice('diff', 'by-flink', '--subject', subject, '-o', 'json').stdout,
      ) as {
        differences: { class: string; column: string | null }[];
      };
      return diff.differences.map((d) => `${d.class} ${d.column ?? 'row'}`).sort();
    };
    expect(found('public.everything')).toEqual(['mismatched c0']);
    expect(found('public.plain')).toEqual([
      'extraneous row',
      'mismatched note',
      'mismatched note',
      'missing row',
    ]);

    // Both partitions get the same correct record, so one of them has a record whose key belongs to
    // the other partition. The key counts as unknown, because offsets do not order the two records.
    const value = envelope('r', '{"id":20,"region":"r2","note":"note 20","seen":null}', 0);
    await produceToEach('by-flink.public.plain', 2, '{"id":20,"region":"r2"}', value.toString());
    // Flink reads the invalid byte 0xff as U+FFFD. The row with id 21 really has this character, so
    // Flink cannot see the difference. The key must count as unknown.
    const bad = envelope('r', '{"id":21,"region":"r0","note":"bad \u00ff"}', 0).toString();
    await produceRecord(
      'by-flink.public.plain',
      '{"id":21,"region":"r0"}',
      Buffer.from(bad, 'latin1'),
    );
    const last = (await latest('public.plain')).number;
    await sleepUntil(
      'a later window',
      async () => (await latest('public.plain')).number > last + 1,
    );
    expect(await latest('public.plain')).toMatchObject({ matched: 2996, unknown: 2 });
    expect(sluice('cancel', 'by-flink', '--yes').code).toBe(0);
    await waitFor('by-flink', 'outcome=aborted');
    expect((await get('by-flink')).leftovers).toEqual([]);
  });
});
