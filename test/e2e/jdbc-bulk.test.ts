// Tests a table that Sluice's JDBC source reads completely at each poll (mode bulk), with real
// servers.
import { describe, expect, it } from 'vitest';
import { accounts, live } from '../support/live.js';
import { polling } from '../support/polled.js';
import { get, reach, sluice, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

describe('a table that is polled completely', () => {
  it('passes every window, even after its rows changed', async () => {
    const database = await aDatabase(accounts(3000));
    const bulk = { mode: 'bulk', timestampColumns: undefined, incrementingColumn: undefined };
    const spec = polling({ ...bulk, delay: undefined });
    startMigration('complete-polls', database.name, ['public.accounts'], spec);
    await waitFor('complete-polls', 'approval');
    await database.client.query(
      `UPDATE accounts SET balance = 7 WHERE id < 100; INSERT INTO accounts VALUES (5000, 1)`,
    );
    await reach(
      'complete-polls',
      'a window that saw the changes',
      (s) => s.windows.at(-1)!.matched === 3001,
    );
    const { windows } = await get('complete-polls');
    expect(new Set(windows.map(({ verdict }) => verdict))).toEqual(new Set(['passed']));
    expect(sluice('cancel', 'complete-polls', '--yes').code).toBe(0);
    await waitFor('complete-polls', 'outcome=aborted');
  });
});
