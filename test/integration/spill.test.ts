// Tests a table that is too large for the worker's memory. Its windows compare in parts on disk
// while a writer is active. They must find the same differences as a comparison in memory.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, live } from '../support/live.js';
import { get, reach, sluice, startMigration, waitFor } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

process.env['SLUICE_WINDOW_MEMORY'] = '128KiB';
process.env['SLUICE_STATE_DIR'] = temporaryFolder('sluice-test-state-');
const { aDatabase } = live();

describe('a table beyond the memory of its worker', () => {
  it('is proven in parts under a busy writer; each kind of wrong row is found, and no file is left', async () => {
    const database = await aDatabase(accounts(30_000));
    const stop = busy(database);
    startMigration('spilled', database.name, ['public.accounts']);
    await waitFor('spilled', 'approval');
    expect(await stop()).toBeGreaterThan(500);
    const before = (await get('spilled')).windows;
    expect(
      before.every(
        (w) => w.verdict === 'passed' && /: in (16|32) parts, \d+ MiB on disk/.test(w.reason),
      ),
    ).toBe(true);
    await database.client.query(
      `ALTER PUBLICATION sluice_spilled DROP TABLE accounts; UPDATE accounts SET balance = 7 WHERE id = 77; DELETE FROM accounts WHERE id = 78;
       INSERT INTO accounts VALUES (900000, 1, 'unseen'); ALTER PUBLICATION sluice_spilled ADD TABLE accounts`,
    );
    await reach('spilled', 'a failed window', (s) => s.windows.some((w) => w.verdict === 'failed'));
    expect((await get('spilled')).windows.find((w) => w.verdict === 'failed')).toMatchObject({
      matched: 29_998,
      missing: 1,
      extraneous: 1,
      mismatched: 1,
      unknown: 0,
    });
    const diff = JSON.parse(sluice('diff', 'spilled', '-o', 'json').stdout) as { counts: object };
    expect(diff.counts).toEqual({ mismatched: 1, missing: 1, extraneous: 1 });
    expect(sluice('rollback', 'spilled', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('spilled', 'outcome=rolled-back');
    // a window that the rollback cancelled removes its files a moment later
    const isEmpty = () => readdirSync(process.env['SLUICE_STATE_DIR']!).length === 0;
    await sleepUntil('no file is left', isEmpty, 60_000);
  });
});
