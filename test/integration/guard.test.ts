// Tests the guard with real servers. A failed task recovers by itself and voids evidence. A slot
// that fills the source's disk is dropped before the commit.
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { live } from '../support/live.js';
import { get, sluice, specFile, testPostgres, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

const TABLE =
  'CREATE TABLE items (id int PRIMARY KEY, v text); INSERT INTO items SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 2000) g';

describe('the guard', () => {
  it('restarts a failed connector task, counts it, and the evidence before it is void', async () => {
    const database = await aDatabase(TABLE);
    const connector = {
      type: 'debezium-postgres',
      url: process.env['CONNECT_URL'],
      config: { 'errors.max.retries': '0' },
    };
    expect(
      sluice('start', '-f', specFile('restarted', database.name, ['public.items'], { connector }))
        .code,
    ).toBe(0);
    waitFor('restarted', 'approval');
    const before = get('restarted').epoch;
    await database.client.query(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'sluice_restarted'`,
    );
    await sleepUntil('a new epoch', () => get('restarted').epoch > before, 120_000);
    waitFor('restarted', 'approval');
    const report = JSON.parse(sluice('report', 'restarted', '-o', 'json').stdout) as {
      events: { kind: string; detail: string }[];
    };
    expect(
      report.events.some((e) => e.kind === 'restarted' && e.detail.startsWith('restarted:')),
    ).toBe(true);
    expect(
      report.events.some((e) => e.kind === 'epoch' && e.detail.includes('connector task')),
    ).toBe(true);
    expect(
      sluice(
        'approve',
        'restarted',
        '--approver',
        'ann',
        '--reason',
        'old',
        '--evidence',
        `ev-1.${before}-00000000`,
        '--yes',
      ).code,
    ).toBe(1);
    expect(sluice('cancel', 'restarted', '--yes').code).toBe(0);
    waitFor('restarted', 'outcome=aborted');
  });

  it('drops the slot when it retains more WAL than the budget, blocks, and retry begins a new generation', async () => {
    const database = await aDatabase(TABLE);
    const file = specFile('greedy', database.name, ['public.items'], {
      source: {
        postgres: testPostgres(database.name),
        tables: ['public.items'],
        walBudget: { bytes: '20MiB', onExhaustion: 'drop-slot' },
      },
    });
    expect(sluice('start', '-f', file).code).toBe(0);
    waitFor('greedy', 'approval');
    await fetch(`${process.env['CONNECT_URL']}/connectors/greedy/stop`, { method: 'PUT' });
    for (let n = 0; n < 8; n += 1)
      await database.client.query(
        `SELECT pg_logical_emit_message(true, 'filler', repeat('x', 4000000))`,
      );
    await sleepUntil('blocked', () => get('greedy').blocked !== null, 180_000);
    expect(['wal-budget', 'slot-lost']).toContain(get('greedy').blocked!.code);
    expect(
      (
        await database.client.query(
          `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'sluice_greedy'`,
        )
      ).rows,
    ).toEqual([]);
    expect(sluice('retry', 'greedy').code).toBe(0);
    await sleepUntil(
      'a new generation at its gate',
      () => {
        const status = get('greedy');
        return status.generation === 2 && status.needsApproval;
      },
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
    waitFor('greedy', 'outcome=aborted');
    expect(get('greedy').leftovers).toEqual([]);
  });
});
