// Tests a shared table on a real database, without a pipeline. The tests show who may write to the
// table and when, which rows it gets, and when its commit is refused.
import { describe, expect, it } from 'vitest';
import { LEASE } from '../../bench/drill.js';
import { relation } from '../../src/domain/migration/names.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import {
  NIGHTLY,
  STAGING,
  STREAM,
  asNightly,
  asStream,
  batchMayWrite,
  write,
} from '../support/shared-drill.js';
import { SharedTableFixture } from '../support/shared-table-fixture.js';

const shared = new SharedTableFixture('shared_rows');

const expiresIn = (time: string): Promise<unknown> =>
  shared.drill.client.query(
    `UPDATE ${LEASE} SET expires_at = clock_timestamp() + interval '${time}'`,
  );

describe('a shared table on a real database', () => {
  it("accepts no writes while fenced, then only the sink's, and after a rollback only the batch's", async () => {
    const nightly = await asNightly(shared.drill);
    expect(await write(nightly, 'UPDATE shared SET n = 0')).toBeNull();
    expect((await shared.drill.cutover.fence(shared.input('hands'))).refused).toBeNull();
    for (const [client, sql] of [
      [nightly, 'DELETE FROM shared WHERE false'],
      [shared.drill.client, 'TRUNCATE shared'],
      [shared.drill.client, asStream('1.3')],
    ] as const)
      expect([sql, await write(client, sql)]).toEqual([sql, '25006']);
    expect(await shared.drill.cutover.commitCutover(shared.input('hands'))).toEqual({
      refused: null,
      rows: { written: 3, removed: 1 },
    });
    for (const sql of [asStream('1.3'), `SET LOCAL ROLE ${STREAM}; UPDATE shared SET n = 0`])
      expect([sql, await write(shared.drill.client, sql)]).toEqual([sql, null]);
    for (const [client, sql] of [
      [nightly, 'UPDATE shared SET n = 0'],
      [shared.drill.client, 'UPDATE shared SET n = 0'],
      [shared.drill.client, asStream('1.2')],
      [shared.drill.client, asStream('2.3')],
    ] as const)
      expect([sql, await write(client, sql)]).toEqual([sql, '25006']);
    expect(await shared.drill.cutover.observeRoute(shared.ref)).toMatchObject({ side: 'stream' });
    await shared.routeBack();
    expect(await write(nightly, 'UPDATE shared SET n = 0')).toBeNull();
    expect(await write(shared.drill.client, asStream('1.3'))).toBe('25006');
    expect(await shared.drill.cutover.observeRoute(shared.ref)).toMatchObject({ side: 'batch' });
    await nightly.end();
  });

  it("gets only those rows of the stream that differ, and gets the batch's rows back at a rollback", async () => {
    const serial = async (id: number): Promise<unknown> =>
      (
        await shared.drill.client.query<{ serial: string }>(
          `SELECT xmin::text || serial AS serial FROM shared WHERE id = ${id}`,
        )
      ).rows[0]?.serial;
    const untouched = await serial(2);
    await shared.drill.cutover.fence(shared.input('rows'));
    await shared.drill.cutover.commitCutover(shared.input('rows'));
    expect(await shared.rows()).toEqual([
      [1, '1.00', '{"a": 1}'],
      [2, '2', null],
      [3, '3.5', '{}'],
      [4, '4', '{}'],
    ]);
    expect(await serial(2)).toBe(untouched);
    expect(
      (await shared.drill.client.query(`SELECT to_regclass('${STAGING}') AS staging`)).rows,
    ).toEqual([{ staging: null }]); // the staging table is gone, so a sink that has not moved yet cannot write
    await shared.routeBack();
    // The table has the current result of the query, and row 9, which the query does not return.
    expect(await shared.rows()).toEqual([
      [1, '1.5', '{"b": 2}'],
      [2, '2', null],
      [9, '9', '{"only": "here"}'],
    ]);
    await shared.routeBack(); // a second rollback changes nothing
    expect(await shared.rows()).toHaveLength(3);
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
      await shared.drill.client
        .query(`DROP TABLE IF EXISTS precious; CREATE TABLE precious (id int); INSERT INTO precious VALUES (1);
      CREATE OR REPLACE FUNCTION empties() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.precious; RETURN 1; END'`);
      await shared.drill.cutover.fence(shared.input('hostile'));
      await shared.drill.cutover.commitCutover(shared.input('hostile'));
      const before = await shared.rows();
      const { batch, ...spec } = shared.ref.spec.spec;
      shared.ref = {
        ...shared.ref,
        spec: { ...shared.ref.spec, spec: { ...spec, batch: { ...batch!, query: { sql } } } },
      };
      await expect(shared.routeBack()).rejects.toThrow(/.+/);
      expect(await shared.rows()).toEqual(before);
      expect(await shared.drill.cutover.isSwitched(shared.ref)).toBe(true);
      expect((await shared.drill.client.query('SELECT * FROM precious')).rows).toHaveLength(1);
    },
  );

  it('is returned to the batch although the query changes settings, which are restored', async () => {
    await shared.drill.cutover.fence(shared.input('settings'));
    await shared.drill.cutover.commitCutover(shared.input('settings'));
    const { batch, ...spec } = shared.ref.spec.spec;
    const sql = `SELECT 1 AS id, length(set_config('search_path', 'nowhere', true) || set_config('role', '${NIGHTLY}', true))::numeric AS n, NULL::json AS doc`;
    shared.ref = {
      ...shared.ref,
      spec: { ...shared.ref.spec, spec: { ...spec, batch: { ...batch!, query: { sql } } } },
    };
    await shared.drill.client.query(`REVOKE INSERT, UPDATE, DELETE ON shared FROM ${NIGHTLY}`);
    await shared.routeBack();
    expect(await shared.rows()).toEqual([
      [1, String(`nowhere${NIGHTLY}`.length), null],
      [9, '9', '{"only": "here"}'],
    ]);
  });

  it('stays unchanged if the commit is late, of a wrong attempt, unfenced, or breaks a foreign key', async () => {
    const before = await shared.rows();
    await shared.drill.cutover.fence(shared.input('late'));
    await expiresIn('500 milliseconds');
    expect((await shared.drill.cutover.commitCutover(shared.input('late'))).refused).toMatch(
      /the fence expires at/,
    );
    expect((await shared.drill.cutover.commitCutover(shared.input('other'))).refused).toMatch(
      /belongs to a different attempt/,
    );
    await shared.drill.client.query('ALTER TABLE shared DISABLE TRIGGER ALL');
    expect((await shared.drill.cutover.commitCutover(shared.input('late'))).refused).toBe(
      'not fenced: "public"."shared"',
    );
    await shared.drill.client.query(
      'ALTER TABLE shared ENABLE TRIGGER ALL; ALTER TABLE shared ENABLE ALWAYS TRIGGER sluice_sluice_drill_owner, ENABLE ALWAYS TRIGGER sluice_sluice_drill_owner_row',
    );
    await shared.drill.client.query(
      'CREATE TABLE child (id int REFERENCES shared); INSERT INTO child VALUES (9)',
    );
    await expiresIn('5 seconds');
    expect((await shared.drill.cutover.commitCutover(shared.input('late'))).refused).toMatch(
      /public.shared does not take the stream's rows: .* violates foreign key/,
    );
    expect(await shared.rows()).toEqual(before);
    expect(
      (await shared.drill.client.query(`SELECT count(*)::int AS n FROM ${STAGING}`)).rows,
    ).toEqual([{ n: 4 }]);
    await shared.drill.cutover.releaseFence(shared.input('late'));
    for (const { trigger } of resolve(shared.ref).fence.guards)
      await shared.drill.cutover.removeTrigger(shared.ref, trigger);
    expect(
      (await shared.drill.client.query(`SELECT 1 FROM pg_trigger WHERE tgname LIKE 'sluice%'`))
        .rows,
    ).toEqual([]);
  });

  it('is refused by doctor if roles, key or columns would make its commit fail', async () => {
    expect(await shared.doctor()).toBe(`${STREAM} can become the only writer of the table`);
    expect(await shared.doctor({ table: relation('public.nowhere') })).toMatchObject({
      detail: 'the table does not exist',
    });
    expect(await shared.doctor({ batchRole: 'nobody_here' })).toMatchObject({
      detail: 'these roles do not exist: nobody_here',
    });
    expect(await shared.doctor({ batchRole: process.env['PGUSER']! })).toMatchObject({
      detail: expect.stringContaining('is a superuser') as string,
    });
    await shared.drill.client.query(`REVOKE DELETE ON shared FROM ${STREAM}`);
    expect(await shared.doctor()).toMatchObject({
      detail: `${STREAM} lacks DELETE on the table`,
      remedy: expect.stringContaining(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."shared"',
      ) as string,
    });
    await shared.drill.client.query(
      'ALTER TABLE shared ADD COLUMN must int NOT NULL DEFAULT 1; ALTER TABLE shared ALTER must DROP DEFAULT',
    );
    expect(await shared.doctor()).toMatchObject({
      detail: expect.stringContaining('could not write these columns: must') as string,
    });
    await shared.drill.client.query('ALTER TABLE shared DROP CONSTRAINT shared_pkey');
    expect(await shared.doctor()).toMatchObject({
      detail: 'the table has no unique index on exactly (id)',
    });
    await shared.drill.client.query(
      `CREATE UNIQUE INDEX ON shared (id) INCLUDE (n); ALTER TABLE shared DROP COLUMN must; GRANT DELETE ON shared TO ${STREAM}`,
    );
    expect(await shared.doctor()).toBe(`${STREAM} can become the only writer of the table`);
  });

  it("cannot be written by the batch's role after complete, which reports privileges that remain", async () => {
    await shared.drill.cutover.retireRole(shared.ref);
    expect(await batchMayWrite(shared.drill)).toBe(false);
    await shared.drill.client.query('GRANT UPDATE ON shared TO PUBLIC');
    await expect(shared.drill.cutover.retireRole(shared.ref)).rejects.toThrow(
      `${NIGHTLY} may still write to public.shared`,
    );
  });
});
