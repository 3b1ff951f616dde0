// Tests the switch of the consumers' view on a real database. The view then reads a different
// table, and keeps its columns, options and privileges. The rollback restores the exact text of the
// view, unless a person has edited it since.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { readView } from '../../src/clients/postgres/consumer-view.js';
import { serverVersion } from '../support/sluice.js';

let drill: Drill;
let attempt = 0;

beforeAll(async () => {
  drill = await openDrill('view_switch');
  await drill.client
    .query(`DROP ROLE IF EXISTS view_owner; DROP ROLE IF EXISTS view_reader; CREATE ROLE view_owner; CREATE ROLE view_reader;
    CREATE TABLE stores (id int PRIMARY KEY, name text); INSERT INTO stores VALUES (1, 'one');
    CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE FUNCTION masked(text) RETURNS text LANGUAGE sql AS $$ SELECT left($1, 2) || '**' $$`);
});
afterAll(async () => {
  await drill.client.query(
    'DROP OWNED BY view_owner, view_reader; DROP ROLE view_owner; DROP ROLE view_reader',
  );
  await drill.close();
});
beforeEach(async () => {
  attempt += 1;
  await drill.client.query(
    `DROP TABLE IF EXISTS batch_result, stream_result CASCADE; DELETE FROM ${LEASE}; INSERT INTO ${LEASE} (migration, state, epoch) VALUES ('${drill.ref().name}', 'OPEN', 0)`,
  );
});

const COLUMNS =
  'id int PRIMARY KEY, tenant text, iban text, cents bigint, mood mood, at timestamptz';

async function tables(batch = COLUMNS, stream = COLUMNS): Promise<void> {
  await drill.client
    .query(`CREATE TABLE batch_result (${batch}); CREATE TABLE stream_result (${stream});
    INSERT INTO batch_result (id) VALUES (1); INSERT INTO stream_result (id) VALUES (1), (2)`);
}

const input = (): FenceInput => ({
  ref: drill.ref(),
  token: `t${attempt}`,
  attempt,
  epoch: 1,
  evidenceId: 'ev',
});
const shown = () => readView(drill.client, { schema: 'public', table: 'result' });
const plain = async (): Promise<string> =>
  (await drill.client.query<{ d: string }>(`SELECT pg_get_viewdef('result'::regclass) AS d`))
    .rows[0]!.d;

async function commit(): Promise<string | null> {
  expect((await drill.cutover.fence(input())).refused).toBeNull();
  return (await drill.cutover.commitCutover(input())).refused;
}

const KEPT: Record<string, string> = {
  'a filter, an expression and a mask': `SELECT tenant, cents / 100 AS cents, masked(iban) AS iban FROM batch_result WHERE tenant <> 'internal'`,
  'an alias with new names of columns': `SELECT r.a, r.c FROM batch_result AS r (a, b, c)`,
  'a join with another table': `SELECT s.name, batch_result.cents FROM batch_result JOIN stores s USING (id)`,
  'two uses of the table': `SELECT a.id, b.cents FROM batch_result a JOIN batch_result b ON a.id = b.id + 1 UNION ALL SELECT id, cents FROM batch_result`,
  'a common table expression with the name of the table': `WITH batch_result AS (SELECT id, cents FROM public.batch_result WHERE id > 0) SELECT * FROM batch_result`,
  'a recursive common table expression': `WITH RECURSIVE up(id) AS (SELECT id FROM batch_result UNION SELECT id + 1 FROM up WHERE id < 5) SELECT id FROM up`,
  'a correlated sub-query': `SELECT id, (SELECT max(b.cents) FROM batch_result b WHERE b.tenant = stores.name) AS most FROM stores`,
  'a lateral sub-query': `SELECT s.name, x.cents FROM stores s, LATERAL (SELECT cents FROM batch_result WHERE id = s.id LIMIT 1) x`,
  'window functions, groups, limits and casts': `SELECT tenant, sum(cents) FILTER (WHERE id > 1) AS n, rank() OVER (ORDER BY sum(cents)) AS place, max(at)::date AS day FROM batch_result GROUP BY tenant HAVING count(*) > 0 ORDER BY 1 LIMIT 5`,
  'groups by the primary key': `SELECT id, tenant, count(*) AS n FROM batch_result GROUP BY id`,
  'the keyword ONLY': `SELECT id FROM ONLY batch_result`,
  'a sample': `SELECT id FROM batch_result TABLESAMPLE bernoulli (100)`,
  'row locks': `SELECT id FROM batch_result FOR UPDATE OF batch_result`,
  'letters beyond ASCII before and after the name of the table': `SELECT 'née' AS "é", id FROM batch_result WHERE tenant <> 'ü' AND mood = 'well'`,
};

