// Tests that the batch's role loses every privilege to write to a shared table at `complete`. A
// privilege that Sluice must not revoke blocks the run.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDrill, type Drill } from '../../bench/drill.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { NIGHTLY, dropRoles, makeRoles, resetShared, sharedRef } from '../support/shared-drill.js';

const GROUP = `rows_writers_${process.pid}`;
let drill: Drill;
let ref: MigrationRef;

beforeAll(async () => {
  drill = await openDrill('shared_rights');
  await makeRoles(drill);
  await drill.client.query(`DROP ROLE IF EXISTS ${GROUP}; CREATE ROLE ${GROUP}`);
});
afterAll(async () => {
  await drill.client.query(`DROP OWNED BY ${GROUP}; DROP ROLE ${GROUP}`);
  await dropRoles(drill);
  await drill.close();
});
beforeEach(async () => {
  await resetShared(drill);
  ref = sharedRef(drill);
  await drill.client.query(`REVOKE ${GROUP} FROM ${NIGHTLY}; DROP TABLE shared;
    CREATE TABLE shared (id int PRIMARY KEY, n numeric) PARTITION BY RANGE (id);
    CREATE TABLE shared_low PARTITION OF shared FOR VALUES FROM (0) TO (100);
    GRANT SELECT, INSERT, UPDATE, DELETE ON shared TO ${NIGHTLY}`);
});

/** Returns whether the batch's role can change the relation. */
async function mayWrite(relation: string): Promise<boolean> {
  const { rows } = await drill.client.query<{ may: boolean }>(
    `SELECT has_table_privilege('${NIGHTLY}', '${relation}', 'INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege('${NIGHTLY}', '${relation}', 'INSERT, UPDATE') AS may`,
  );
  return rows[0]!.may;
}

/** Before Postgres 16, a membership has no options INHERIT and SET. */
async function isBefore16(): Promise<boolean> {
  const { rows } = await drill.client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  return rows[0]!.version < 160_000;
}

describe("the batch's role, at the end of the phase complete,", () => {
  it('has no privilege to write to the table, its partitions or its columns', async () => {
    await drill.client.query(
      `GRANT INSERT, TRUNCATE ON shared_low TO ${NIGHTLY}; GRANT UPDATE (n), INSERT (n) ON shared_low TO ${NIGHTLY}; GRANT UPDATE (n) ON shared TO ${NIGHTLY}`,
    );
    await drill.cutover.retireRole(ref);
    expect([await mayWrite('shared'), await mayWrite('shared_low')]).toEqual([false, false]);
  });

  it.each([
    ['to a partition', 'PUBLIC', 'GRANT INSERT ON shared_low TO PUBLIC', 'public.shared_low'],
    ['to a column', 'PUBLIC', 'GRANT UPDATE (n) ON shared TO PUBLIC', 'public.shared'],
    ['to a partition', GROUP, `GRANT DELETE ON shared_low TO ${GROUP}`, 'public.shared_low'],
    ['to a column', GROUP, `GRANT UPDATE (n) ON shared_low TO ${GROUP}`, 'public.shared_low'],
  ])('blocks the run if it may write %s through %s', async (_where, through, grant, part) => {
    // a member that does not inherit can still use SET ROLE
    await drill.client.query(
      `ALTER ROLE ${NIGHTLY} NOINHERIT; GRANT ${GROUP} TO ${NIGHTLY}; ${grant}`,
    );
    await expect(drill.cutover.retireRole(ref)).rejects.toThrow(
      `role ${NIGHTLY} may still write to ${part} (through ${through})`,
    );
    await drill.client.query(grant.replace('GRANT', 'REVOKE').replace(' TO ', ' FROM '));
    await drill.cutover.retireRole(ref);
  });

  it.each([
    ['does not block the run because of', 'INHERIT FALSE, SET FALSE, ADMIN FALSE', false],
    ['blocks the run because of', 'INHERIT FALSE, SET TRUE, ADMIN FALSE', true],
    ['blocks the run because of', 'INHERIT TRUE, SET FALSE, ADMIN FALSE', true],
    ['blocks the run because of', 'INHERIT FALSE, SET FALSE, ADMIN TRUE', true],
  ])('%s a membership with %s, since Postgres 16', async (_what, options, blocks) => {
    if (await isBefore16()) return;
    await drill.client.query(
      `GRANT ${GROUP} TO ${NIGHTLY} WITH ${options}; GRANT DELETE ON shared TO ${GROUP}`,
    );
    const retired = drill.cutover.retireRole(ref);
    if (blocks) await expect(retired).rejects.toThrow(`(through ${GROUP})`);
    else await retired;
  });

  it('blocks the run if it may write through a table that has the shared table as a partition', async () => {
    await drill.client.query(`DROP TABLE shared CASCADE;
      CREATE TABLE whole (id int, n numeric) PARTITION BY LIST (n); CREATE TABLE shared PARTITION OF whole DEFAULT;
      GRANT INSERT ON whole TO ${NIGHTLY}`);
    await expect(drill.cutover.retireRole(ref)).rejects.toThrow(
      `role ${NIGHTLY} may still write to public.whole (through a privilege of its own)`,
    );
    await drill.client.query('DROP TABLE whole');
  });
});
