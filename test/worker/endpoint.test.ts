// Tests the worker's HTTP endpoint, which serves metrics and health. Also tests the worker's log
// and settings, and which metrics the alert rules and the dashboard use.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { Gauges } from '../../src/activities/runtime/gauges.js';
import { readProcessSettings } from '../../src/wiring/process-settings.js';
import { freeAddress, serveEndpoint } from '../../src/wiring/worker-endpoint.js';
import { createLogger } from '../../src/wiring/worker-log.js';
import { METRIC_NAMES, readMetrics } from '../../src/wiring/worker-metrics.js';
import { aStatus } from '../support/status.js';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});
const NOW = Date.parse('2026-01-01T01:00:00Z');

async function anEndpoint(more: Partial<Parameters<typeof serveEndpoint>[1]> = {}) {
  const address = await freeAddress();
  servers.push(
    await serveEndpoint(address, {
      dead: () => null,
      unready: () => Promise.resolve(null),
      metrics: () => Promise.resolve('sluice_ledger_up 1\n'),
      temporalMetrics: '127.0.0.1:1',
      ...more,
    }),
  );
  return async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://${address}${path}`);
    return [response.status, await response.text()];
  };
}

/**
 * A ledger with a blocked migration, a migration that has ended, and two failed windows. If `fails`
 * is true, it does not answer when its migrations are read.
 */
const ledger = (fails = false) => ({
  migrations: () =>
    fails
      ? Promise.reject(new Error('away'))
      : Promise.resolve([
          {
            name: 'quo"te',
            outcome: null,
            updated_at: new Date(NOW - 30_000),
            status: aStatus({
              name: 'quo"te',
              blocked: {
                code: 'unreachable',
                since: '2026-01-01T00:00:00Z',
                detail: '',
                remedy: '',
              },
              lag: { bytes: null, records: 3, ms: 1500 },
            }),
          },
          {
            name: 'over',
            outcome: 'migrated',
            updated_at: new Date(NOW),
            status: aStatus({ name: 'over' }),
          },
        ]),
  query: (sql: string) =>
    Promise.resolve(
      sql.includes('sluice.evidence')
        ? [{ name: 'a', verdict: 'failed', count: 2 }]
        : [{ count: 1 }],
    ),
});
const metricsOf = (from: ReturnType<typeof ledger>, gauges = new Gauges()): Promise<string> =>
  readMetrics(from as unknown as Parameters<typeof readMetrics>[0], gauges, NOW);

describe('the endpoint', () => {
  it('is healthy until a Temporal worker in the process fails, and not ready while the ledger is away', async () => {
    let dead: string | null = null;
    let unready: string | null = 'the ledger: away';
    const get = await anEndpoint({ dead: () => dead, unready: () => Promise.resolve(unready) });
    expect(await get('/healthz')).toEqual([200, 'ok\n']);
    expect(await get('/readyz')).toEqual([503, 'the ledger: away\n']);
    unready = null;
    expect(await get('/readyz')).toEqual([200, 'ok\n']);
    dead = 'a worker has failed';
    expect(await get('/healthz')).toEqual([503, 'a worker has failed\n']);
    expect((await get('/secrets'))[0]).toBe(404);
  });
  it("serves Sluice's and Temporal's metrics, and only Sluice's if Temporal's are missing", async () => {
    const temporal = createServer((_request, response) => response.end('temporal_num_pollers 5\n'));
    servers.push(temporal.listen(0, '127.0.0.1'));
    await once(temporal, 'listening');
    const temporalMetrics = `127.0.0.1:${(temporal.address() as AddressInfo).port}`;
    const both = await anEndpoint({ temporalMetrics });
    expect(await both('/metrics')).toEqual([200, 'sluice_ledger_up 1\ntemporal_num_pollers 5\n']);
    const own = await anEndpoint();
    expect(await own('/metrics')).toEqual([200, 'sluice_ledger_up 1\n']);
  });
  it('names its address in the error if the address cannot be used', async () => {
    const address = await freeAddress();
    const sources = { metrics: () => Promise.resolve(''), temporalMetrics: '', dead: () => null };
    const serving = { ...sources, unready: () => Promise.resolve(null) };
    servers.push(await serveEndpoint(address, serving));
    await expect(serveEndpoint(address, serving)).rejects.toThrow(
      `SLUICE_HTTP_ADDRESS ${address} cannot be used`,
    );
  });
});

