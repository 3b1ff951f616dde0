// Tests tables and queries that Sluice's JDBC source polls, with real servers. It shows what is
// captured and what cannot be seen, and that an unseen difference never counts as equal.
import { beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { canonFromJson } from '../../src/compare/column-types.js';
import { parseJsonLossless } from '../../src/compare/json.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { capturesOf } from '../../src/domain/capture/index.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { aSpec, sleepUntil } from '../support/builders.js';
import { aTopic, dropConnector, live, objects } from '../support/live.js';
import {
  get,
  reach,
  sluice,
  specFile,
  startMigration,
  testPostgres,
  waitFor,
} from '../support/sluice.js';
import { VALUES } from '../support/type-values.js';

const { aDatabase } = live();
let port: KafkaPort;
beforeAll(() => {
  port = new KafkaPort(
    { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 1, tls: false },
    () => '',
  );
});

const polling = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  connector: {
    type: 'jdbc-source',
    url: process.env['CONNECT_URL'],
    mode: 'timestamp+incrementing',
    incrementingColumn: 'id',
    timestampColumns: ['changed'],
    delay: '1s',
    deletes: 'none',
    ...more,
  },
  validation: { every: '1s', passesInARow: 2 },
});

const ORDERS = `CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL, note text, changed timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE regions (id int PRIMARY KEY, name text, changed timestamptz NOT NULL DEFAULT now());
INSERT INTO orders SELECT g, g * 1.10, CASE WHEN g % 3 = 0 THEN NULL ELSE 'n' || g END FROM generate_series(1, 3000) g;`;

describe('tables that are polled', () => {
  it('pass every window while they are written, and are handed over without a slot or a publication', async () => {
    const database = await aDatabase(ORDERS);
    const file = specFile('polled', database.name, ['public.orders', 'public.regions'], polling());
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('polled', 'phase=validate');
    for (let n = 0; n < 20; n += 1) {
      await database.client.query(
        `BEGIN; UPDATE orders SET total = total + 1, changed = clock_timestamp() WHERE id % 100 = ${n}; INSERT INTO orders VALUES (${5000 + n}, 1); COMMIT`,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await waitFor('polled', 'approval');
    expect(
      sluice('approve', 'polled', '--approver', 'ann', '--reason', 'proven', '--yes').code,
    ).toBe(0);
    await waitFor('polled', 'outcome=migrated');
    const status = await get('polled');
    expect(status).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      tables: [
        { table: 'public.orders', rowsTotal: 3000 },
        { table: 'public.regions', rowsScanned: 0 },
      ],
    });
    expect(
      status.windows.every(
        (w) => w.mode === 'settled' && (w.verdict === 'passed' || w.verdict === 'inconclusive'),
      ),
    ).toBe(true);
    expect(status.windows.findLast((w) => w.subject === 'public.orders')).toMatchObject({
      verdict: 'passed',
      matched: 3020,
    });
    expect(status.handedOver.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'connector polled-public-orders',
      'connector polled-public-regions',
      'topic polled.public.orders',
      'topic polled.public.regions',
    ]);
    expect(await objects(database.client)).toEqual([]);
    for (const { kind, name } of status.handedOver)
      if (kind === 'connector')
        await dropConnector(new ConnectRest(process.env['CONNECT_URL']!), name);
  });

  it('report deletes, and updates without a new time, as not capturable, and lost rows as missing', async () => {
    const database = await aDatabase(ORDERS);
    startMigration('unseen', database.name, ['public.orders'], polling());
    await waitFor('unseen', 'approval');
    await database.client.query(
      `UPDATE orders SET total = 0 WHERE id = 5; DELETE FROM orders WHERE id = 6`,
    );
    await reach('unseen', 'a window that found them', (s) => s.windows.at(-1)!.unknown === 2);
    expect((await get('unseen')).windows.at(-1)).toMatchObject({
      verdict: 'inconclusive',
      missing: 0,
      extraneous: 0,
      mismatched: 0,
    });
    const diff = JSON.parse(sluice('diff', 'unseen', '-o', 'json').stdout) as {
      counts: object;
      differences: { key: object; batch: string | null }[];
    };
    expect(diff.counts).toEqual({ 'not-capturable': 2 });
    expect(diff.differences.map((d) => d.key)).toEqual(
      expect.arrayContaining([{ id: '5' }, { id: '6' }]),
    );
    await database.client.query(
      `INSERT INTO orders VALUES (9001, 1, 'late', now() - interval '1 hour')`,
    ); // like a transaction that commits long after the delay
    await reach('unseen', 'a failed window', (s) => s.windows.at(-1)!.verdict === 'failed');
    expect((await get('unseen')).windows.at(-1)).toMatchObject({ missing: 1 });
    expect(sluice('cancel', 'unseen', '--yes').code).toBe(0);
    await waitFor('unseen', 'outcome=aborted');
    expect(
      await (await fetch(`${process.env['CONNECT_URL']}/connectors`)).json(),
    ).not.toContainEqual(expect.stringMatching(/^unseen/));
  });
});

