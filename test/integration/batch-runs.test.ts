// Tests a batch without a run log. Sluice recognizes a run of this batch by the application_name of
// the run's session.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { sleepUntil } from '../support/builders.js';

let drill: Drill;
let ref: MigrationRef;
beforeAll(async () => {
  drill = await openDrill('batch_runs');
  const { spec, ...rest } = drill.ref();
  ref = {
    ...rest,
    spec: {
      ...spec,
      spec: { ...spec.spec, batch: { ...spec.spec.batch!, runs: { application: 'nightly' } } },
    },
  };
  await drill.client.query(
    `INSERT INTO ${LEASE} (migration, state, epoch) VALUES ($1, 'OPEN', 0)`,
    [ref.name],
  );
});
afterAll(() => drill.close());

describe('a run that is seen as a session', () => {
  it('is found, and the commit is refused, while its session is in a transaction, not while it is idle', async () => {
    const [batch, other] = ['nightly', 'daily'].map(
      (application_name) => new pg.Client({ database: drill.database, application_name }),
    ) as [pg.Client, pg.Client];
    await Promise.all([batch.connect(), other.connect()]);
    try {
      expect(await drill.cutover.activeBatchRun(ref)).toBeNull();
      await other.query('BEGIN; SELECT 1');
      expect(await drill.cutover.activeBatchRun(ref)).toBeNull();
      await batch.query('BEGIN; INSERT INTO batch_result VALUES (7, $$x$$)');
      expect(await drill.cutover.activeBatchRun(ref)).toMatch(
        /^batch session \d+ \(application nightly\) has been idle in transaction since /,
      );
      await batch.query('ROLLBACK');
      expect(await drill.cutover.activeBatchRun(ref)).toBeNull();
      const input: FenceInput = { ref, token: 'mine', attempt: 1, epoch: 1, evidenceId: 'ev' };
      expect((await drill.cutover.fence(input)).refused).toBeNull();
      const running = batch.query('SELECT pg_sleep(600)').catch(() => undefined);
      const session = `FROM pg_stat_activity WHERE application_name = 'nightly' AND state = 'active'`;
      await sleepUntil('the batch works', async () => {
        return (await drill.client.query(`SELECT ${session}`)).rowCount === 1;
      });
      expect((await drill.cutover.commitCutover(input)).refused).toMatch(
        /application nightly\) has been active since/,
      );
      await drill.client.query(`SELECT pg_cancel_backend(pid) ${session}`);
      await running;
      expect(await drill.cutover.commitCutover(input)).toEqual({ refused: null });
    } finally {
      await Promise.all([batch.end(), other.end()]);
    }
  });
});
