// Runs the example in Flink SQL at a small size through the public command line. The pipeline is
// deployed, found again, handed over, and stopped by a rollback. Other pipelines are refused,
// compute a wrong result, or were written by `assess`.
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShop } from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline } from '../../examples/daily-revenue/pipeline.js';
import { stackHome } from '../../stack/paths.js';
import { FlinkGateway } from '../../src/clients/http/flink-gateway.js';
import { sleepUntil } from '../support/builders.js';
import { TestWorker, get, sluice, testPostgres, waitFor, withDatabase } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const worker = new TestWorker();
let life: ChildProcess;

beforeAll(async () => {
  // The Kafka Streams skeleton that assess writes is compiled with the libraries of this pipeline.
  await buildPipeline((line) => console.error(line));
  await createShop('flink_shop', { orders: 3000, seed: 11 });
  life = spawn(
    process.execPath,
    ['--import', 'tsx', 'examples/daily-revenue/legacy/life.ts', 'flink_shop', '2', '6'],
    { stdio: 'ignore' },
  );
  await worker.start();
});
afterAll(async () => {
  life.kill('SIGTERM');
  await worker.kill('SIGTERM');
});

function specFile(name: string, change = (sql: string): string => sql): string {
  const { postgres, kafka, connect, flinkGateway } = stackHome().ports;
  const dir = temporaryFolder('sluice-flink-');
  const example = 'examples/daily-revenue-flink';
  const text = readFileSync(join(example, 'migration.yaml'), 'utf8')
    .replaceAll('daily-revenue-flink', name)
    .replace('port: 17401, database: shop', `port: ${postgres}, database: flink_shop`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`)
    .replace('127.0.0.1:17410', `127.0.0.1:${flinkGateway}`);
  writeFileSync(join(dir, 'migration.yaml'), text);
  writeFileSync(
    join(dir, 'pipeline.sql'),
    change(readFileSync(join(example, 'pipeline.sql'), 'utf8')),
  );
  writeFileSync(join(dir, 'daily_revenue.sql'), readFileSync(join(example, 'daily_revenue.sql')));
  return join(dir, 'migration.yaml');
}

const jobs = async (name: string) => {
  const all = await new FlinkGateway(process.env['FLINK_GATEWAY_URL']!).session((session) =>
    session.jobs(),
  );
  return all.filter(
    (job) =>
      job.name === `sluice-${name}` && job.status !== 'CANCELED' && job.status !== 'FINISHED',
  );
};

describe('a pipeline in Flink SQL', () => {
  it('is deployed once despite kill -9 of the worker, fails no window, and is handed over', async () => {
    const file = specFile('flink-a');
    expect(sluice('doctor', '-f', file).code).toBe(0);
    expect(sluice('start', '-f', file).code).toBe(0);
    await sleepUntil('the job', async () => (await jobs('flink-a')).length > 0);
    await worker.restart();
    await waitFor('flink-a', 'approval');
    expect(await jobs('flink-a')).toHaveLength(1);
    expect(
      sluice('approve', 'flink-a', '--approver', 'ann', '--reason', 'green', '--yes').code,
    ).toBe(0);
    // This migration has no route, so the shop's view still reads the batch's table. Because of
    // that, the run blocks once before it retires the batch.
    await waitFor('flink-a', 'blocked');
    expect((await get('flink-a')).blocked).toMatchObject({ code: 'consumers-remain' });
    expect(sluice('retry', 'flink-a').code).toBe(0);
    await waitFor('flink-a', 'outcome=migrated');
    const status = await get('flink-a');
    expect(status.windows.filter((w) => w.verdict === 'failed')).toEqual([]);
    expect(status.windows.some((w) => w.subject === 'result' && w.matched! > 100)).toBe(true);
    expect(status.handedOver.map((o) => o.kind)).toEqual(
      expect.arrayContaining(['job', 'group', 'connector', 'slot']),
    );
    expect((await jobs('flink-a')).map((job) => job.status)).toEqual(['RUNNING']);
  });

  it('is stopped and completely removed by a rollback', async () => {
    expect(sluice('start', '-f', specFile('flink-b')).code).toBe(0);
    await waitFor('flink-b', 'phase=validate');
    expect(sluice('rollback', 'flink-b', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('flink-b', 'outcome=rolled-back');
    expect((await get('flink-b')).leftovers).toEqual([]);
    expect(await jobs('flink-b')).toEqual([]);
    const left = await withDatabase(
      'flink_shop',
      async (client) =>
        (
          await client.query(
            `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'sluice_flink_b'`,
          )
        ).rows,
    );
    expect(left).toEqual([]);
  });

  it('is reported by doctor if Flink refuses it, and fails a proof if it computes a wrong result', async () => {
    const wrong = sluice(
      'doctor',
      '-f',
      specFile('flink-c', (sql) => sql.replace('SUM(r.refunded)', 'SUM(r.refund)')),
    );
    expect([wrong.code, wrong.stdout]).toEqual([
      1,
      expect.stringMatching(/pipeline.statements.*Column 'refund' not found/),
    ]);
    const proof = sluice(
      'prove',
      '-f',
      specFile('flink-d', (sql) => sql.replace("<> 'cancelled'", "<> 'shipped'")),
      '--slice',
      'store_id = 2',
      '-o',
      'json',
    );
    expect(JSON.parse(proof.stdout)).toMatchObject({ verdict: 'failed', leftovers: [] });
    expect((await jobs('proof-flink-d-1')).length).toBe(0);
  });

  it('passes a proof unchanged if assess wrote it; the Kafka Streams skeleton of assess compiles', () => {
    const file = specFile('flink-e');
    const dir = dirname(file);
    const portfolio = {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'Portfolio',
      metadata: { name: 'p' },
      spec: {
        source: { postgres: testPostgres('flink_shop') },
        processes: [
          {
            name: 'daily-revenue',
            query: { file: 'daily_revenue.sql' },
            result: { table: 'public.daily_revenue_batch', key: ['day', 'store_id'] },
          },
        ],
      },
    };
    writeFileSync(join(dir, 'portfolio.json'), JSON.stringify(portfolio));
    unlinkSync(join(dir, 'pipeline.sql'));
    expect(
      sluice(
        'assess',
        '-f',
        join(dir, 'portfolio.json'),
        '--process',
        'daily-revenue',
        '--out',
        dir,
      ).code,
    ).toBe(0);
    const proof = sluice('prove', '-f', file, '--slice', 'store_id IN (1, 2)', '-o', 'json');
    expect(JSON.parse(proof.stdout)).toMatchObject({ verdict: 'passed', leftovers: [] });
    const compiled = spawnSync(
      'javac',
      [
        '-cp',
        'examples/daily-revenue/pipeline/target/lib/*',
        '-d',
        join(dir, 'out'),
        join(dir, 'DailyRevenue.java'),
      ],
      {
        encoding: 'utf8',
      },
    );
    expect([compiled.status, compiled.stderr]).toEqual([0, '']);
  });
});