describe('the metrics', () => {
  it('show phase, time since the block, lag and windows of each migration that has not ended', async () => {
    const text = await metricsOf(ledger());
    for (const line of [
      'sluice_migration_phase{migration="quo\\"te",phase="approve"} 1',
      'sluice_migration_blocked_seconds{migration="quo\\"te",code="unreachable"} 3600',
      'sluice_migration_lag_seconds{migration="quo\\"te"} 1.5',
      'sluice_migration_lag_records{migration="quo\\"te"} 3',
      'sluice_status_age_seconds{migration="quo\\"te"} 30',
      'sluice_migration_windows{migration="a",verdict="failed"} 2',
      'sluice_notices_failing 1',
      'sluice_ledger_up 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).not.toContain('over');
    expect(text).not.toContain('lag_bytes');
  });
  it('show terminated runs, and show WAL and fences only if the worker measured them recently', async () => {
    let now = 0;
    const gauges = new Gauges(() => now);
    gauges.walRetained('a', 5, '1KiB');
    gauges.fenceHeld('a', 1000);
    gauges.fenceHeld('b', 1000);
    gauges.fenceReleased('b');
    gauges.orphans = [{ migration: 'c', state: 'terminated', objects: 2 }];
    const text = await metricsOf(ledger(), gauges);
    expect(text).toContain('sluice_wal_retained_bytes{migration="a"} 5');
    expect(text).toContain('sluice_wal_budget_bytes{migration="a"} 1024');
    expect(text).toContain('sluice_fence_held{migration="a"} 1');
    expect(text).not.toContain('sluice_fence_held{migration="b"}');
    expect(text).toContain('sluice_run_not_running{migration="c",state="terminated"} 1');
    now = 1_000_000;
    expect(await metricsOf(ledger(), gauges)).not.toMatch(/sluice_(wal|fence)/);
  });
  it('say that the ledger does not answer instead of showing nothing', async () =>
    expect(await metricsOf(ledger(true))).toContain('sluice_ledger_up 0'));
});

describe('alert rules and dashboard', () => {
  it('use only metrics that the worker has', () => {
    for (const file of ['prometheus/sluice.rules.yml', 'grafana/sluice.json']) {
      const named = readFileSync(`deploy/${file}`, 'utf8').match(/\bsluice_[a-z_]+/g) ?? [];
      expect(named.length).toBeGreaterThan(5);
      expect(named.filter((name) => !(METRIC_NAMES as string[]).includes(name))).toEqual([]);
    }
  });
});

describe('the log', () => {
  const logged = (format: 'text' | 'json'): string[] => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'WARN', format }, (line) => lines.push(line));
    const error = new Error('no answer\nfrom x');
    logger.info('too detailed');
    logger.warn('Activity failed', { workflowId: 'migration-orders', taskToken: 'abc', error });
    logger.error('lost');
    return lines;
  };
  it('names the migration on each JSON line about a migration, and contains no stacks or tokens', () => {
    const [first, second, ...more] = logged('json').map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({
      level: 'WARN',
      message: 'Activity failed',
      migration: 'orders',
      error: 'Error: no answer\nfrom x',
    });
    expect(JSON.stringify(first)).not.toContain('abc');
    expect(second).toMatchObject({ level: 'ERROR', message: 'lost' });
    expect(more).toEqual([]);
  });
  it.each(['text', 'json'] as const)(
    'escapes characters that control a terminal, in both forms: %s',
    (format) => {
      const lines: string[] = [];
      const hostile = 'a\u009b31m\u202eb';
      createLogger({ level: 'WARN', format }, (line) => lines.push(line)).warn(hostile);
      expect(lines[0]).toContain(String.raw`a\u009b31m\u202eb`);
      expect(lines[0]).not.toContain('\u009b');
    },
  );
  it('has one line for each entry in text form', () => {
    const [first] = logged('text');
    expect(first).toMatch(/ WARN \[orders\] Activity failed \(.*error=Error: no answer/);
    expect(first).not.toContain('\n');
  });
});

describe("the settings of the worker's process", () => {
  it('have defaults; an error names every wrong variable without its secret', () => {
    const problems: string[] = [];
    expect(readProcessSettings({}, problems)).toEqual({
      queues: {
        zones: [null],
        slots: { steps: 40, data: 2, watch: 1000, hold: 4 },
        pollers: null,
        workflowCache: null,
      },
      log: { level: 'WARN', format: 'text' },
      httpAddress: null,
      webhook: null,
      version: null,
    });
    expect(problems).toEqual([]);
    readProcessSettings(
      {
        SLUICE_HTTP_ADDRESS: 'nowhere',
        SLUICE_LOG_LEVEL: 'LOUD',
        SLUICE_WEBHOOK_URL: 'ftp://x/SECRET',
        SLUICE_BUILD_ID: '1.0.0',
      },
      problems,
    );
    expect(problems).toEqual([
      'SLUICE_HTTP_ADDRESS "nowhere" must be host:port, such as 0.0.0.0:9464',
      'SLUICE_LOG_LEVEL "LOUD" is not one of TRACE, DEBUG, INFO, WARN, ERROR',
      'SLUICE_WEBHOOK_URL must be an http or https URL',
      'SLUICE_DEPLOYMENT and SLUICE_BUILD_ID must be set together',
    ]);
  });
});
