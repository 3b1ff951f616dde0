// Temporal, Kafka and the worker killed by -9 while the source tables are fenced: the application writes again by the database's clock alone, and the migration,
// once everything is back, goes on as if it had been refused.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShop } from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline, pipelineService } from '../../examples/daily-revenue/pipeline.js';
import { viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { stackHome } from '../../stack/paths.js';
import { alive } from '../../stack/processes.js';
import { addService, up } from '../../stack/stack.js';
import { sleepUntil } from '../support/builders.js';
import { TestWorker, get, sluice, waitFor, withDatabase } from '../support/sluice.js';

const NAME = 'all-dead';
const SHOP = 'dead_shop';
const MAX_HOLD_S = 30;
const GRACE_S = 5;
const worker = new TestWorker();
let life: ChildProcess;

const live = (): ChildProcess => spawn(process.execPath, ['--import', 'tsx', 'examples/daily-revenue/legacy/life.ts', SHOP, '2', '6'], { stdio: 'ignore' });

beforeAll(async () => {
  await buildPipeline((line) => console.error(line));
  await createShop(SHOP, { orders: 2000, seed: 3 });
  life = live();
  await worker.start();
});
afterAll(async () => {
  life.kill('SIGTERM');
  await worker.kill('SIGTERM');
});

function specFile(): string {
  const { postgres, kafka, connect } = stackHome().ports;
  const dir = mkdtempSync(join(tmpdir(), 'sluice-dead-'));
  const text = readFileSync('examples/daily-revenue/migration.yaml', 'utf8')
    .replace(/ {4}stages:\n(?: {6}.*\n)+/, '')
    .replaceAll('daily-revenue', NAME)
    .replace('port: 17401, database: shop', `port: ${postgres}, database: ${SHOP}`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`)
    .replace('maxHold: 60s', `maxHold: ${MAX_HOLD_S}s\n    fence: source`);
  writeFileSync(join(dir, 'migration.yaml'), text);
  writeFileSync(join(dir, 'daily_revenue.sql'), readFileSync('examples/daily-revenue/daily_revenue.sql'));
  return join(dir, 'migration.yaml');
}

const leaseState = (client: pg.Client) => client.query<{ state: string }>('SELECT state FROM sluice_all_dead.lease').then(({ rows }) => rows[0]?.state);

async function approve(): Promise<void> {
  waitFor(NAME, 'approval', '6m');
  expect(sluice('approve', NAME, '--approver', 'ann', '--reason', 'green', '--yes').code).toBe(0);
}

describe('while the source tables are fenced', () => {
  it('everything but the database may die: writers go on in time, nothing was switched, and the migration ends migrated later', async () => {
    expect(sluice('start', '-f', specFile()).code).toBe(0);
    await addService(stackHome(), pipelineService(stackHome(), { version: 2, topicPrefix: NAME, output: NAME, application: NAME, reset: false }));
    await approve();
    await withDatabase(SHOP, async (client) => {
      await sleepUntil('the fence', async () => (await leaseState(client)) === 'FENCED', 120_000);
      const fenced = Date.now();
      for (const service of ['temporal', 'kafka'] as const) process.kill(alive(stackHome(), service)!, 'SIGKILL');
      await worker.kill();
      expect(await leaseState(client)).toBe('FENCED');
      // As an application would: it tries until it is let in.
      await sleepUntil(
        'an order is accepted',
        () =>
          client.query('INSERT INTO orders (customer_id, store_id) VALUES (1, 1)').then(
            () => true,
            () => false,
          ),
        (MAX_HOLD_S + GRACE_S) * 1000 - (Date.now() - fenced),
      );
      const seconds = (Date.now() - fenced) / 1000;
      console.error(`writers were let in ${seconds.toFixed(1)} s after the fence (maxHold ${MAX_HOLD_S} s)`);
      expect(seconds).toBeGreaterThan(1); // it was held at all
      expect(await leaseState(client)).not.toBe('SWITCHED');
    });
    await up(stackHome(), () => undefined); // the pipeline too, should it have died with its cluster
    await worker.start();
    await sleepUntil('the attempt is given up', () => get(NAME).phase === 'validate' || get(NAME).blocked !== null, 300_000);
    await approve();
    waitFor(NAME, 'outcome=migrated', '8m');
    life.kill('SIGTERM');
    expect(await viewEqualsQuery(SHOP, 60_000)).toBe(true);
    expect(get(NAME)).toMatchObject({ outcome: 'migrated', leftovers: [], generation: 1 });
  });
});
