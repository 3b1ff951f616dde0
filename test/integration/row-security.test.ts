// If row security hides rows from Sluice's role, every reading session must get an error. Hidden
// rows must never be reported as missing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classify } from '../../src/activities/runtime/application-failure.js';
import { serverIdentity } from '../../src/clients/postgres/server-identity.js';
import { openSource, withSource } from '../../src/clients/postgres/connection.js';
import { applyWaivers } from '../../src/domain/evidence/check.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, specOf, testPostgres } from '../support/sluice.js';

const ROLE = `reader_${process.pid}`;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let spec: MigrationSpec;
beforeAll(async () => {
  database =
    await freshDatabase(`CREATE TABLE events (id int PRIMARY KEY, tenant text); INSERT INTO events SELECT g, 't' || g % 2 FROM generate_series(1, 10) g;
    CREATE ROLE ${ROLE} LOGIN PASSWORD 'reads'; GRANT SELECT, UPDATE ON events TO ${ROLE};
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
  await database.client.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
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

  it('reads the timeline that the control file has after the next checkpoint', async () => {
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
