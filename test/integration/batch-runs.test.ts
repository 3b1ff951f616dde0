// Tests how Sluice finds the runs of a batch. Without a run log, it recognizes a run by the
// application_name of the run's session. The times in a run log must have a time zone, because
// otherwise Sluice does not know which moments they mean.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRuns } from '../../src/activities/checks/batch-run-checks.js';
import { finishedRun } from '../../src/activities/windows/results/stored-result.js';
import { batchAge } from '../../src/activities/windows/batch-age.js';
import { withSource, type SourceClient } from '../../src/clients/postgres/connection.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { sleepUntil } from '../support/builders.js';

let drill: Drill;
let ref: MigrationRef;
beforeAll(async () => {
  drill = await openDrill('batch_runs');
  ref = refWith({ application: 'nightly' });
  await drill.client.query(
    `INSERT INTO ${LEASE} (migration, state, epoch) VALUES ($1, 'OPEN', 0)`,
    [ref.name],
  );
});
afterAll(() => drill.close());

/** Returns the migration of bench/drill.ts, with this `batch.runs` in its spec. */
function refWith(runs: { application: string } | { table: string }): MigrationRef {
  const { spec, ...rest } = drill.ref();
  return {
    ...rest,
    spec: { ...spec, spec: { ...spec.spec, batch: { ...spec.spec.batch!, runs } } },
  };
}

describe('a run that is seen as a session', () => {
  it('is found, and the commit is refused, only while its session is in a transaction', async () => {
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

describe('a run log', () => {
  const table = 'public.runs';
  const COLUMNS = 'run_id int, cut_at timestamptz, started_at timestamptz, finished_at timestamptz';
  const log = (): MigrationRef => refWith({ table });
  const asked = <T>(use: (client: SourceClient) => Promise<T>): Promise<T> =>
    withSource(log().spec, resolveSecret, use);
  const doctor = () => asked((client) => checkRuns(client, { table }));
  const newest = () => asked((client) => finishedRun(client, resolve(log()).batch!));
  const age = () => asked((client) => batchAge(client, resolve(log()).batch!.runLog!));
  const create = (columns: string): Promise<unknown> =>
    drill.client.query(`DROP TABLE IF EXISTS runs; CREATE TABLE runs (${columns});
      INSERT INTO runs VALUES (7, '2026-10-14 00:00', '2026-10-14 00:01', '2026-10-14 00:02')`);

  it('is used if its times have a time zone, also through a domain', async () => {
    await drill.client.query('CREATE DOMAIN moment AS timestamptz');
    await create(COLUMNS.replace('started_at timestamptz', 'started_at moment'));
    expect(await doctor()).toMatchObject({ status: 'passed' });
    expect(await drill.cutover.activeBatchRun(log())).toBeNull();
    expect(await newest()).toMatchObject({ ok: true, value: { id: '7' } });
    expect(await age()).toMatchObject({ lastFinishedAt: '2026-10-14T00:02:00.000Z' });
  });

  it.each(['cut_at', 'started_at', 'finished_at'])(
    'fails a check of doctor if %s has no time zone, because its moments are unknown',
    async (column) => {
      await create(COLUMNS.replace(`${column} timestamptz`, `${column} timestamp`));
      const found = await doctor();
      expect(found).toMatchObject({ status: 'failed' });
      expect(found.detail).toContain(`${column} as timestamp without time zone`);
      const unknown = `${column} of public.runs is not timestamp with time zone, so its moments are unknown`;
      expect(await newest()).toEqual({ ok: false, reason: unknown });
      if (column !== 'started_at') expect(await age()).toBeNull();
      // the cut is not needed to find a run that is active
      if (column !== 'cut_at')
        await expect(drill.cutover.activeBatchRun(log())).rejects.toThrow(unknown);
      await drill.client.query(
        found.remedy.slice(0, found.remedy.indexOf(', where')).replace("'ZONE'", "'Europe/Berlin'"),
      );
      expect(await doctor()).toMatchObject({ status: 'passed' });
    },
  );

  it('that loses its time zones after the fence prevents the commit', async () => {
    await create(COLUMNS);
    await drill.client.query(
      `UPDATE ${LEASE} SET state = 'OPEN', attempt = 0, token = NULL, expires_at = NULL WHERE migration = $1`,
      [ref.name],
    );
    const input: FenceInput = { ref: log(), token: 'log', attempt: 2, epoch: 2, evidenceId: 'ev' };
    expect((await drill.cutover.fence(input)).refused).toBeNull();
    await create(COLUMNS.replace('started_at timestamptz', 'started_at timestamp'));
    expect((await drill.cutover.commitCutover(input)).refused).toContain(
      'started_at of public.runs is not timestamp with time zone',
    );
  });

  it.each(['view', 'date'] as const)(
    'gets no ALTER TABLE as its remedy if it is a view or has dates: %s',
    async (what) => {
      await create(COLUMNS.replaceAll('timestamptz', what === 'view' ? 'timestamp' : 'date'));
      const name = what === 'view' ? 'public.runs_seen' : table;
      await drill.client.query('CREATE OR REPLACE VIEW runs_seen AS SELECT * FROM runs');
      const { status, remedy } = await asked((client) => checkRuns(client, { table: name }));
      await drill.client.query('DROP VIEW runs_seen');
      expect(status).toBe('failed');
      expect(remedy).not.toContain('ALTER TABLE');
    },
  );
});
