// Fires four alert rules of deploy/ in a real Prometheus that reads a real worker. The causes are:
// an approval that waits, a slot near its WAL budget, a terminated run, and a killed worker. The
// test changes the rules in one point: they wait for a shorter time before they fire.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { sleepUntil } from '../support/builders.js';
import { freePort } from '../support/free-port.js';
import { accounts } from '../support/live.js';
import { TestWorker, freshDatabase, specFile, sluice, testPostgres } from '../support/sluice.js';
import { get, waitFor } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const RULES = new URL('../../deploy/prometheus/sluice.rules.yml', import.meta.url);
const BUDGET_BYTES = 40 * 1024 * 1024;
const NAME = 'alarmed';
const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;
if (!hasPrometheus) console.log('alerts.test.ts is skipped: there is no program "prometheus"');

type Rules = { groups: { rules: { alert: string; for?: string }[] }[] };
type Alert = { labels: { alertname: string; migration?: string }; state: string };

const worker = new TestWorker();
let database: Awaited<ReturnType<typeof freshDatabase>>;
let prometheus: ChildProcess | undefined;
let api = '';

/** Starts a Prometheus with the rules of deploy/. Every rule waits at most one second. */
async function startPrometheus(target: string): Promise<void> {
  const folder = temporaryFolder('sluice-prometheus-');
  const rules = parse(readFileSync(RULES, 'utf8')) as Rules;
  for (const rule of rules.groups.flatMap((group) => group.rules)) if (rule.for) rule.for = '1s';
  writeFileSync(join(folder, 'rules.yml'), stringify(rules));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets: [target] }] }],
    }),
  );
  const port = await freePort();
  api = `http://127.0.0.1:${port}/api/v1`;
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
}

async function firing(): Promise<string[]> {
  const answer = (await (await fetch(`${api}/alerts`)).json()) as { data: { alerts: Alert[] } };
  return answer.data.alerts
    .filter(({ state, labels }) => state === 'firing' && (labels.migration ?? NAME) === NAME)
    .map(({ labels }) => labels.alertname);
}

const fires = (alert: string): Promise<void> =>
  sleepUntil(`${alert} fires`, async () =>
    (await firing().catch((): string[] => [])).includes(alert),
  );

const isQuiet = (alert: string): Promise<void> =>
  sleepUntil(`${alert} ends`, async () => !(await firing()).includes(alert));

describe.skipIf(!hasPrometheus)('the alert rules', () => {
  beforeAll(async () => {
    const address = `127.0.0.1:${await freePort()}`;
    process.env['SLUICE_HTTP_ADDRESS'] = address;
    await worker.start();
    database = await freshDatabase(accounts());
    await startPrometheus(address);
    const started = sluice(
      'start',
      '-f',
      specFile(NAME, database.name, ['public.accounts'], {
        source: {
          postgres: testPostgres(database.name),
          tables: ['public.accounts'],
          walBudget: { bytes: `${BUDGET_BYTES / 1024 / 1024}MiB`, onExhaustion: 'block' },
        },
      }),
    );
    expect(started, started.stderr).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await worker.restart();
    sluice('doctor', '--leftovers', '--remove', '--yes');
    await worker.kill('SIGTERM');
    prometheus?.kill('SIGTERM');
    await database.drop();
  });

  it('say that a run waits for an approval', async () => {
    await waitFor(NAME, 'approval');
    await fires('SluiceApprovalWaiting');
    expect(await firing()).not.toContain('SluiceWorkerGone');
  });

  it('say that a slot retains more than 80 % of its WAL budget, before the budget is used up', async () => {
    await fetch(`${process.env['CONNECT_URL']}/connectors/${NAME}/stop`, { method: 'PUT' });
    const retained = async (): Promise<number> => {
      const { rows } = await database.client.query<{ bytes: string }>(
        `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) AS bytes
         FROM pg_replication_slots WHERE slot_name = 'sluice_${NAME}'`,
      );
      return Number(rows[0]!.bytes);
    };
    while ((await retained()) < BUDGET_BYTES * 0.82)
      await database.client.query(
        `SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000000))`,
      );
    expect(await retained()).toBeLessThan(BUDGET_BYTES);
    await fires('SluiceWalBudget');
    expect((await get(NAME)).blocked?.code).not.toBe('wal-budget');
    await fetch(`${process.env['CONNECT_URL']}/connectors/${NAME}/resume`, { method: 'PUT' });
    await isQuiet('SluiceWalBudget');
  });

  it('say that the run of a migration was terminated while its objects still exist', async () => {
    const address = process.env['TEMPORAL_ADDRESS']!;
    const args = ['workflow', 'terminate', '-w', `migration-${NAME}`, '--reason', 'drill'];
    expect(spawnSync('temporal', ['--address', address, ...args]).status).toBe(0);
    await fires('SluiceRunNotRunning');
  });

  it('say that no worker is running after the only one was killed with -9, until one runs again', async () => {
    await worker.kill('SIGKILL');
    await fires('SluiceWorkerGone');
    await worker.start();
    await isQuiet('SluiceWorkerGone');
  });
});
