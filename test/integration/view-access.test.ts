// Tests who may read the consumers' view after the switch, on a real database with ordinary roles.
// Before the commit, Sluice proves that the consumers may read the view. It names each missing
// privilege with the statement that grants it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import { checkBatch } from '../../src/activities/checks/batch-checks.js';
import { createConsumerActivities } from '../../src/activities/cutover/batch-output-readers.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { createSinkTable } from '../../src/clients/postgres/sink-table-sql.js';
import { resolveSecret } from '../../src/wiring/config.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { serverVersion } from '../support/sluice.js';

let drill: Drill;
let attempt = 0;
const ROLES = ['va_owner', 'va_dash', 'va_other', 'va_plain'];

beforeAll(async () => {
  drill = await openDrill('view_access');
  await drill.client
    .query(`${ROLES.map((role) => `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role}`).join('; ')};
    ALTER ROLE va_plain LOGIN PASSWORD '${process.env['PGPASSWORD']}'; GRANT va_owner TO va_plain; GRANT USAGE, CREATE ON SCHEMA public TO va_owner;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC`); // before Postgres 15, every role has this privilege
});
afterAll(async () => {
  await drill.client.query(
    `DROP OWNED BY ${ROLES.join(', ')}; ${ROLES.map((role) => `DROP ROLE ${role}`).join('; ')}`,
  );
  await drill.close();
});
beforeEach(async () => {
  attempt += 1;
  await drill.client
    .query(`DROP TABLE IF EXISTS batch_result, stream_result CASCADE; DELETE FROM ${LEASE}; INSERT INTO ${LEASE} (migration, state, epoch) VALUES ('${drill.ref().name}', 'OPEN', 0);
    CREATE TABLE batch_result (id int PRIMARY KEY, side text NOT NULL, secret text); INSERT INTO batch_result VALUES (1, 'batch'); ALTER TABLE batch_result OWNER TO va_owner`);
});

const input = (): FenceInput => ({
  ref: drill.ref(),
  token: `t${attempt}`,
  attempt,
  epoch: 1,
  evidenceId: 'ev',
});
const sql = (text: string) => drill.client.query(text);
const ownTable = (): Promise<unknown> =>
  sql('CREATE TABLE stream_result (id int PRIMARY KEY, side text NOT NULL, secret text)');
const madeTable = (): Promise<void> =>
  createSinkTable(
    { source: drill.client, target: drill.client },
    drill.ref().spec.spec.batch!,
    'public.stream_result',
  );

async function commit(): Promise<string | null> {
  expect((await drill.cutover.fence(input())).refused).toBeNull();
  return (await drill.cutover.commitCutover(input())).refused;
}

const reads = async (role: string, what = 'id'): Promise<boolean> => {
  await sql(`SET ROLE ${role}`);
  return sql(`SELECT ${what} FROM result`)
    .then(
      () => true,
      () => false,
    )
    .finally(() => void sql('RESET ROLE'));
};

const asPlainRole = (): MigrationRef => {
  const ref = drill.ref();
  const { source } = ref.spec.spec;
  return {
    ...ref,
    spec: {
      ...ref.spec,
      spec: {
        ...ref.spec.spec,
        source: { ...source, postgres: { ...source.postgres, user: 'va_plain' } },
      },
    },
  };
};
const finding = async (name: string) =>
  (await checkBatch({ secret: resolveSecret }, resolve(asPlainRole()))).find(
    (check) => check.name === name,
  );

/** PostgreSQL 14 has no `security_invoker` views, which check the privileges of their reader. */
const onInvokers = it.skipIf((await serverVersion()) < 150_000);