describe("a row whose time is ahead of the database's clock", () => {
  const FUTURE = `INSERT INTO orders VALUES (9999, 1, 'typed by hand', '2099-12-31T00:00:00Z')`;

  it('is named by doctor before anything is created', async () => {
    const database = await aDatabase(`${ORDERS} ${FUTURE}`);
    const { stdout, code } = sluice(
      'doctor',
      '-f',
      specFile('ahead', database.name, ['public.orders'], polling()),
      '-o',
      'json',
    );
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; status: string; detail: string }[];
    };
    expect(checks.find((c) => c.name === 'polling.future')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(
        /^1 rows of public.orders have .*changed.* ahead .*2099-12-31/,
      ) as string,
    });
  });

  it('delays no barrier if it appears later; only this row is missing, and the reason says why', async () => {
    const database = await aDatabase(ORDERS);
    startMigration('later', database.name, ['public.orders'], polling());
    await waitFor('later', 'approval');
    await database.client.query(`${FUTURE}; INSERT INTO orders VALUES (5000, 1)`);
    await reach('later', 'a window that saw it', (s) => s.windows.at(-1)!.missing === 1);
    expect((await get('later')).windows.at(-1)).toMatchObject({
      verdict: 'failed',
      matched: 3001,
      reason: expect.stringContaining("ahead of the database's clock") as string,
    });
    await database.client.query('DELETE FROM orders WHERE id = 9999');
    await waitFor('later', 'approval');
    expect(sluice('cancel', 'later', '--yes').code).toBe(0);
    await waitFor('later', 'outcome=aborted');
  });
});

