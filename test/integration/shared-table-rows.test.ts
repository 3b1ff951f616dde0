// Tests a shared table on a real database, without a pipeline. The tests show who may write to the
// table and when, which rows it gets, and when its commit is refused.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { checkSharedTable } from '../../src/activities/cutover/routes/shared-table-checks.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { relation } from '../../src/domain/migration/names.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { SharedTablePlan } from '../../src/domain/routes/route.js';
import {
  NIGHTLY,
  STAGING,
  STREAM,
  asNightly,
  asStream,
  batchMayWrite,
  dropRoles,
  makeRoles,
  resetShared,
  sharedRef,
  sharedRows,
  write,
} from '../support/shared-drill.js';

let drill: Drill;
let ref: MigrationRef;
let attempt = 0;

beforeAll(async () => {
  drill = await openDrill('shared_rows');
  await makeRoles(drill);
});
afterAll(async () => {
  await dropRoles(drill);
  await drill.close();
});
beforeEach(async () => {
  attempt += 1;
  await resetShared(drill);
  ref = sharedRef(drill);
});

const routeBack = (): Promise<void> =>
  new MockActivityEnvironment().run(() => drill.cutover.routeBack(ref));
const input = (token: string): FenceInput => ({ ref, token, attempt, epoch: 3, evidenceId: 'ev' });
const rows = (): Promise<unknown[]> => sharedRows(drill);
const expiresIn = (time: string): Promise<unknown> =>
  drill.client.query(`UPDATE ${LEASE} SET expires_at = clock_timestamp() + interval '${time}'`);

