// Tests the rollback of a shared table whose lease row is missing, on a real database.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import {
  dropRoles,
  makeRoles,
  resetShared,
  sharedRef,
  sharedRows,
} from '../support/shared-drill.js';

let drill: Drill;
let ref: MigrationRef;
let attempt = 0;

beforeAll(async () => {
  drill = await openDrill('shared_lease');
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

describe('a shared table whose lease row is missing', () => {
  it.each([
    ['the row', `DELETE FROM ${LEASE}`, 'SELECT 1'],
    [
      "the row's schema",
      'ALTER SCHEMA sluice_sluice_drill RENAME TO away',
      'ALTER SCHEMA away RENAME TO sluice_sluice_drill',
    ],
  ])('belongs to the batch if a restore removed %s before a commit', async (_, remove, restore) => {
    await drill.client.query(remove);
    try {
      const before = await sharedRows(drill);
      await routeBack();
      expect(await drill.cutover.observeRoute(ref)).toMatchObject({ side: 'batch' });
      expect(await sharedRows(drill)).toEqual(before);
    } finally {
      await drill.client.query(restore);
    }
  });

  it("blocks the rollback while the kept rows show that the table has the stream's rows", async () => {
    const input = { ref, token: 'gone', attempt, epoch: 3, evidenceId: 'ev' };
    await drill.cutover.fence(input);
    expect((await drill.cutover.commitCutover(input)).refused).toBeNull();
    const { rows } = await drill.client.query<{ row: string }>(
      `SELECT lease::text AS row FROM ${LEASE}`,
    );
    await drill.client.query(`DELETE FROM ${LEASE}`);
    const problem = /lease row is missing, but sluice_sluice_drill.kept exists/;
    await expect(routeBack()).rejects.toThrow(problem);
    await expect(drill.cutover.observeRoute(ref)).rejects.toThrow(problem);
    await drill.client.query(`INSERT INTO ${LEASE} SELECT ($1::${LEASE}).*`, [rows[0]!.row]);
    await routeBack();
    expect(await drill.cutover.observeRoute(ref)).toMatchObject({ side: 'batch' });
  });
});