describe('a query that is polled', () => {
  const QUERY = `SELECT o.id, o.total, r.name AS region FROM orders o JOIN links l ON l.order_id = o.id JOIN regions r ON r.id = l.region_id`;
  const SETUP = `${ORDERS} CREATE TABLE links (order_id bigint PRIMARY KEY, region_id int); INSERT INTO regions VALUES (1, 'north'), (2, 'süd'); INSERT INTO links SELECT id, 1 + id % 2 FROM orders;`;

  it('joins three tables into one topic, keeps the key of its records, and is compared as a whole', async () => {
    const database = await aDatabase(SETUP);
    const spec = polling({
      mode: 'incrementing',
      timestampColumns: undefined,
      query: { sql: QUERY },
    });
    startMigration(
      'joined',
      database.name,
      ['public.orders', 'public.links', 'public.regions'],
      spec,
    );
    await waitFor('joined', 'approval');
    await database.client.query(
      `INSERT INTO orders VALUES (4001, 7.70); INSERT INTO links VALUES (4001, 2)`,
    );
    await reach('joined', 'a window with the new row', (s) => s.windows.at(-1)!.compared === 3001);
    expect((await get('joined')).windows.at(-1)).toMatchObject({
      subject: 'query',
      verdict: 'passed',
      matched: 3001,
    });
    const last = (await records('joined.query')).at(-1)!;
    expect(last.key).toBe('{"id":4001}');
    expect(JSON.parse(last.value)).toEqual({
      after: { id: 4001, total: '7.70', region: 'süd' },
      op: 'r',
    });
    expect(sluice('cancel', 'joined', '--yes').code).toBe(0);
    await waitFor('joined', 'outcome=aborted');
  });

  it.each([
    ['no key column', 'SELECT id % 10 AS id, total FROM orders', {}, 'polling.query'],
    ['a volatile result', 'SELECT id, random() AS r FROM orders', {}, 'two different results'],
    ['no such column', 'SELECT total FROM orders', {}, 'there is no column id'],
    [
      'a text as its time',
      'SELECT id, note AS changed FROM orders',
      { mode: 'timestamp+incrementing' },
      'column changed is text',
    ],
    [
      'rows without a time',
      'SELECT id, CASE WHEN id > 7 THEN now() END AS changed FROM orders',
      { mode: 'timestamp+incrementing' },
      '7 rows have no',
    ],
    [
      'local time',
      `SELECT id, (now() AT TIME ZONE 'Asia/Tokyo') AS changed FROM orders`,
      { mode: 'timestamp+incrementing' },
      'ahead of UTC',
    ],
    [
      'no declaration about deletes',
      'SELECT id FROM orders',
      { deletes: undefined },
      'polling.deletes',
    ],
  ])(
    'is refused with the reason, and creates nothing, if it has %s',
    async (_case, query, more, finding) => {
      const database = await aDatabase(ORDERS);
      const byTime = 'mode' in more;
      const spec = polling({
        mode: 'incrementing',
        query,
        ...(byTime ? {} : { timestampColumns: undefined }),
        ...more,
      });
      const doctor = sluice(
        'doctor',
        '-f',
        specFile('refused', database.name, ['public.orders'], spec),
      );
      expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringContaining(finding)]);
    },
  );
});

