// Migrates the examples' shop without reading its WAL: the JDBC source polls the tables. One
// migration has a pipeline in Flink SQL, the other one a Kafka Streams application. Both run to
// their end.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShop } from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline, pipelineService } from '../../examples/daily-revenue/pipeline.js';
import { viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { stackHome } from '../../stack/paths.js';
import { addService } from '../../stack/stack.js';
import { TestWorker, get, sluice, waitFor, withDatabase } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SHOP = 'polled_shop';
const TABLES = ['stores', 'orders', 'order_items', 'refunds'];
const worker = new TestWorker();
let life: ChildProcess;

beforeAll(async () => {
  await buildPipeline((line) => console.error(line));
  await createShop(SHOP, { orders: 2000, seed: 5 });
  // Prepares a database for polling. A trigger keeps the time of the last change on every row, and
  // a rule ignores deletes.
  await withDatabase(SHOP, async (client) => {
    await client.query(
      `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changed := clock_timestamp(); RETURN NEW; END'`,
    );
    for (const table of TABLES) {
      await client.query(`ALTER TABLE ${table} ADD COLUMN changed timestamptz NOT NULL DEFAULT clock_timestamp();
        CREATE TRIGGER touch BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION touch(); CREATE RULE keep AS ON DELETE TO ${table} DO INSTEAD NOTHING`);
    }
  });
  life = spawn(
    process.execPath,
    ['--import', 'tsx', 'examples/daily-revenue/legacy/life.ts', SHOP, '2', '6'],
    { stdio: 'ignore' },
  );
  await worker.start();
});
afterAll(async () => {
  life.kill('SIGTERM');
  await worker.kill('SIGTERM');
});

/** Returns the example's spec with a polling connector. */
function specFile(example: string, name: string): string {
  const { postgres, kafka, connect, flinkGateway } = stackHome().ports;
  const dir = temporaryFolder('sluice-polled-');
  const polled =
    'type: jdbc-source\n    mode: timestamp+incrementing\n    incrementingColumn: id\n    timestampColumns: [changed]\n    delay: 2s\n    deletes: none';
  const text = readFileSync(`examples/${example}/migration.yaml`, 'utf8')
    .replaceAll(example, name)
    .replace('port: 17401, database: shop', `port: ${postgres}, database: ${SHOP}`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`)
    .replace('127.0.0.1:17410', `127.0.0.1:${flinkGateway}`)
    .replace(
      /user: shop_migrator, passwordFrom: .*? }/,
      'user: sluice, passwordFrom: { env: PGPASSWORD }',
    )
    .replace(/ {4}config: .*\n/, '')
    .replace(/ {4}stages:\n(?: {6}.*\n)+/, '')
    .replace('type: debezium-postgres', polled);
  writeFileSync(join(dir, 'migration.yaml'), text);
  for (const file of ['pipeline.sql', 'daily_revenue.sql'])
    writeFileSync(
      join(dir, file),
      readFileSync(
        join('examples', file === 'pipeline.sql' ? 'daily-revenue-flink' : example, file),
        'utf8',
      ),
    );
  return join(dir, 'migration.yaml');
}

/**
 * The migration in Flink SQL has no route, so the shop's view still reads the batch's table.
 * Because of that, the run blocks once before it retires the batch.
 */
async function retryDespiteReaders(name: string): Promise<void> {
  await waitFor(name, 'blocked');
  expect((await get(name)).blocked).toMatchObject({ code: 'consumers-remain' });
  expect(sluice('retry', name).code).toBe(0);
}

async function approve(name: string, readsBatch: boolean): Promise<void> {
  await waitFor(name, 'approval');
  expect(sluice('approve', name, '--approver', 'ann', '--reason', 'green', '--yes').code).toBe(0);
  if (readsBatch) await retryDespiteReaders(name);
  await waitFor(name, 'outcome=migrated');
  const status = await get(name);
  expect(status.windows.filter((w) => w.verdict === 'failed')).toEqual([]);
  expect(status.windows.findLast((w) => w.subject === 'result')).toMatchObject({
    verdict: 'passed',
    mode: 'settled',
  });
  expect(status.handedOver.filter((o) => o.kind === 'connector').map((o) => o.name)).toEqual(
    expect.arrayContaining(TABLES.map((table) => `${name}-public-${table}`)),
  );
  expect(status.leftovers).toEqual([]);
}

describe('tables that are polled', () => {
  it('feed a pipeline in Flink SQL, and the migration ends as migrated', async () => {
    const file = specFile('daily-revenue-flink', 'polled-flink');
    expect(sluice('start', '-f', file).code).toBe(0);
    await approve('polled-flink', true);
  });

  it('feed a Kafka Streams application and its sink, and consumers are switched to an equal result', async () => {
    const name = 'polled-streams';
    expect(sluice('start', '-f', specFile('daily-revenue', name)).code).toBe(0);
    await addService(
      stackHome(),
      pipelineService(stackHome(), {
        version: 2,
        topicPrefix: name,
        output: name,
        application: name,
        reset: false,
      }),
    );
    await approve(name, false);
    life.kill('SIGTERM');
    expect(await viewEqualsQuery(SHOP, 300_000)).toBe(true);
  });
});
