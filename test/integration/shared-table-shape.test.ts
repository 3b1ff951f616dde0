// Tests shared tables that Sluice refuses. The commit must replace the batch's rows by exactly the
// stream's rows, and a rollback does the reverse. That is impossible with a DEFERRABLE key or an
// invalid unique index. It is also impossible if the table is a partition, inherits from another
// table, or has tables that inherit from it.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { checkSharedTable } from '../../src/activities/cutover/routes/shared-table-checks.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { SharedTablePlan } from '../../src/domain/routes/route.js';
import { resolveSecret } from '../../src/wiring/config.js';
import {
  dropRoles,
  makeRoles,
  resetShared,
  sharedRef,
  sharedRows,
} from '../support/shared-drill.js';

const NOT_NOW = 'ALTER TABLE shared DROP CONSTRAINT shared_pkey';
let drill: Drill;
let ref: MigrationRef;
let attempt = 0;

beforeAll(async () => {
  drill = await openDrill('shared_shape');
  await makeRoles(drill);
});
afterAll(async () => {
  await dropRoles(drill);
  await drill.close();
});
beforeEach(async () => {
  attempt += 1;
  await drill.client.query('DROP TABLE IF EXISTS whole, child CASCADE');
  await resetShared(drill);
  ref = sharedRef(drill);
});

/** Returns what `doctor` says about the table. */
const doctor = (): Promise<unknown> =>
  withSource(ref.spec, resolveSecret, (client) =>
    checkSharedTable(client, resolve(ref), resolveSecret, resolve(ref).route as SharedTablePlan),
  );

/** Fences the table and tries to commit. Returns the reason of the refusal. */
async function refusal(): Promise<string | null> {
  const input: FenceInput = { ref, token: 'shape', attempt, epoch: 3, evidenceId: 'ev' };
  await drill.cutover.fence(input);
  return (await drill.cutover.commitCutover(input)).refused;
}

const routeBack = (): Promise<void> =>
  new MockActivityEnvironment().run(() => drill.cutover.routeBack(ref));

describe('a shared table', () => {
  it.each([
    [
      'its only key is DEFERRABLE',
      `${NOT_NOW}; ALTER TABLE shared ADD CONSTRAINT later UNIQUE (id) DEFERRABLE`,
      /the unique key later is DEFERRABLE/,
    ],
    [
      'one of its keys is DEFERRABLE',
      'ALTER TABLE shared ADD CONSTRAINT later UNIQUE (id) DEFERRABLE INITIALLY DEFERRED',
      /the unique key later is DEFERRABLE/,
    ],
    [
      'a table inherits from it',
      'CREATE TABLE child () INHERITS (shared); INSERT INTO child (id, n, serial) VALUES (4, 7, 70)',
      /these tables inherit from it: child/,
    ],
  ])('is refused by doctor and by the commit if %s', async (_what, change, why) => {
    await drill.client.query(change);
    const before = await sharedRows(drill);
    expect(await doctor()).toMatchObject({ detail: expect.stringMatching(why) as string });
    expect(await refusal()).toMatch(why);
    expect(await sharedRows(drill)).toEqual(before);
  });

  it('is refused by doctor if its unique index is not valid', async () => {
    await drill.client
      .query(`DROP TABLE shared; CREATE TABLE shared (id int, n numeric, doc json) PARTITION BY LIST (id);
      CREATE TABLE shared_1 PARTITION OF shared DEFAULT; CREATE UNIQUE INDEX ON ONLY shared (id)`);
    expect(await doctor()).toMatchObject({
      detail: 'the table has no unique index on exactly (id)',
    });
  });

  it.each([
    [
      'inherits from another table',
      'CREATE TABLE whole (id int NOT NULL); ALTER TABLE shared INHERIT whole',
    ],
    [
      'is a partition',
      `DROP TABLE shared; CREATE TABLE whole (id int PRIMARY KEY, n numeric, doc json) PARTITION BY LIST (id);
       CREATE TABLE shared PARTITION OF whole DEFAULT`,
    ],
  ])('is refused by doctor if it %s', async (_what, change) => {
    await drill.client.query(change);
    expect(await doctor()).toMatchObject({
      detail: expect.stringMatching(/is a partition of whole or inherits from it/) as string,
    });
  });

  it('refuses the rollback while a table inherits from it, and allows it after NO INHERIT', async () => {
    expect(await refusal()).toBeNull();
    await drill.client.query(
      'CREATE TABLE child () INHERITS (shared); INSERT INTO child (id, n, serial) VALUES (2, 7, 70)',
    );
    const before = await sharedRows(drill);
    await expect(routeBack()).rejects.toThrow(/public.shared: these tables inherit from it: child/);
    expect(await sharedRows(drill)).toEqual(before);
    await drill.client.query('ALTER TABLE child NO INHERIT shared');
    await routeBack();
    expect(await sharedRows(drill)).toContainEqual([9, '9', '{"only": "here"}']);
  });
});
