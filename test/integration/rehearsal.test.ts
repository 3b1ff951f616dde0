// Rehearses a cut-over with real servers: everything up to the commit, then a release. The
// migration continues as before.
import { describe, expect, it } from 'vitest';
import { accounts, busy, dismantle, live } from '../support/live.js';
import { reach, sluice, startMigration, waitFor, withDatabase } from '../support/sluice.js';

const { aDatabase } = live();
const rehearse = (...more: string[]) =>
  sluice('plan', '--rehearse', 'rehearsed', '--by', 'ann', '-o', 'json', ...more);
const ledgerOf = (): string => new URL(process.env['SLUICE_LEDGER_URL']!).pathname.slice(1);
const lease = () =>
  withDatabase(
    ledgerOf(),
    async (client) =>
      (
        await client.query<{ state: string }>(
          "SELECT state FROM sluice.lease WHERE migration = 'rehearsed'",
        )
      ).rows[0]!.state,
  );

describe('plan --rehearse', () => {
  it('fences like a cut-over, releases the fence, reports the length of the hold, and commits nothing', async () => {
    const database = await aDatabase(accounts());
    const stop = busy(database);
    startMigration('rehearsed', database.name, ['public.accounts'], {
      validation: { every: '2s', passesInARow: 2 },
    });
    await waitFor('rehearsed', 'phase=connect');
    expect(rehearse('--yes')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('needs evidence for approval (phase approve)') as string,
    });
    await waitFor('rehearsed', 'approval');
    // A rehearsal fences, so the command asks for confirmation. Without a terminal, this fails.
    expect(rehearse().code).toBe(2);
    const { code, stdout } = rehearse('--yes');
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 0,
      refused: null,
      holdMs: expect.any(Number) as number,
    });
    expect(await lease()).toBe('OPEN');
    await reach(
      'rehearsed',
      'the run asks for an approval (still or again)',
      (s) => s.needsApproval,
    );
    expect(
      sluice('approve', 'rehearsed', '--approver', 'ann', '--reason', 'rehearsed', '--yes').code,
    ).toBe(0);
    await waitFor('rehearsed', 'outcome=migrated');
    await stop();
    const { events } = JSON.parse(sluice('report', 'rehearsed', '-o', 'json').stdout) as {
      events: { kind: string; detail: string }[];
    };
    const kinds = events.map((e) => e.kind);
    expect(kinds.filter((kind) => kind === 'committed')).toHaveLength(1);
    expect(kinds.indexOf('rehearsed')).toBeLessThan(kinds.indexOf('committed'));
    expect(events.find((e) => e.kind === 'released')!.detail).toBe('rehearsal over');
    await dismantle(database.client, 'rehearsed');
  });
});
