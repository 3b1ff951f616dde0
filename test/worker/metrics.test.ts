// Tests that the metrics describe only the present: an alert must end when its cause is over.
import { describe, expect, it } from 'vitest';
import { Gauges } from '../../src/activities/runtime/gauges.js';
import type { Ledger, MigrationRecord } from '../../src/clients/ledger/ledger.js';
import { readMetrics } from '../../src/wiring/worker-metrics.js';
import { aStatus } from '../support/status.js';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const BLOCKED = {
  code: 'preflight-failed',
  since: '2026-01-01T00:00:00Z',
  detail: 'a check failed',
  remedy: 'fix it',
} as const;

/**
 * A ledger with an iteration that was terminated while it was blocked, and with the next iteration,
 * which has this `outcome`.
 */
const ledgerWith = (outcome: MigrationRecord['outcome']): Pick<Ledger, 'query' | 'migrations'> => {
  const record = { name: 'a', updated_at: new Date(NOW) };
  const records = [
    { ...record, iteration: 2, outcome, status: aStatus({ iteration: 2 }) },
    { ...record, iteration: 1, outcome: null, status: aStatus({ blocked: BLOCKED }) },
  ];
  return {
    query: () => Promise.resolve([]),
    migrations: () => Promise.resolve(records as MigrationRecord[]),
  };
};

describe('the metrics of a migration that was terminated and started again', () => {
  it('contain only the status of the newest iteration, and contain it once', async () => {
    const text = await readMetrics(ledgerWith(null), new Gauges(), NOW);
    expect(text).not.toContain('sluice_migration_blocked_seconds');
    const series = text.split('\n').map((line) => line.replace(/ \S+$/, ''));
    expect(series.filter((name) => name === 'sluice_migration_paused{migration="a"}')).toHaveLength(
      1,
    );
  });

  it('are gone after the newest iteration has ended', async () =>
    expect(await readMetrics(ledgerWith('migrated'), new Gauges(), NOW)).not.toContain(
      'migration="a"',
    ));
});
