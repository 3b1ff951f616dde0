// Runs the whole example daily-revenue on a secured stack, with topics in Avro. Sluice's database
// roles own nothing. The tests grant only the ACLs of the plan, and those of the pipeline's
// internal topics and transactions. Each test kills a broker and a Connect worker with SIGKILL.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { clientOf } from '../../examples/daily-revenue/legacy/client.js';
import { OWNER, createShop, grantRoles } from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline, pipelineService } from '../../examples/daily-revenue/pipeline.js';
import { orderReachesView, viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import type { Acl } from '../../src/domain/access/acls.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { durationMs } from '../../src/domain/values/duration.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { stackHome } from '../../stack/paths.js';
import { securedOf } from '../../stack/secure.js';
import { withAdmin } from '../../stack/services/kafka-secure.js';
import { addService, removeService } from '../../stack/stack.js';
import {
  allow,
  aclsOfStreams,
  askWorker,
  avroOfPage,
  killService,
  leaderOf,
  rollConnect,
  specOfPage,
  startKilled,
  workerOf,
  type Spec,
} from '../support/secured.js';
import { approveUntil } from '../support/approve-until.js';
import { TestWorker, get, reach, sluice, waitFor } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const EXAMPLE = 'examples/daily-revenue';
const home = stackHome();
const worker = new TestWorker();
let life: ChildProcess | undefined;

beforeAll(async () => {
  await buildPipeline((line) => console.error(line));
  await worker.start();
});
afterEach(() => void life?.kill('SIGTERM'));
afterAll(async () => {
  await worker.kill('SIGTERM');
});

/** A busy machine with few cores takes long to elect leaders and to start JVMs. */
const PATIENCE = '20m';
const TIMEOUT = { timeout: 3_600_000 };

const started = Date.now();
/** Prints an event with its time, because the figures in the documents come from this test. */
const say = (line: string): void =>
  console.log(`kills: ${((Date.now() - started) / 1000).toFixed(0)} s: ${line}`);

/** Writes the example's spec, with parts of the specs of secured-cluster.md and registry.md. */
function specFile(name: string, database: string, soak: object): string {
  const stage = `${name}-quarters`;
  const text = readFileSync(`${EXAMPLE}/migration.yaml`, 'utf8');
  const document = parse(text) as { metadata: { name: string }; spec: Spec };
  const { spec } = document;
  const page = specOfPage();
  document.metadata.name = name;
  const { host, port, sslmode, sslrootcert } = page['source']!['postgres'] as Spec[string];
  const login = spec['source']!['postgres'] as object;
  Object.assign(login, { host, port, database, sslmode, sslrootcert });
  const { url, tls, auth } = page['connector']!;
  Object.assign(spec['connector']!, { url, tls, auth });
  spec['kafka'] = { ...page['kafka'], ...avroOfPage() };
  Object.assign(spec['pipeline']!, {
    groups: [name],
    output: { topic: name, key: ['day', 'store_id'] },
  });
  (spec['batch']!['stages'] as { topic: string }[])[0]!.topic = stage;
  spec['soak'] = soak as Spec[string];
  // windows are less frequent than in the example, because many JVMs share the cores
  Object.assign(spec['validation']!, { every: '3s' });
  const folder = temporaryFolder('sluice-kills-');
  for (const query of ['daily_revenue.sql', 'store_quarters.sql'])
    writeFileSync(join(folder, query), readFileSync(join(EXAMPLE, query)));
  writeFileSync(join(folder, 'migration.yaml'), stringify(document));
  return join(folder, 'migration.yaml');
}

/**
 * Creates a shop with simulated customers, and grants the privileges. Then starts the migration and
 * its pipeline.
 */
async function startExample(name: string, database: string, soak: object): Promise<void> {
  await createShop(database, { orders: 1000, seed: 7 });
  life = spawn(
    process.execPath,
    ['--import', 'tsx', `${EXAMPLE}/legacy/life.ts`, database, '2', '15'],
    { stdio: 'ignore', env: { ...process.env, PGUSER: OWNER } },
  );
  const spec = specFile(name, database, soak);
  await grantRoles(database, sluice('init', '--sql', '-f', spec).stdout);
  const { acls } = JSON.parse(sluice('plan', '-f', spec, '-o', 'json').stdout) as { acls: Acl[] };
  await allow(acls, aclsOfStreams(name));
  const { checks } = JSON.parse(sluice('doctor', '-f', spec, '-o', 'json').stdout) as {
    checks: Check[];
  };
  expect(checks.filter(({ status }) => status !== 'passed')).toEqual([]);
  const ran = sluice('start', '-f', spec);
  expect(ran.code, ran.stderr).toBe(0);
  await addService(
    home,
    pipelineService(home, {
      version: 2,
      topicPrefix: name,
      output: name,
      application: name,
      stageTopic: `${name}-quarters`,
      reset: false,
      registry: process.env['REGISTRY_URL']!,
    }),
  );
}

async function kill(name: string, why: string): Promise<void> {
  await killService(name);
  say(`killed ${name}, ${why}`);
}

const SUBJECTS = ['public.order_items', 'public.orders', 'public.refunds', 'public.stores'];
const RESULTS = ['result', 'result@sink', 'store-quarters'];

/** Waits for a window, after the one with this number, in which every subject passed. */
const allPassed = (name: string, after: number): Promise<StatusWithWindows> =>
  reach(
    name,
    `a window after ${after} in which everything passed`,
    ({ windows }) =>
      windows.some(({ number }) => {
        const passed = windows.filter((w) => w.number === number && w.verdict === 'passed');
        return number > after && passed.length >= SUBJECTS.length + RESULTS.length;
      }),
    durationMs(PATIENCE),
  );

const lastNumber = ({ windows }: StatusWithWindows): number => windows.at(-1)?.number ?? 0;

function expectNothingLost({ windows }: StatusWithWindows): void {
  say(windows.map((w) => `${w.number} ${w.subject} ${w.verdict}`).join(', '));
  expect(windows.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  const passed = new Set(windows.filter((w) => w.verdict === 'passed').map((w) => w.subject));
  expect([...passed].sort()).toEqual(expect.arrayContaining([...SUBJECTS, ...RESULTS].sort()));
}

const ask = async <T extends object>(database: string, sql: string): Promise<T[]> => {
  const client = clientOf({ database });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('the whole example on a secured stack, in Avro, with a broker and a Connect worker killed', () => {
  it('ends as migrated, and loses no row', TIMEOUT, async () => {
    const name = 'daily-revenue';
    await startExample(name, 'shop', { for: '2s', passes: 1 });
    await waitFor(name, 'phase=catch-up', PATIENCE);
    await kill(await leaderOf(`${name}.public.orders`), 'in catch-up');
    await waitFor(name, 'approval', PATIENCE);
    say('approval is asked for, with two brokers');
    const before = await get(name);
    await kill(await workerOf(name), 'while it ran the task of the source');
    await startKilled();
    say('the broker and the worker run again');
    await allPassed(name, lastNumber(before) + 1);
    await waitFor(name, 'approval', PATIENCE);
    await approveUntil(name, 'the end', ({ outcome }) => outcome !== null);
    say('migrated');
    life!.kill('SIGTERM');
    const status = await get(name);
    expect(status).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      blocked: null,
      route: { side: 'stream' },
    });
    expectNothingLost(status);
    expect(await viewEqualsQuery('shop', 300_000)).toBe(true);
    say(`an order reached the view after ${await orderReachesView('shop', 300_000)} ms`);
    await removeService(home, `pipeline-${name}`);
  });

  it(
    'survives a rolling restart of Kafka Connect, is rolled back after its cut-over, and leaves nothing',
    TIMEOUT,
    async () => {
      const name = 'back-revenue';
      await startExample(name, 'shop_back', { for: '1h', passes: 1 });
      await waitFor(name, 'approval', PATIENCE);
      const before = await get(name);
      await rollConnect();
      say('the Connect cluster has restarted, one worker after the other');
      await allPassed(name, lastNumber(await get(name)) + 1);
      expect((await get(name)).generation).toBe(before.generation);
      await waitFor(name, 'approval', PATIENCE);
      await approveUntil(name, 'the soak', ({ phase }) => phase === 'soak');
      say('in soak');
      await kill(await leaderOf(name), 'in soak');
      await kill(await workerOf(name), 'in soak, while it ran the task of the source');
      const ran = sluice('rollback', name, '--reason', 'a rehearsal', '--by', 'ann', '--yes');
      expect(ran.code, ran.stderr).toBe(0);
      await waitFor(name, 'phase=roll-back', PATIENCE);
      await startKilled();
      say('the broker and the worker run again');
      await waitFor(name, 'outcome=rolled-back', PATIENCE);
      say('rolled back');
      const status = await get(name);
      expect(status).toMatchObject({
        outcome: 'rolled-back',
        leftovers: [],
        route: { side: 'batch' },
      });
      expectNothingLost(status);
      await removeService(home, `pipeline-${name}`);
      const topics = await withAdmin(home, securedOf(home)!, (admin) => admin.listTopics());
      expect(topics.filter((topic) => topic === name || topic.startsWith(`${name}.`))).toEqual([]);
      expect(await askWorker(1, '/connectors')).not.toContain(name);
      const left = `SELECT slot_name AS name FROM pg_replication_slots WHERE database = 'shop_back'
      UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sluice%'
      UNION ALL SELECT pubname FROM pg_publication`;
      expect(await ask('shop_back', left)).toEqual([]);
      const [view] = await ask<{ sql: string }>(
        'shop_back',
        `SELECT pg_get_viewdef('daily_revenue') AS sql`,
      );
      expect(view!.sql).toContain('daily_revenue_batch');
    },
  );
});