/** PostgreSQL 14 does not have the option `security_invoker`. */
const INVOKER = (await serverVersion()) < 150_000 ? [] : ['security_invoker=true'];

describe('the switch of a view', () => {
  for (const [what, query] of Object.entries(KEPT))
    it(`keeps ${what}, and a rollback restores the exact text`, async () => {
      await tables();
      await drill.client.query(`CREATE VIEW result AS ${query}`);
      const [before, text] = [await shown(), await plain()];
      expect(await commit()).toBeNull();
      const after = (await shown())!;
      expect(after.definition).toContain('public.stream_result');
      expect({ ...after, definition: '' }).toEqual({ ...before, definition: '' });
      expect((await drill.cutover.observeRoute(drill.ref())).side).toBe('stream');
      await drill.cutover.routeBack(drill.ref());
      expect(await shown()).toEqual(before);
      expect(await plain()).toBe(text);
    });

  it('keeps options, owner, privileges, comments, defaults, triggers, rules and dependent views', async () => {
    await tables();
    await drill.client
      .query(`CREATE VIEW result WITH (${INVOKER.map((option) => `${option}, `).join('')}security_barrier = on, check_option = local) AS SELECT id, tenant FROM batch_result WHERE id > 0;
      GRANT SELECT ON batch_result, stream_result TO view_owner, view_reader; ALTER VIEW result OWNER TO view_owner; GRANT SELECT (id) ON result TO view_reader; GRANT SELECT ON result TO PUBLIC;
      COMMENT ON VIEW result IS 'what ''consumers'' read'; COMMENT ON COLUMN result.tenant IS 'whose';
      ALTER VIEW result ALTER COLUMN tenant SET DEFAULT 'nobody';
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
      CREATE TRIGGER no_delete INSTEAD OF DELETE ON result FOR EACH ROW EXECUTE FUNCTION refuse();
      CREATE RULE no_insert AS ON INSERT TO result DO INSTEAD NOTHING;
      CREATE VIEW above AS SELECT * FROM result`);
    const [before, above] = [
      await shown(),
      await readView(drill.client, { schema: 'public', table: 'above' }),
    ];
    expect(before!.options).toEqual([...INVOKER, 'security_barrier=on', 'check_option=local']);
    expect(await commit()).toBeNull();
    expect({ ...(await shown()), definition: '' }).toEqual({ ...before, definition: '' });
    expect(await readView(drill.client, { schema: 'public', table: 'above' })).toEqual(above);
    await drill.cutover.routeBack(drill.ref());
    expect(await shown()).toEqual(before);
  });

  it('casts columns that have different types or a different order in the stream table', async () => {
    await tables(
      COLUMNS,
      'extra int, cents numeric, tenant varchar(20), id bigint PRIMARY KEY, mood text',
    );
    await drill.client.query(
      `CREATE VIEW result AS SELECT r.id, r.cents / 100 AS euros, r.tenant || '!' AS tenant FROM batch_result r WHERE r.cents IS NULL`,
    );
    const before = await shown();
    expect(await commit()).toBeNull();
    expect({ ...(await shown()), definition: '' }).toEqual({ ...before, definition: '' });
    expect((await drill.client.query('SELECT * FROM result')).rows).toHaveLength(2);
    await drill.cutover.routeBack(drill.ref());
    expect(await shown()).toEqual(before);
  });

  it('keeps a later edit by a person if a rollback returns the view to the batch', async () => {
    await tables();
    await drill.client.query('CREATE VIEW result AS SELECT id FROM batch_result');
    expect(await commit()).toBeNull();
    await drill.client.query(
      `CREATE OR REPLACE VIEW result AS SELECT id, 'new' AS added FROM stream_result WHERE id > 0`,
    );
    await drill.cutover.routeBack(drill.ref());
    expect((await drill.client.query('SELECT * FROM result')).rows).toEqual([
      { id: 1, added: 'new' },
    ]);
    expect(await plain()).toMatch(/WHERE/);
  });

  const REFUSED: Record<string, [string, RegExp, string?]> = {
    'whole rows': ['SELECT row_to_json(b) AS j FROM batch_result b', /reads whole rows \(b\.\*\)/],
    'system columns': ['SELECT id, ctid::text AS place FROM batch_result', /reads ctid/],
    'both sides': [
      'SELECT id FROM batch_result UNION SELECT id FROM stream_result',
      /does not read only public.batch_result/,
    ],
    'the table in a constant': [
      `SELECT id, 'batch_result'::regclass AS of FROM batch_result`,
      /in a constant/,
    ],
    'a column that the stream table lacks': [
      'SELECT id, iban FROM batch_result',
      /reads iban .* does not have/,
      'id int PRIMARY KEY',
    ],
    'a time whose type has no zone in the stream table': [
      'SELECT id, at FROM batch_result',
      /at is timestamp without time zone, .* depend on settings of the reader's session/,
      COLUMNS.replace('timestamptz', 'timestamp'),
    ],
    'the primary key by grouping, if the stream table has a different key': [
      'SELECT id, tenant FROM batch_result GROUP BY id',
      /groups by the primary key/,
      COLUMNS.replace(' PRIMARY KEY', ''),
    ],
  };
  for (const [what, [query, why, stream]] of Object.entries(REFUSED))
    it(`is refused for a view that reads ${what}, and nothing changes`, async () => {
      await tables(COLUMNS, stream);
      await drill.client.query(`CREATE VIEW result AS ${query}`);
      const before = await shown();
      expect(await commit()).toMatch(why);
      expect(await shown()).toEqual(before);
    });

  it('is refused before the fence if no window compares a column of the view and no rule ignores it', async () => {
    const columns = 'id int PRIMARY KEY, side text, loaded timestamptz DEFAULT now()';
    await tables(columns, columns);
    await drill.client.query('CREATE VIEW result AS SELECT id, loaded FROM batch_result');
    const ref = drill.ref();
    await expect(drill.cutover.proveRoute(ref)).rejects.toMatchObject({
      code: 'route-unexpected',
      message: expect.stringContaining(
        'consumers read loaded, which batch.query does not compute, so no window compares it',
      ) as string,
    });
    const { validation } = ref.spec.spec;
    const compare = { ...validation.compare, ignore: ['result.loaded'] };
    const spec = { ...ref.spec.spec, validation: { ...validation, compare } };
    await drill.cutover.proveRoute({ ...ref, spec: { ...ref.spec, spec } });
  });

  it("is refused for a view with a rule that writes to the batch's table", async () => {
    await tables();
    await drill.client.query(
      'CREATE VIEW result AS SELECT id FROM batch_result; CREATE RULE writes AS ON INSERT TO result DO INSTEAD INSERT INTO batch_result (id) VALUES (new.id)',
    );
    expect(await commit()).toMatch(/a rule of the view writes public.batch_result/);
  });

  it('cannot be observed if the view is missing or reads a third table, and the error says so', async () => {
    await tables();
    const missing = {
      code: 'route-unexpected',
      message: expect.stringContaining('view public.result does not exist') as string,
    };
    await expect(drill.cutover.observeRoute(drill.ref())).rejects.toMatchObject(missing);
    await drill.client.query('CREATE VIEW result AS SELECT id FROM stores');
    await expect(drill.cutover.observeRoute(drill.ref())).rejects.toMatchObject({
      message: expect.stringContaining('but it reads public.stores') as string,
    });
  });
});
