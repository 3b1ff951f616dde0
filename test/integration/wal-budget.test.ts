// Tests with real servers that a slot that fills the source's disk is dropped before the commit. The
// WAL of other tests would count against its budget too.
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { live } from '../support/live.js';
import { get, reach, sluice, specFile, testPostgres, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

const TABLE =
  'CREATE TABLE items (id int PRIMARY KEY, v text); INSERT INTO items SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 2000) g';

describe('the guard', () => {
  it('drops a slot that retains more WAL than the budget, and blocks until retry begins a generation', async () => {
    const database = await aDatabase(TABLE);
    const file = specFile('greedy', database.name, ['public.items'], {
      source: {
        postgres: testPostgres(database.name),
        tables: ['public.items'],
        walBudget: { bytes: '20MiB', onExhaustion: 'drop-slot' },
      },
    });
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('greedy', 'approval');
    await fetch(`${process.env['CONNECT_URL']}/connectors/greedy/stop`, { method: 'PUT' });
    for (let n = 0; n < 8; n += 1)
      await database.client.query(
        `SELECT pg_logical_emit_message(true, 'filler', repeat('x', 4000000))`,
      );
    const isLost = (s: Status) => ['wal-budget', 'slot-lost'].includes(s.blocked?.code ?? '');
    await reach('greedy', 'blocked', isLost, 180_000);
    expect(
      (
        await database.client.query(
          `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'sluice_greedy'`,
        )
      ).rows,
    ).toEqual([]);
    expect(sluice('retry', 'greedy').code).toBe(0);
    await reach(
      'greedy',
      'a new generation at its gate',
      (s) => s.generation === 2 && s.needsApproval,
      180_000,
    );
    expect(
      (
        await database.client.query(
          `SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`,
        )
      ).rows,
    ).toEqual([{ slot_name: 'sluice_greedy_g2' }]);
    expect(sluice('cancel', 'greedy', '--yes').code).toBe(0);
    await waitFor('greedy', 'outcome=aborted');
    expect(get('greedy').leftovers).toEqual([]);
  });
});
