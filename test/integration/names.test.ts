// Tests names of tables and topics that the connector or Kafka could confuse with other names.
// The file also tests rows that are too large for a Kafka message.
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { live, objects } from '../support/live.js';
import { get, reach, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

interface Finding {
  readonly name: string;
  readonly subject: string;
  readonly status: string;
  readonly detail: string;
}

const findings = (file: string): Finding[] =>
  (
    JSON.parse(sluice('doctor', '-f', file, '-o', 'json').stdout) as { checks: Finding[] }
  ).checks.filter((check) => check.status !== 'passed');

describe('names', () => {
  it('with capitals, dots, quotes, blanks or pattern characters capture exactly the tables of the spec', async () => {
    const tables = [
      'public.orders',
      'public."Items"',
      '"Odd Schema"."a.b"',
      'public."q""u,o"',
      'public."re+gex(1)"',
      'public."ü$ber"',
    ];
    const others = ['public."Orders"', 'public.items', 'public."regex(1)"'];
    const made = [...tables, ...others].map(
      (t) =>
        `CREATE TABLE ${t} (id int PRIMARY KEY, n int); INSERT INTO ${t} SELECT g, g FROM generate_series(1, 20) g;`,
    );
    const database = await aDatabase(`CREATE SCHEMA "Odd Schema"; ${made.join('\n')}`);
    startMigration('odd-names', database.name, tables, {
      validation: { every: '1s', passesInARow: 1 },
    });
    await waitFor('odd-names', 'approval');
    for (const table of [...tables, ...others])
      await database.client.query(
        `UPDATE ${table} SET n = n + 1; DELETE FROM ${table} WHERE id = 20`,
      );
    const before = (await get('odd-names')).windows.at(-1)!.number;
    await reach('odd-names', 'later windows', (s) => s.windows.at(-1)!.number > before + 2);
    const later = (await get('odd-names')).windows.filter((w) => w.number > before + 1);
    expect(new Set(later.map((w) => `${w.subject} ${w.verdict} ${w.matched}`))).toEqual(
      new Set(tables.map((table) => `${table} passed 19`)),
    );
    const admin = new kafkajs.Kafka({
      brokers: [process.env['KAFKA_BROKERS']!],
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith('odd-names.'));
    await admin.disconnect();
    expect(topics.filter((topic) => /\.(Orders|items|regex_1_)$/.test(topic))).toEqual([]);
    expect(sluice('cancel', 'odd-names', '--yes').code).toBe(0);
    await waitFor('odd-names', 'outcome=aborted');
  });

  it('of topics that collide are refused, and so are rows that are too large for a message', async () => {
    const database = await aDatabase(`CREATE TABLE orders (id int PRIMARY KEY, n int);
      CREATE TABLE documents (id int PRIMARY KEY, body text, more bytea);
      INSERT INTO documents SELECT 1, string_agg(md5(g::text), ''), NULL FROM generate_series(1, 100000) g; INSERT INTO documents VALUES (2, repeat('x', 2000000));
      CREATE TABLE pages (id int PRIMARY KEY, body text); INSERT INTO pages SELECT 1, string_agg(md5(g::text), '') FROM generate_series(1, 20000) g;`);
    const admin = new kafkajs.Kafka({
      brokers: [process.env['KAFKA_BROKERS']!],
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'odd_topics_public_orders', numPartitions: 1 }] });
    try {
      const connector = {
        type: 'debezium-postgres',
        url: process.env['CONNECT_URL']!,
        topicPrefix: 'odd_topics',
      };
      const found = findings(
        specFile(
          'odd-topics',
          database.name,
          ['public.orders', 'public.documents', 'public.pages'],
          { connector },
        ),
      );
      expect(found.map((check) => `${check.name} ${check.subject}`).sort()).toEqual([
        'kafka.topic-names ',
        'table.message-size public.documents',
      ]);
      expect(found.find((check) => check.name === 'kafka.topic-names')!.detail).toContain(
        'odd_topics_public_orders',
      );
      expect(found.find((check) => check.name === 'table.message-size')!.detail).toMatch(
        /^2 rows of .* the largest has about 3200001 bytes/,
      );
    } finally {
      await admin.deleteTopics({ topics: ['odd_topics_public_orders'] });
      await admin.disconnect();
    }
    expect(await objects(database.client)).toEqual([]);
  });
});
