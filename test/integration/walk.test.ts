// Tests a table that is too large to be read in one snapshot. While a writer changes the table,
// windows read it range by range and prove it in a last snapshot. The windows must also find rows
// whose changes did not reach the topic.
import { describe, expect, it } from 'vitest';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { accounts, busy, live } from '../support/live.js';
import { get, reach, sluice, startMigration, waitFor } from '../support/sluice.js';

process.env['SLUICE_SNAPSHOT_BYTES'] = '512KiB';
const { aDatabase } = live();
const WALKED =
  /: read in ([5-9]|1\d) snapshots; then re-read \d+ changed rows and \d+ rows of scrub \d+\/10$/;

describe('a table that is too large for one snapshot', () => {
  it('is proven range by range under a busy writer, and each failed window finds all wrong rows', async () => {
    const database = await aDatabase(accounts(60_000));
    const stop = busy(database);
    startMigration('walked', database.name, ['public.accounts']);
    await waitFor('walked', 'approval');
    const before = (await get('walked')).windows;
    expect(before.every((w) => w.verdict === 'passed' && w.compared! >= 59_990)).toBe(true);
    expect(before[0]!.reason).toMatch(WALKED);
    // later windows read the changed rows and a scrub, and not every row
    expect(before.some((w) => /keys: re-read [1-9]\d* changed rows/.test(w.reason))).toBe(true);
    await database.client.query(
      `ALTER PUBLICATION sluice_walked DROP TABLE accounts; UPDATE accounts SET balance = 7 WHERE id IN (40077, 50077); DELETE FROM accounts WHERE id = 40078;
       INSERT INTO accounts VALUES (900000, 1, 'unseen'); ALTER PUBLICATION sluice_walked ADD TABLE accounts`,
    );
    const failedOf = ({ windows }: StatusWithWindows) =>
      windows.filter((w) => w.verdict === 'failed');
    const failed = failedOf(
      await reach('walked', 'three failed windows', (s) => failedOf(s).length >= 3),
    );
    for (const w of failed)
      expect(w).toMatchObject({ missing: 1, extraneous: 1, mismatched: 2, unknown: 0 });
    // The application itself fixes this: it writes the rows again, and the stream sees them.
    await database.client.query(
      `UPDATE accounts SET note = 'mended' WHERE id IN (40077, 50077, 900000); INSERT INTO accounts VALUES (40078, 1, 'back'); DELETE FROM accounts WHERE id = 900000`,
    );
    const last = failedOf(await get('walked')).at(-1)!.number;
    await reach('walked', 'a passed window that read every row', (s) =>
      s.windows.some((w) => w.number > last && WALKED.test(w.reason)),
    );
    expect(await stop()).toBeGreaterThan(1000);
    expect(sluice('rollback', 'walked', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('walked', 'outcome=rolled-back');
  });
});
