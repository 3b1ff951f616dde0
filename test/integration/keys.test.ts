// Tests unusual primary keys: keys that are deferrable, and keys that may be equal in one place
// (source, Kafka, comparison) but different in another. Sluice must refuse and name such a key, or
// compare it exactly.
import { describe, expect, it } from 'vitest';
import { live, objects } from '../support/live.js';
import { get, reach, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

interface Finding {
  readonly name: string;
  readonly subject: string;
  readonly status: string;
  readonly detail: string;
  readonly remedy: string;
}

describe('a primary key', () => {
  it('that is deferrable or cannot be compared is refused before anything is created', async () => {
    const database = await aDatabase(`
      CREATE TABLE seats (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, label text);
      CREATE TABLE late (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, label text);
      CREATE TABLE parts (id int, part int, PRIMARY KEY (id, part) DEFERRABLE) PARTITION BY LIST (part);
      CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
      CREATE TABLE whole (id int PRIMARY KEY DEFERRABLE, label text); ALTER TABLE whole REPLICA IDENTITY FULL;
      CREATE TABLE spans (span int4multirange PRIMARY KEY);
      CREATE TABLE loose (level numeric PRIMARY KEY);`);
    const tables = ['seats', 'late', 'parts', 'whole', 'spans', 'loose'].map(
      (name) => `public.${name}`,
    );
    const compare = { ignore: ['span'] };
    const file = specFile('odd-keys', database.name, tables, {
      kafka: { brokers: [process.env['KAFKA_BROKERS']!], partitions: 3 },
      validation: { compare },
    });
    const { checks } = JSON.parse(sluice('doctor', '-f', file, '-o', 'json').stdout) as {
      checks: Finding[];
    };
    const open = checks.filter(
      (check) => check.status !== 'passed' && check.name.startsWith('table.'),
    );
    expect(open.map((check) => `${check.name} ${check.subject}`).sort()).toEqual([
      'table.key-form public.loose',
      'table.key-types public.spans',
      'table.replica-identity public.late',
      'table.replica-identity public.parts',
      'table.replica-identity public.seats',
    ]);
    for (const { name, detail, remedy } of open.filter(
      (check) => check.name === 'table.replica-identity',
    )) {
      expect(detail, name).toMatch(
        /the primary key \(id(, part)?\) of "public"\."\w+" is DEFERRABLE/,
      );
      expect(remedy, name).toContain('NOT DEFERRABLE');
    }
    expect(await objects(database.client)).toEqual([]);
  });

  it('is compared exactly if it has INCLUDE, is numeric, or is deferrable with REPLICA IDENTITY FULL', async () => {
    // a numeric key is refused only if the topic has several partitions
    const database = await aDatabase(`
      CREATE TABLE invoices (tenant int, no int, note text, PRIMARY KEY (tenant, no) INCLUDE (note));
      INSERT INTO invoices SELECT g % 7, g, 'note ' || g FROM generate_series(1, 200) g;
      CREATE TABLE levels (level numeric PRIMARY KEY, label text); INSERT INTO levels SELECT (g || '.5')::numeric, 'p' FROM generate_series(1, 100) g;
      CREATE TABLE whole (id int PRIMARY KEY DEFERRABLE, label text); ALTER TABLE whole REPLICA IDENTITY FULL;
      INSERT INTO whole SELECT g, 'w' FROM generate_series(1, 100) g;`);
    const tables = ['public.invoices', 'public.levels', 'public.whole'];
    startMigration('exact-keys', database.name, tables, {
      validation: { every: '1s', passesInARow: 1 },
    });
    await waitFor('exact-keys', 'approval');
    await database.client
      .query(`UPDATE invoices SET note = 'changed' WHERE no <= 10; DELETE FROM invoices WHERE no BETWEEN 11 AND 15;
      UPDATE levels SET level = level + 0.00; UPDATE whole SET id = -id WHERE id <= 50; DELETE FROM whole WHERE id > 90`);
    const before = (await get('exact-keys')).windows.at(-1)!.number;
    await reach('exact-keys', 'later windows', (s) => s.windows.at(-1)!.number > before + 2);
    const later = (await get('exact-keys')).windows.filter((w) => w.number > before + 1);
    expect(new Set(later.map((w) => `${w.subject} ${w.verdict} ${w.matched}`))).toEqual(
      new Set(['public.invoices passed 195', 'public.levels passed 100', 'public.whole passed 90']),
    );
    expect(sluice('cancel', 'exact-keys', '--yes').code).toBe(0);
    await waitFor('exact-keys', 'outcome=aborted');
  });
});
