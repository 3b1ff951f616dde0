// Tests the rollback of a shared table whose lease row is missing, on a real database.
import { describe, expect, it } from 'vitest';
import { LEASE } from '../../bench/drill.js';
import { SharedTableFixture } from '../support/shared-table-fixture.js';

const shared = new SharedTableFixture('shared_lease');

describe('a shared table whose lease row is missing', () => {
  it.each([
    ['the row', `DELETE FROM ${LEASE}`, 'SELECT 1'],
    [
      "the row's schema",
      'ALTER SCHEMA sluice_sluice_drill RENAME TO away',
      'ALTER SCHEMA away RENAME TO sluice_sluice_drill',
    ],
  ])('belongs to the batch if a restore removed %s before a commit', async (_, remove, restore) => {
    await shared.drill.client.query(remove);
    try {
      const before = await shared.rows();
      await shared.routeBack();
      expect(await shared.drill.cutover.observeRoute(shared.ref)).toMatchObject({ side: 'batch' });
      expect(await shared.rows()).toEqual(before);
    } finally {
      await shared.drill.client.query(restore);
    }
  });

  it("blocks the rollback while the kept rows show that the table has the stream's rows", async () => {
    const input = shared.input('gone');
    await shared.drill.cutover.fence(input);
    expect((await shared.drill.cutover.commitCutover(input)).refused).toBeNull();
    const { rows } = await shared.drill.client.query<{ row: string }>(
      `SELECT lease::text AS row FROM ${LEASE}`,
    );
    await shared.drill.client.query(`DELETE FROM ${LEASE}`);
    const problem = /lease row is missing, but sluice_sluice_drill.kept exists/;
    await expect(shared.routeBack()).rejects.toThrow(problem);
    await expect(shared.drill.cutover.observeRoute(shared.ref)).rejects.toThrow(problem);
    await shared.drill.client.query(`INSERT INTO ${LEASE} SELECT ($1::${LEASE}).*`, [rows[0]!.row]);
    await shared.routeBack();
    expect(await shared.drill.cutover.observeRoute(shared.ref)).toMatchObject({ side: 'batch' });
  });
});
