// A person may create an object by hand after the server refused Sluice's CREATE statement. The
// object then belongs to that person. Sluice uses it or refuses it, but never counts it as its own
// or drops it.
import pg from 'pg';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectActivities } from '../../src/activities/objects/object-activities.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import type { MigrationRef, OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { namesOf } from '../../src/domain/migration/names.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';
import { freshDatabase, testPostgres, withDatabase } from '../support/sluice.js';

const ROLE = `poor_${process.pid}`;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let ref: MigrationRef;
let objects: ReturnType<typeof createObjectActivities>;

beforeAll(async () => {
  database =
    await freshDatabase(`CREATE TABLE t (day int PRIMARY KEY, total int); CREATE TABLE totals_batch (LIKE t INCLUDING ALL); CREATE ROLE ${ROLE} LOGIN PASSWORD 'poor';
    GRANT USAGE ON SCHEMA public TO ${ROLE}; GRANT SELECT ON t, totals_batch TO ${ROLE}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
  const postgres = {
    ...testPostgres(database.name),
    user: ROLE,
    passwordFrom: { env: 'POOR_PASSWORD' },
  };
  ref = aRef({
    name: `hand-${process.pid}`,
    spec: { ...BATCH_PARTS, source: { postgres, tables: ['public.t'] } },
  });
  ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const secret = (): string => 'poor';
  const deps = { secret, ledger, systems: new Systems(secret) } as never;
  objects = createObjectActivities(deps);
});

afterAll(async () => {
  await ledger.query(`DELETE FROM sluice.object WHERE name = $1`, [ref.name]);
  await ledger.close();
  await database.drop();
  await withDatabase('postgres', (client: pg.Client) => client.query(`DROP ROLE ${ROLE}`));
});

const code = (doing: () => Promise<unknown>): Promise<string> =>
  new MockActivityEnvironment().run<[], string, () => Promise<string>>(() =>
    doing().then(
      () => 'done',
      (error: unknown) => (error as { code: string }).code,
    ),
  );
const relation = async (name: string): Promise<boolean> =>
  (
    await database.client.query<{ found: string | null }>('SELECT to_regclass($1)::text AS found', [
      name,
    ])
  ).rows[0]!.found !== null;

describe("after the server refused Sluice's own CREATE statement", () => {
  it('a sink table that a DBA creates is used, and stays after a rollback', async () => {
    const object: OwnedObject = {
      kind: 'sink-table',
      name: 'public.totals_stream',
      where: database.name,
    };
    expect(await code(() => objects.ensureSinkTable(ref))).toBe('42501');
    await database.client.query(
      `CREATE TABLE totals_stream (day int PRIMARY KEY, total int, extra text); GRANT SELECT, INSERT ON totals_stream TO ${ROLE}`,
    );
    expect(await objects.ensureSinkTable(ref)).toBeNull();
    await objects.removeSinkTable(ref, object);
    expect(await relation('totals_stream')).toBe(true);
  });

  it('a publication and a schema that a DBA creates are refused, and stay', async () => {
    const { publication, leaseSchema } = namesOf(ref.spec, 1);
    expect(await code(() => objects.ensurePublication(ref))).toBe('42501');
    expect(await code(() => objects.ensureLease(ref))).toBe('42501');
    await database.client.query(
      `CREATE PUBLICATION ${publication} FOR TABLE t; CREATE SCHEMA ${leaseSchema} AUTHORIZATION ${ROLE}`,
    );
    expect(await code(() => objects.ensurePublication(ref))).toBe('object-not-ours');
    expect(await code(() => objects.ensureLease(ref))).toBe('object-not-ours');
    await objects.removePublication(ref, {
      kind: 'publication',
      name: publication,
      where: database.name,
    });
    await objects.removeLease(ref, { kind: 'lease', name: leaseSchema, where: database.name });
    const left = await database.client.query(
      `SELECT pubname AS n FROM pg_publication UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = '${leaseSchema}'`,
    );
    expect(left.rows).toHaveLength(2);
  });
});