describe('a shared table on a real database', () => {
  it("accepts no writes while fenced, then only the sink's, and after a rollback only the batch's", async () => {
    const nightly = await asNightly(drill);
    expect(await write(nightly, 'UPDATE shared SET n = 0')).toBeNull();
    expect((await drill.cutover.fence(input('hands'))).refused).toBeNull();
    for (const [client, sql] of [
      [nightly, 'DELETE FROM shared WHERE false'],
      [drill.client, 'TRUNCATE shared'],
      [drill.client, asStream('1.3')],
    ] as const)
      expect([sql, await write(client, sql)]).toEqual([sql, '25006']);
    expect(await drill.cutover.commitCutover(input('hands'))).toEqual({
      refused: null,
      rows: { written: 3, removed: 1 },
    });
    for (const sql of [asStream('1.3'), `SET LOCAL ROLE ${STREAM}; UPDATE shared SET n = 0`])
      expect([sql, await write(drill.client, sql)]).toEqual([sql, null]);
    for (const [client, sql] of [
      [nightly, 'UPDATE shared SET n = 0'],
      [drill.client, 'UPDATE shared SET n = 0'],
      [drill.client, asStream('1.2')],
      [drill.client, asStream('2.3')],
    ] as const)
      expect([sql, await write(client, sql)]).toEqual([sql, '25006']);
    expect(await drill.cutover.observeRoute(ref)).toMatchObject({ side: 'stream' });
    await routeBack();
    expect(await write(nightly, 'UPDATE shared SET n = 0')).toBeNull();
    expect(await write(drill.client, asStream('1.3'))).toBe('25006');
    expect(await drill.cutover.observeRoute(ref)).toMatchObject({ side: 'batch' });
    await nightly.end();
  });

  it("gets only those rows of the stream that differ, and gets the batch's rows back at a rollback", async () => {
    const serial = async (id: number): Promise<unknown> =>
      (
        await drill.client.query<{ serial: string }>(
          `SELECT xmin::text || serial AS serial FROM shared WHERE id = ${id}`,
        )
      ).rows[0]?.serial;
    const untouched = await serial(2);
    await drill.cutover.fence(input('rows'));
    await drill.cutover.commitCutover(input('rows'));
    expect(await rows()).toEqual([
      [1, '1.00', '{"a": 1}'],
      [2, '2', null],
      [3, '3.5', '{}'],
      [4, '4', '{}'],
    ]);
    expect(await serial(2)).toBe(untouched);
    expect((await drill.client.query(`SELECT to_regclass('${STAGING}') AS staging`)).rows).toEqual([
      { staging: null },
    ]); // the staging table is gone, so a sink that has not moved yet cannot write
    await routeBack();
    // The table has the current result of the query, and row 9, which the query does not return.
    expect(await rows()).toEqual([
      [1, '1.5', '{"b": 2}'],
      [2, '2', null],
      [9, '9', '{"only": "here"}'],
    ]);
    await routeBack(); // a second rollback changes nothing
    expect(await rows()).toHaveLength(3);
  });

  it.each([
    [
      'deletes and returns',
      'WITH gone AS (DELETE FROM shared RETURNING id, n) SELECT id, n, NULL::json AS doc FROM gone',
    ],
    ['calls a function that writes', 'SELECT empties() AS id, 1 AS n, NULL::json AS doc'],
    [
      'closes the parenthesis',
      'SELECT 1 AS id) q, (SELECT empties()::numeric AS n, NULL::json AS doc',
    ],
    [
      'first leaves read-only mode',
      "SELECT set_config('transaction_read_only', 'off', true)::int AS id, empties() AS n, NULL::json AS doc",
    ],
  ])(
    'is not returned to the batch by a query that %s, and nothing is written',
    async (_what, sql) => {
      await drill.client
        .query(`DROP TABLE IF EXISTS precious; CREATE TABLE precious (id int); INSERT INTO precious VALUES (1);
      CREATE OR REPLACE FUNCTION empties() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.precious; RETURN 1; END'`);
      await drill.cutover.fence(input('hostile'));
      await drill.cutover.commitCutover(input('hostile'));
      const before = await rows();
      const { batch, ...spec } = ref.spec.spec;
      ref = {
        ...ref,
        spec: { ...ref.spec, spec: { ...spec, batch: { ...batch!, query: { sql } } } },
      };
      await expect(routeBack()).rejects.toThrow(/.+/);
      expect(await rows()).toEqual(before);
      expect(await drill.cutover.isSwitched(ref)).toBe(true);
      expect((await drill.client.query('SELECT * FROM precious')).rows).toHaveLength(1);
    },
  );

  it('is returned to the batch although the query changes settings, which are restored', async () => {
    await drill.cutover.fence(input('settings'));
    await drill.cutover.commitCutover(input('settings'));
    const { batch, ...spec } = ref.spec.spec;
    const sql = `SELECT 1 AS id, length(set_config('search_path', 'nowhere', true) || set_config('role', '${NIGHTLY}', true))::numeric AS n, NULL::json AS doc`;
    ref = {
      ...ref,
      spec: { ...ref.spec, spec: { ...spec, batch: { ...batch!, query: { sql } } } },
    };
    await drill.client.query(`REVOKE INSERT, UPDATE, DELETE ON shared FROM ${NIGHTLY}`);
    await routeBack();
    expect(await rows()).toEqual([
      [1, String(`nowhere${NIGHTLY}`.length), null],
      [9, '9', '{"only": "here"}'],
    ]);
  });

  it('stays unchanged if the commit is late, of a wrong attempt, unfenced, or breaks a foreign key', async () => {
    const before = await rows();
    await drill.cutover.fence(input('late'));
    await expiresIn('500 milliseconds');
    expect((await drill.cutover.commitCutover(input('late'))).refused).toMatch(
      /the fence expires at/,
    );
    expect((await drill.cutover.commitCutover(input('other'))).refused).toMatch(
      /belongs to a different attempt/,
    );
    await drill.client.query('ALTER TABLE shared DISABLE TRIGGER ALL');
    expect((await drill.cutover.commitCutover(input('late'))).refused).toBe(
      'not fenced: "public"."shared"',
    );
    await drill.client.query(
      'ALTER TABLE shared ENABLE TRIGGER ALL; ALTER TABLE shared ENABLE ALWAYS TRIGGER sluice_sluice_drill_owner, ENABLE ALWAYS TRIGGER sluice_sluice_drill_owner_row',
    );
    await drill.client.query(
      'CREATE TABLE child (id int REFERENCES shared); INSERT INTO child VALUES (9)',
    );
    await expiresIn('5 seconds');
    expect((await drill.cutover.commitCutover(input('late'))).refused).toMatch(
      /public.shared does not take the stream's rows: .* violates foreign key/,
    );
    expect(await rows()).toEqual(before);
    expect((await drill.client.query(`SELECT count(*)::int AS n FROM ${STAGING}`)).rows).toEqual([
      { n: 4 },
    ]);
    await drill.cutover.releaseFence(input('late'));
    for (const { trigger } of resolve(ref).fence.guards)
      await drill.cutover.removeTrigger(ref, trigger);
    expect(
      (await drill.client.query(`SELECT 1 FROM pg_trigger WHERE tgname LIKE 'sluice%'`)).rows,
    ).toEqual([]);
  });

  it('is refused by doctor if roles, key or columns would make its commit fail', async () => {
    const route = resolve(ref).route as SharedTablePlan;
    const said = async (of: Partial<typeof route> = {}): Promise<unknown> =>
      withSource(ref.spec, resolveSecret, (client) =>
        checkSharedTable(client, resolve(ref), resolveSecret, { ...route, ...of }),
      );
    expect(await said()).toBe(`${STREAM} can become the only writer of the table`);
    expect(await said({ table: relation('public.nowhere') })).toMatchObject({
      detail: 'the table does not exist',
    });
    expect(await said({ batchRole: 'nobody_here' })).toMatchObject({
      detail: 'these roles do not exist: nobody_here',
    });
    expect(await said({ batchRole: process.env['PGUSER']! })).toMatchObject({
      detail: expect.stringContaining('is a superuser') as string,
    });
    await drill.client.query(`REVOKE DELETE ON shared FROM ${STREAM}`);
    expect(await said()).toMatchObject({
      detail: `${STREAM} lacks DELETE on the table`,
      remedy: expect.stringContaining(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."shared"',
      ) as string,
    });
    await drill.client.query(
      'ALTER TABLE shared ADD COLUMN must int NOT NULL DEFAULT 1; ALTER TABLE shared ALTER must DROP DEFAULT',
    );
    expect(await said()).toMatchObject({
      detail: expect.stringContaining('could not write these columns: must') as string,
    });
    await drill.client.query('ALTER TABLE shared DROP CONSTRAINT shared_pkey');
    expect(await said()).toMatchObject({ detail: 'the table has no unique index on exactly (id)' });
    await drill.client.query(
      `CREATE UNIQUE INDEX ON shared (id) INCLUDE (n); ALTER TABLE shared DROP COLUMN must; GRANT DELETE ON shared TO ${STREAM}`,
    );
    expect(await said()).toBe(`${STREAM} can become the only writer of the table`);
  });

  it("cannot be written by the batch's role after complete, which reports privileges that remain", async () => {
    await drill.cutover.retireRole(ref);
    expect(await batchMayWrite(drill)).toBe(false);
    await drill.client.query('GRANT UPDATE ON shared TO PUBLIC');
    await expect(drill.cutover.retireRole(ref)).rejects.toThrow(
      `${NIGHTLY} may still write to public.shared`,
    );
  });
});
