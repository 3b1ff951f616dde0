// Kills the worker with -9 at random moments of a whole migration, while a writer is active.
// Nothing may be lost or done twice. SLUICE_E2E_SEED changes the moments.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { accounts, busy, dismantle, live } from '../support/live.js';
import { random } from '../support/rows.js';
import { expectMigratedOnce } from '../support/migrated-once.js';
import { get, sluice, specFile, waitFor } from '../support/sluice.js';

const { worker, aDatabase } = live();
/** `npm run test:faults` sets a higher number (see vitest.config.ts). */
const KILLS_AT_MOST = Number(process.env['SLUICE_KILLS'] ?? 10);

const signal = (name: string) => {
  const args = [
    'workflow',
    'signal',
    '-w',
    `migration-${name}`,
    '--name',
    'approveCutover',
    '--input',
    '{"approver":"ann"}',
  ];
  return spawnSync('temporal', [...args, '--address', process.env['TEMPORAL_ADDRESS']!]).status;
};

describe('a migration whose worker is killed with -9 every few seconds', () => {
  it('ends as migrated with one commit, in the first generation, without false differences or leftovers', async () => {
    const next = random(Number(process.env['SLUICE_E2E_SEED'] ?? 11));
    const database = await aDatabase(accounts(40_000));
    const stop = busy(database);
    const file = specFile('stormy', database.name, ['public.accounts'], {
      validation: { every: '1s', passesInARow: 5 },
      soak: { for: '10s', passes: 2 },
    });
    expect(sluice('start', '-f', file).code).toBe(0);
    let approved = false;
    let kills = 0;
    for (; kills < KILLS_AT_MOST && (await get('stormy')).outcome === null; kills += 1) {
      // the moment must be random, so this waits for no condition
      await new Promise((resolve) => setTimeout(resolve, 1500 + next() * 5000));
      await worker.restart();
      if (!approved && (await get('stormy')).needsApproval) approved = signal('stormy') === 0;
    }
    if (!approved) {
      await waitFor('stormy', 'approval'); // the kills ended before the run needed an approval
      expect(signal('stormy')).toBe(0);
    }
    await waitFor('stormy', 'outcome=migrated');
    await stop();
    expect(kills).toBeGreaterThan(2);
    await expectMigratedOnce('stormy');
    await dismantle(database.client, 'stormy');
  });
});
