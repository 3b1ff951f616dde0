// Runs the example at a small size through the public command line. Its worker is killed with
// SIGKILL three times, once under the fence. The migration must still succeed. SLUICE_E2E_ORDERS
// changes the size, and SLUICE_E2E_SEED changes the data.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CONSUMER,
  OWNER,
  createShop,
  grantRoles,
} from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline, pipelineService } from '../../examples/daily-revenue/pipeline.js';
import { orderReachesView, viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { stackHome } from '../../stack/paths.js';
import { addService, removeService } from '../../stack/stack.js';
import { sleepUntil } from '../support/builders.js';
import { TestWorker, get, sluice, waitFor, withDatabase, reach } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const NAME = 'daily-revenue';
/** The topic of the stage `store-quarters`, as in the example's spec. */
const STAGE_TOPIC = 'daily-revenue-quarters';
const orders = Number(process.env['SLUICE_E2E_ORDERS'] ?? 3000);
const seed = Number(process.env['SLUICE_E2E_SEED'] ?? 7);
const worker = new TestWorker();
let life: ChildProcess;

beforeAll(async () => {
  await buildPipeline((line) => console.error(line));
  await createShop('shop', { orders, seed });
  life = spawn(
    process.execPath,
    ['--import', 'tsx', 'examples/daily-revenue/legacy/life.ts', 'shop', '2', '6'],
    {
      stdio: 'ignore',
      env: { ...process.env, PGUSER: OWNER },
    },
  );
  await worker.start();
});
afterAll(async () => {
  life.kill('SIGTERM');
  await worker.kill('SIGTERM');
  await removeService(stackHome(), `pipeline-${NAME}`); // a running pipeline slows down other tests
});

const deploy = (version: 1 | 2) =>
  addService(
    stackHome(),
    pipelineService(stackHome(), {
      version,
      topicPrefix: NAME,
      output: NAME,
      application: NAME,
      stageTopic: STAGE_TOPIC,
      reset: version === 2,
    }),
  );

function localSpec(): string {
  const { postgres, kafka, connect } = stackHome().ports;
  const dir = temporaryFolder('sluice-e2e-');
  const text = readFileSync('examples/daily-revenue/migration.yaml', 'utf8')
    // this test fences the source tables, which the demo does not do
    .replace('maxHold: 60s', 'maxHold: 60s\n    fence: source')
    .replace('port: 17401', `port: ${postgres}`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`);
  writeFileSync(join(dir, 'migration.yaml'), text);
  for (const query of ['daily_revenue.sql', 'store_quarters.sql'])
    writeFileSync(join(dir, query), readFileSync(join('examples/daily-revenue', query)));
  return join(dir, 'migration.yaml');
}

/**
 * Reads the view repeatedly as its consumer. The returned function stops this. It returns every
 * error and the number of reads.
 */
function aConsumer(): () => Promise<{ errors: string[]; reads: number }> {
  const told = { errors: [] as string[], reads: 0 };
  let stopping = false;
  const reading = (async () => {
    const client = new pg.Client({ database: 'shop', user: CONSUMER });
    await client.connect();
    while (!stopping) {
      await client.query('SELECT count(*) FROM daily_revenue').then(
        () => (told.reads += 1),
        (error: Error) => told.errors.push(error.message),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await client.end();
  })();
  return async () => {
    stopping = true;
    await reading;
    return told;
  };
}

const leaseState = () =>
  withDatabase(
    'shop',
    async (client) =>
      (await client.query<{ state: string }>('SELECT state FROM sluice_daily_revenue.lease'))
        .rows[0]?.state,
  );

describe('the daily-revenue example', () => {
  it('fails with the wrong pipeline, passes with the right one, and ends as migrated despite kill -9', async () => {
    const spec = localSpec();
    await grantRoles('shop', sluice('init', '--sql', '-f', spec).stdout);
    const doctor = JSON.parse(sluice('doctor', '-f', spec, '-o', 'json').stdout) as {
      checks: { status: string }[];
    };
    expect(doctor.checks.filter((check) => check.status !== 'passed')).toEqual([]);
    const stopReading = aConsumer();
    expect(sluice('start', '-f', spec).code).toBe(0);
    await deploy(1);
    await waitFor(NAME, 'phase=connect');
    await worker.restart();
    await waitFor(NAME, 'phase=validate');
    await reach(NAME, 'a failed window', (s) =>
      s.windows.some((w) => w.verdict === 'failed' && w.subject === 'result'),
    );
    const diff = JSON.parse(sluice('diff', NAME, '-o', 'json').stdout) as {
      subject: string;
      counts: Record<string, number>;
      differences: { key: object }[];
    };
    // the result is the first subject that differs, because the stage before it is correct
    expect(diff.subject).toBe('result');
    expect(
      (await get(NAME)).windows.filter(
        (w) => w.subject === 'store-quarters' && w.verdict === 'failed',
      ),
    ).toEqual([]);
    expect(
      (await get(NAME)).windows.some((w) => w.subject === 'store-quarters' && w.matched! > 0),
    ).toBe(true);
    expect(diff.counts['mismatched']).toBeGreaterThan(0);
    expect(Object.keys(diff.differences[0]!.key)).toEqual(['day', 'store_id']);

    await deploy(2);
    await worker.restart();
    await waitFor(NAME, 'approval');
    expect(sluice('approve', NAME, '--approver', 'ann', '--reason', 'green', '--yes').code).toBe(0);
    await sleepUntil('the fence', async () => (await leaseState()) === 'FENCED');
    await worker.restart();
    await waitFor(NAME, 'outcome=migrated');
    life.kill('SIGTERM');

    const status = await get(NAME);
    expect(status).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      route: { side: 'stream' },
      blocked: null,
    });
    const handedOver = status.handedOver.map((o) => o.kind);
    for (const kind of ['slot', 'publication', 'connector', 'topic', 'sink-table'])
      expect(handedOver).toContain(kind);
    expect(await viewEqualsQuery('shop', 300_000)).toBe(true);
    expect(await orderReachesView('shop', 300_000)).toBeLessThan(300_000);
    const { errors, reads } = await stopReading();
    expect(errors).toEqual([]);
    expect(reads).toBeGreaterThan(10);
    const report = JSON.parse(sluice('report', NAME, '-o', 'json').stdout) as {
      verdicts: Record<string, number>;
      events: { kind: string }[];
    };
    expect(report.verdicts['failed']).toBeGreaterThan(0);
    expect(report.events.filter((e) => e.kind === 'committed')).toHaveLength(1);
    const schemas = await withDatabase(
      'shop',
      async (client) =>
        (await client.query(`SELECT 1 FROM pg_namespace WHERE nspname LIKE 'sluice%'`)).rows,
    );
    expect(schemas).toEqual([]);
  });
});
