// Tests the guard with real servers. The guard restarts a failed connector task. It also reports a
// paused, edited or deleted connector, and a record that is too large. The migrations mostly wait,
// so they run at the same time.
import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { auditText } from '../../src/domain/audit.js';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { askConnect } from '../support/ask-connect.js';
import { sleepUntil } from '../support/builders.js';
import { live } from '../support/live.js';
import { get, reach, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

const TABLE =
  'CREATE TABLE items (id int PRIMARY KEY, v text); INSERT INTO items SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 2000) g';

describe.concurrent('the guard', () => {
  it('restarts a failed connector task, which is a harmless restart and begins no new epoch', async () => {
    const database = await aDatabase(TABLE);
    const connector = {
      type: 'debezium-postgres',
      url: process.env['CONNECT_URL'],
      config: { 'errors.max.retries': '0' },
    };
    startMigration('restarted', database.name, ['public.items'], { connector });
    await waitFor('restarted', 'approval');
    const { epoch, evidenceId } = await get('restarted');
    await database.client.query(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'sluice_restarted'`,
    );
    const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!, { readOnly: true });
    const named = (kind: string, detail: string) => async () =>
      (await ledger.events('restarted', 1)).some(
        (e) => e.kind === kind && auditText(e).includes(detail),
      );
    await sleepUntil('the restart', named('restarted', 'restarted:'));
    await sleepUntil('a window that saw it', named('harmless-restart', 'connector task'));
    expect(await get('restarted')).toMatchObject({ epoch, evidenceId, needsApproval: true });
    expect(await named('epoch', '')()).toBe(false);
    await ledger.close();
    expect(sluice('cancel', 'restarted', '--yes').code).toBe(0);
    await waitFor('restarted', 'outcome=aborted');
  });

  it('reports a paused, edited or deleted connector at once, although windows run once an hour', async () => {
    const database = await aDatabase(TABLE);
    const validation = { every: '1h', passesInARow: 1 };
    const file = specFile('guarded', database.name, ['public.items'], { validation });
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('guarded', 'approval');
    const put = async (path: string, body?: object): Promise<void> => {
      const answer = await askConnect('PUT', `guarded/${path}`, body);
      expect([path, answer.ok]).toEqual([path, true]);
    };
    /**
     * Returns the process id of the session that reads the slot. Each start of the connector's task
     * opens a new session.
     */
    const session = async (): Promise<number | null> =>
      (
        await database.client.query<{ active_pid: number | null }>(
          `SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'sluice_guarded'`,
        )
      ).rows[0]?.active_pid ?? null;
    const restartedAfter = (before: number | null) =>
      sleepUntil('the task was started again', async () => {
        const now = await session();
        return now !== null && now !== before;
      });
    const blockedBy = (code: string | null) =>
      reach('guarded', `blocked by ${code}`, (s) => (s.blocked?.code ?? null) === code);
    await put('pause');
    await blockedBy('connector-paused');
    expect((await get('guarded')).blocked!.detail).toBe('connector guarded is PAUSED');
    await put('resume');
    await blockedBy(null);
    const stored = await askConnect('GET', 'guarded/config');
    const planned = (await stored.json()) as Record<string, string>;
    const before = await session();
    await put('config', { ...planned, 'column.exclude.list': 'public.items.v' });
    await blockedBy('connector-drift');
    expect((await get('guarded')).blocked!.detail).toContain('column.exclude.list');
    await restartedAfter(before);
    const drifted = await session();
    await put('config', planned);
    expect(sluice('retry', 'guarded').code).toBe(0);
    await blockedBy(null);
    // If a connector is deleted while Connect 4.3 starts its task, Connect never finishes this
    // start. So the test waits for the start.
    await restartedAfter(drifted);
    const deleted = await session();
    expect([204, 404]).toContain((await askConnect('DELETE', 'guarded')).status);
    await blockedBy('connector-gone');
    await reach(
      'guarded',
      'a window found that the connector was deleted',
      (s) => s.blocked?.detail.includes('deleted from') === true,
    );
    expect(sluice('retry', 'guarded').code).toBe(0);
    await blockedBy(null);
    await restartedAfter(deleted);
    expect(sluice('rollback', 'guarded', '--reason', 'over', '--by', 'ann', '--yes').code).toBe(0);
    await waitFor('guarded', 'outcome=rolled-back');
    expect((await get('guarded')).leftovers).toEqual([]);
  });

  it('reports a record that is too large, even if it comes after the initial load', async () => {
    const database = await aDatabase(TABLE);
    const validation = { every: '1h', passesInARow: 1 };
    const file = specFile('oversized', database.name, ['public.items'], { validation });
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('oversized', 'approval');
    await database.client.query(
      `UPDATE items SET v = (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 100000) g) WHERE id = 7`,
    );
    const isFailed = (s: Status) => s.blocked?.code === 'connector-failed';
    const { blocked } = await reach('oversized', 'blocked', isFailed);
    expect(blocked).toMatchObject({
      detail: expect.stringContaining('RecordTooLarge') as string,
      remedy: expect.stringContaining('too large for a message') as string,
    });
    expect(sluice('rollback', 'oversized', '--reason', 'over', '--by', 'ann', '--yes').code).toBe(
      0,
    );
    await waitFor('oversized', 'outcome=rolled-back');
    expect((await get('oversized')).leftovers).toEqual([]);
  });
});