describe('every supported JDBC source', () => {
  const columns = Object.keys(VALUES);
  const width = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;
  const row = (at: number): string =>
    `INSERT INTO everything VALUES (${at + 1}, ${columns.map((column) => VALUES[column]![at] ?? 'NULL').join(', ')});`;
  const EVERYTHING = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE everything (id int PRIMARY KEY, ${columns.map((type, at) => `c${at} ${type}`).join(', ')}); ${Array.from({ length: width }, (_, at) => row(at)).join('\n')}`;

  it('carries every provable type without loss', async () => {
    const database = await aDatabase(EVERYTHING);
    const spec = polling({ mode: 'incrementing', timestampColumns: undefined });
    startMigration('jdbc-types', database.name, ['public.everything'], spec);
    await waitFor('jdbc-types', 'approval');
    expect({
      ...(await get('jdbc-types')).windows[0],
      differences: sluice('diff', 'jdbc-types').stdout,
    }).toMatchObject({
      verdict: 'passed',
      matched: width,
      unknown: 0,
    });
    expect(sluice('cancel', 'jdbc-types', '--yes').code).toBe(0);
    await waitFor('jdbc-types', 'outcome=aborted');
  });

  it('yields the same values whether it reads a type itself or Postgres sends text to avoid rounding', async () => {
    const database = await aDatabase(EVERYTHING);
    const spec = aSpec({
      name: 'as-text',
      tables: ['public.everything'],
      spec: {
        ...polling({
          mode: 'bulk',
          timestampColumns: undefined,
          incrementingColumn: undefined,
          delay: undefined,
        }),
        source: { postgres: testPostgres(database.name), tables: ['public.everything'] },
      },
    });
    const rest = new ConnectRest(process.env['CONNECT_URL']!);
    const catalog = [
      { name: 'id', type: 'int4' },
      ...columns.map((type, at) => ({ name: `c${at}`, type: baseType(type) })),
    ].filter((c) => !c.type.endsWith('[]'));
    const [own, wellKnown] = [JDBC_PLUGINS[0]!, JDBC_PLUGINS[1]!];
    const found: unknown[][] = [];
    for (const asText of [false, true]) {
      const [capture] = capturesOf(spec, 1);
      const mine = { ...capture!, connector: `as-text-${asText}`, topic: `as-text-${asText}` };
      await aTopic(port, mine.topic);
      await rest.createStopped(
        mine.connector,
        jdbcSourceConfig(
          spec,
          pollingOf(spec),
          mine,
          { columns: catalog, key: ['id'] },
          { ...own, asText: asText && wellKnown.asText },
        ),
      );
      await rest.resume(mine.connector);
      await sleepUntil('all rows', async () => (await records(mine.topic)).length >= width);
      const images = (await records(mine.topic))
        .slice(0, width)
        .map(
          (record) => (parseJsonLossless(record.value) as { after: Record<string, unknown> }).after,
        );
      found.push(
        images.map((image) => catalog.map(({ name, type }) => canonFromJson(type, image[name]))),
      );
      await dropConnector(rest, mine.connector);
    }
    expect(found[1]).toEqual(found[0]);
  });

  it('delivers every row once although it restarts again and again during the load', async () => {
    const database = await aDatabase(
      `CREATE TABLE many (id int PRIMARY KEY, changed timestamptz NOT NULL); INSERT INTO many SELECT g, timestamptz '2026-01-01' + (g / 5000) * interval '1 second' FROM generate_series(1, 60000) g`,
    );
    const spec = aSpec({
      name: 'many',
      tables: ['public.many'],
      spec: {
        ...polling({ delay: '1s' }),
        source: { postgres: testPostgres(database.name), tables: ['public.many'] },
      },
    });
    const rest = new ConnectRest(process.env['CONNECT_URL']!);
    const [capture] = capturesOf(spec, 1);
    const shape = {
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'changed', type: 'timestamptz' },
      ],
      key: ['id'],
    };
    await aTopic(port, capture!.topic);
    await rest.createStopped(capture!.connector, {
      ...jdbcSourceConfig(spec, pollingOf(spec), capture!, shape, JDBC_PLUGINS[0]!),
      'batch.max.rows': '500',
    });
    await rest.resume(capture!.connector);
    for (let n = 0; n < 4; n += 1) {
      const before = await end(capture!.topic);
      await sleepUntil('some more rows', async () => (await end(capture!.topic)) > before);
      await fetch(
        `${process.env['CONNECT_URL']}/connectors/${capture!.connector}/restart?includeTasks=true`,
        { method: 'POST' },
      );
      await database.client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${capture!.connector}'`,
      );
    }
    await sleepUntil(
      'the last row',
      async () => (await rest.offsets(capture!.connector))[0]?.['incrementing'] === 60000,
    );
    const ids = (await records(capture!.topic)).map(
      (record) => (JSON.parse(record.key) as { id: number }).id,
    );
    expect(ids.length).toBe(60_000);
    expect(new Set(ids).size).toBe(60_000);
    await dropConnector(rest, capture!.connector);
  });
});

const baseType = (type: string): string => {
  const base = type.replace(/\(.*\)$/, '').replaceAll('"', '');
  return (
    { char: type.startsWith('"') ? 'char' : 'bpchar', mood: 'enum', positive: 'int4' }[base] ?? base
  );
};

async function end(topic: string): Promise<number> {
  return (await port.offsets(topic))[0]!.high;
}

/** Returns all committed records of a topic with one partition. */
async function records(topic: string): Promise<{ key: string; value: string }[]> {
  const found: { key: string; value: string }[] = [];
  await readTopic(port, topic, ({ key, value }) => {
    found.push({ key: key!.toString(), value: value!.toString() });
  });
  return found;
}
