// If row security hides rows from Sluice's role, every reading session must get an error. Hidden
// rows must never be reported as missing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyRowIsVisible } from '../../src/activities/checks/row-visibility.js';
import { classify } from '../../src/activities/runtime/application-failure.js';
import { serverIdentity } from '../../src/clients/postgres/server-identity.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { openSource, withSource } from '../../src/clients/postgres/connection.js';
import { applyWaivers } from '../../src/domain/evidence/check.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { connectorOf, freshDatabase, specOf, testPostgres } from '../support/sluice.js';

const ROLE = `reader_${process.pid}`;
const LOADER = `Loader ${process.pid}`;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let spec: MigrationSpec;
beforeAll(async () => {
  database =
    await freshDatabase(`CREATE TABLE events (id int PRIMARY KEY, tenant text); INSERT INTO events SELECT g, 't' || g % 2 FROM generate_series(1, 10) g;
    CREATE ROLE ${ROLE} LOGIN PASSWORD 'reads'; GRANT SELECT, UPDATE ON events TO ${ROLE};
    CREATE ROLE "${LOADER}" LOGIN; GRANT SELECT ON events TO "${LOADER}"; CREATE TABLE open_events (id int PRIMARY KEY);
    ALTER TABLE events ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON events USING (tenant = 't1')`);
  const postgres = {
    ...testPostgres(database.name),
    user: ROLE,
    passwordFrom: { env: 'SLUICE_SECRET_READER' },
  };
  const parsed = parseSpecObject(
    specOf('hidden', database.name, ['public.events'], {
      source: { postgres, tables: ['public.events'] },
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  spec = parsed.spec;
});
afterAll(async () => {
  await database.client.query(`DROP OWNED BY ${ROLE}, "${LOADER}"; DROP ROLE ${ROLE}, "${LOADER}"`);
  await database.drop();
});

describe('a session of Sluice', () => {
  it('cannot read a table that hides rows from it, and says what to do', async () => {
    const client = await openSource(spec, () => 'reads');
    try {
      const error = await client.query('SELECT count(*) FROM events').then(
        () => null,
        (thrown: unknown) => classify(thrown),
      );
      expect(error).toMatchObject({
        code: 'permission-denied',
        remedy: expect.stringContaining('BYPASSRLS') as string,
      });
    } finally {
      await client.end();
    }
  });

  it('is subject to row security, like any session, if it runs a statement of the spec that changes data', async () => {
    const changed = await withSource(
      spec,
      () => 'reads',
      (client) => client.query('UPDATE events SET tenant = tenant'),
      { appliesRowSecurity: true },
    );
    expect(changed.rowCount).toBe(5);
  });

  it("reads the server's timeline, although the control file has a new one only after a checkpoint", async () => {
    const identity = await withSource(spec, () => 'reads', serverIdentity);
    await database.client.query('CHECKPOINT');
    const { rows } = await database.client.query<{ id: string; timeline: number }>(
      'SELECT system_identifier::text AS id, timeline_id AS timeline FROM pg_control_system(), pg_control_checkpoint()',
    );
    expect(identity).toBe(`${rows[0]!.id}/${rows[0]!.timeline}`);
  });

  it('cannot be allowed by a waiver to read a table that hides rows', () => {
    const hidden = {
      name: 'table.row-security' as const,
      subject: 'public.events',
      status: 'failed' as const,
      detail: 'hidden',
      remedy: '',
    };
    expect(
      applyWaivers(
        [hidden],
        [{ check: 'table.row-security', reason: 'no', until: '2099-01-01' }],
        '2026-01-01',
      ),
    ).toEqual([hidden]);
  });
});

describe('a connector with a login of its own', () => {
  /**
   * Returns what the check says about rows that row security can hide from the connector. The
   * worker's role sees every row.
   */
  async function visible(
    connector: object,
    { table = 'public.events', readsOnly = false } = {},
  ): Promise<unknown> {
    const parsed = parseSpecObject(
      specOf('loaded', database.name, [table], { connector: { ...connectorOf(), ...connector } }),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const plan = resolve({ spec: parsed.spec, generation: 1 });
    return withSource(plan, resolveSecret, async (client) =>
      everyRowIsVisible(client, plan, (await readTable(client, table))!, { readsOnly }),
    );
  }
  const config = { 'database.user': LOADER, 'database.password': '${env:SLUICE_SECRET_LOADER}' };
  const SEEN = 'the role sees every row';

  it('is refused before the initial load if row security applies to it, and the remedy works', async () => {
    const refused = {
      detail: `row-level security applies to the connector's login ${LOADER}, so the initial load can omit rows`,
      remedy: `ALTER ROLE "${LOADER}" BYPASSRLS`,
    };
    for (const snapshot of ['initial', 'incremental'])
      expect(await visible({ config, snapshot })).toEqual(refused);
    await database.client.query(refused.remedy);
    expect(await visible({ config })).toBe(SEEN);
    await database.client.query(`ALTER ROLE "${LOADER}" NOBYPASSRLS`);
    expect(await visible({ config })).toEqual(refused);
  });

  it('is accepted if the table has no row security, or if it reads no rows for an initial load', async () => {
    expect(await visible({ config }, { table: 'public.open_events' })).toBe(SEEN);
    expect(await visible({ config, snapshot: 'copy' })).toBe(SEEN);
    expect(await visible({ config }, { readsOnly: true })).toBe(SEEN);
    expect(await visible({})).toBe(SEEN); // the connector uses the worker's login
  });
});
