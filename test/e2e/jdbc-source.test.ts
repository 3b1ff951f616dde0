// Tests tables and queries that Sluice's JDBC source polls, with real servers. The tests show which
// changes are captured, which changes polling cannot see, and that an unseen difference never
// counts as equal.
import { describe, expect, it } from 'vitest';
import { connectRest, connectorNames, kafkaPort } from '../support/access.js';
import { dropConnector, live, objects } from '../support/live.js';
import { get, reach, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';
import { polling, records } from '../support/polled.js';
import { EVERYTHING, ROWS_OF_VALUES } from '../support/type-values.js';

const { aDatabase } = live();
const ORDERS = `CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL, note text, changed timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE regions (id int PRIMARY KEY, name text, changed timestamptz NOT NULL DEFAULT now());
INSERT INTO orders SELECT g, g * 1.10, CASE WHEN g % 3 = 0 THEN NULL ELSE 'n' || g END FROM generate_series(1, 3000) g;`;

describe('tables that are polled', () => {
  it('fail no window while they are written, and need neither a slot nor a publication', async () => {
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
      if (kind === 'connector') await dropConnector(connectRest(), name);
  });

  it('show a delete and an update without a new time as not capturable, but a late row as missing', async () => {
    const database = await aDatabase(ORDERS);
    startMigration('unseen', database.name, ['public.orders'], polling());
    await waitFor('unseen', 'approval');
    await database.client.query(
      `UPDATE orders SET total = 0 WHERE id = 5; DELETE FROM orders WHERE id = 6`,
    );
    const found = await reach('unseen', 'a window that found them', (s) => {
      return s.windows.at(-1)!.unknown === 2;
    });
    expect(found.windows.at(-1)).toMatchObject({
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
    ); // the time of this row is older than any poll looks back, as if it had been committed late
    const failed = await reach('unseen', 'a failed window', (s) => {
      return s.windows.at(-1)!.verdict === 'failed';
    });
    expect(failed.windows.at(-1)).toMatchObject({ missing: 1 });
    expect(sluice('cancel', 'unseen', '--yes').code).toBe(0);
    await waitFor('unseen', 'outcome=aborted');
    expect(await connectorNames()).not.toContainEqual(expect.stringMatching(/^unseen/));
  });
});

describe("a row whose time is ahead of the database's clock", () => {
  const FUTURE = `INSERT INTO orders VALUES (9999, 1, 'typed by hand', '2099-12-31T00:00:00Z')`;

  it('is reported by doctor before anything is created', async () => {
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
    const { windows } = await reach('later', 'a window that saw it', (s) => {
      return s.windows.at(-1)!.missing === 1;
    });
    expect(windows.at(-1)).toMatchObject({
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

  it('writes a join of three tables to one topic, in records with a key, and is compared as a whole', async () => {
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
    const { windows } = await reach('joined', 'a window with the new row', (s) => {
      return s.windows.at(-1)!.compared === 3001;
    });
    expect(windows.at(-1)).toMatchObject({
      subject: 'query',
      verdict: 'passed',
      matched: 3001,
    });
    const last = (await records(kafkaPort(), 'joined.query')).at(-1)!;
    expect(last.key).toBe('{"id":4001}');
    expect(JSON.parse(last.value)).toEqual({
      after: { id: 4001, total: '7.70', region: 'süd' },
      op: 'r',
    });
    expect(sluice('cancel', 'joined', '--yes').code).toBe(0);
    await waitFor('joined', 'outcome=aborted');
  });

  it.each([
    ['a key that is not unique', 'SELECT id % 10 AS id, total FROM orders', {}, 'polling.query'],
    ['a volatile result', 'SELECT id, random() AS r FROM orders', {}, 'two different results'],
    ['no column for its key', 'SELECT total FROM orders', {}, 'there is no column id'],
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
      '7 rows have NULL or an infinite time',
    ],
    [
      'a local time without a zone',
      `SELECT id, (now() AT TIME ZONE 'Asia/Tokyo') AS changed FROM orders`,
      { mode: 'timestamp+incrementing' },
      'after the current time in UTC',
    ],
    [
      'no declaration about deletes',
      'SELECT id FROM orders',
      { deletes: undefined },
      'polling.deletes',
    ],
  ])(
    'is refused by doctor, which names the reason, if it has %s',
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

describe('the JDBC source of Sluice', () => {
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
      matched: ROWS_OF_VALUES,
      unknown: 0,
    });
    expect(sluice('cancel', 'jdbc-types', '--yes').code).toBe(0);
    await waitFor('jdbc-types', 'outcome=aborted');
  });
});