describe('consumers of the view', () => {
  it('can read it after the commit if another role owns it and Sluice created the sink table', async () => {
    await sql(
      'CREATE VIEW result AS SELECT id, side FROM batch_result; ALTER VIEW result OWNER TO va_owner; GRANT SELECT ON result TO va_dash',
    );
    await madeTable();
    expect(await commit()).toBeNull();
    expect([await reads('va_dash'), await reads('va_owner'), await reads('va_other')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  onInvokers(
    'can read it after the commit with their own privileges, if Sluice created the sink table',
    async () => {
      await sql(`CREATE VIEW result WITH (security_invoker) AS SELECT id FROM batch_result; ALTER VIEW result OWNER TO va_owner;
      GRANT SELECT ON result TO PUBLIC; GRANT SELECT (id, side) ON batch_result TO va_dash; GRANT SELECT (secret) ON batch_result TO va_other`);
      await madeTable();
      expect(await commit()).toBeNull();
      expect([await reads('va_dash'), await reads('va_other')]).toEqual([true, false]);
    },
  );

  it("stay on the batch if the view's owner could not read the stream's table, and the GRANT is named", async () => {
    await sql(
      'CREATE VIEW result AS SELECT id, side FROM batch_result; ALTER VIEW result OWNER TO va_owner',
    );
    await ownTable();
    await sql('GRANT SELECT (id) ON stream_result TO va_owner');
    expect(await commit()).toMatch(
      /"va_owner" would not be able to read public.result, because .*GRANT SELECT ON "public"."stream_result" TO "va_owner"/,
    );
    await expect(drill.cutover.proveRoute(drill.ref())).rejects.toMatchObject({
      code: 'permission-denied',
      remedy: expect.stringContaining('GRANT SELECT ON'),
    });
    await sql('GRANT SELECT (side) ON stream_result TO va_owner');
    await drill.cutover.proveRoute(drill.ref());
    expect((await drill.cutover.commitCutover(input())).refused).toBeNull();
  });

  onInvokers(
    'stop the commit if a role with a grant on columns could no longer read the view',
    async () => {
      await sql(
        `CREATE VIEW result WITH (security_invoker) AS SELECT id FROM batch_result; GRANT SELECT (id) ON result TO va_dash; GRANT SELECT (id) ON batch_result TO PUBLIC`,
      );
      await ownTable();
      await sql('GRANT SELECT ON stream_result TO va_owner, va_other, va_plain');
      expect(await commit()).toMatch(/"va_dash" would not be able to read/);
      await sql('GRANT SELECT (id) ON stream_result TO va_dash');
      expect((await drill.cutover.commitCutover(input())).refused).toBeNull();
      expect(await reads('va_dash')).toBe(true);
    },
  );

  onInvokers('stop the commit if row security would show them different rows', async () => {
    await sql(`CREATE VIEW result WITH (security_invoker) AS SELECT id FROM batch_result; GRANT SELECT ON batch_result, result TO va_dash;
      ALTER TABLE batch_result ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON batch_result USING (id > 0)`);
    await ownTable();
    await sql('GRANT SELECT ON stream_result TO va_owner, va_dash');
    expect(await commit()).toMatch(
      /row security of public.batch_result and public.stream_result differs/,
    );
    await sql(
      'ALTER TABLE stream_result ENABLE ROW LEVEL SECURITY; CREATE POLICY alike ON stream_result USING (id > 0)',
    );
    expect((await drill.cutover.commitCutover(input())).refused).toBeNull();
  });
});

describe('a role that owns nothing', () => {
  it('learns from doctor what it lacks to replace the view, create the sink table and read it', async () => {
    await sql(
      'CREATE VIEW result AS SELECT id, side FROM batch_result; ALTER VIEW result OWNER TO va_other',
    );
    expect(await finding('route.view')).toMatchObject({
      status: 'failed',
      remedy: 'GRANT "va_other" TO "va_plain"',
    });
    await sql('ALTER VIEW result OWNER TO va_owner; REVOKE CREATE ON SCHEMA public FROM va_owner');
    expect(await finding('route.view')).toMatchObject({
      status: 'failed',
      remedy: 'GRANT CREATE ON SCHEMA "public" TO "va_plain"',
    });
    expect(await finding('sink.table')).toMatchObject({
      status: 'failed',
      remedy: 'GRANT USAGE, CREATE ON SCHEMA "public" TO "va_plain"',
    });
    await sql('GRANT CREATE ON SCHEMA public TO va_owner');
    expect(await finding('sink.table')).toMatchObject({ status: 'passed' });
    expect(await finding('route.view')).toMatchObject({ status: 'passed' });
    await ownTable();
    expect(await finding('sink.table')).toMatchObject({
      remedy: 'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."stream_result" TO "va_plain"',
    });
    expect(await finding('route.view')).toMatchObject({
      status: 'failed',
      remedy: 'GRANT SELECT ON "public"."stream_result" TO "va_owner"',
    });
    await sql(
      'DROP TABLE stream_result; ALTER TABLE batch_result ENABLE ROW LEVEL SECURITY; ALTER TABLE batch_result FORCE ROW LEVEL SECURITY',
    );
    // In Sluice's sessions, a table whose row security hides rows raises an error, so it cannot be
    // inspected.
    const hidden: unknown = expect.stringMatching(
      /row-level security policy for table "batch_result": row security hides rows/,
    );
    expect(await finding('route.view')).toMatchObject({ status: 'unknown', detail: hidden });
  });

  it("can look for readers of the batch's table without privileges on the objects that read it", async () => {
    const activities = createConsumerActivities({ secret: resolveSecret });
    const mark = await activities.markReaders(asPlainRole());
    expect(Array.isArray(await activities.readersOfBatch(asPlainRole(), mark))).toBe(true);
  });
});

describe('the sink table that Sluice creates', () => {
  it('has the types, collations and NOT NULLs of the result table, for the columns of the query', async () => {
    await sql(`DROP TABLE batch_result CASCADE; CREATE DOMAIN money_of AS numeric(12,4);
      CREATE TABLE batch_result (id int PRIMARY KEY, side varchar(20) COLLATE "C" NOT NULL, paid money_of, loaded timestamptz NOT NULL DEFAULT now())`);
    const batch = {
      ...drill.ref().spec.spec.batch!,
      query: { sql: `SELECT g AS id, 'x'::text AS side, 1.5 AS paid FROM generate_series(1, 2) g` },
    };
    await createSinkTable(
      { source: drill.client, target: drill.client },
      batch,
      'public.stream_result',
    );
    const { rows } =
      await sql(`SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull), ', ' ORDER BY attnum) AS columns
      FROM pg_attribute WHERE attrelid = 'stream_result'::regclass AND attnum > 0`);
    expect(rows).toEqual([
      { columns: 'id integer - t, side character varying(20) "C" t, paid money_of - f' },
    ]);
  });
});
