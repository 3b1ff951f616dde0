// `npm run demo` runs a whole migration with real servers. It prints the main commands that a
// person would type.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readStatus } from '../../src/cli/support/migration-source.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { ROOT, stackHome, type StackHome } from '../../stack/paths.js';
import { addService, environment, removeService, reset, up } from '../../stack/stack.js';
import { OWNER, createShop, grantRoles } from './legacy/shop.js';
import { buildPipeline, pipelineService } from './pipeline.js';
import { orderReachesView, viewEqualsQuery } from './proof.js';
import { serversOf, type Servers } from './servers.js';
import { untilStatusOf } from './until-status.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const NAME = 'daily-revenue';
const STAGE_TOPIC = 'daily-revenue-quarters'; // migration.yaml names the same topic
const PIPELINE = `pipeline-${NAME}`;
const PATIENCE_MS = 600_000;
const started = Date.now();

const { values } = parseArgs({
  options: {
    yes: { type: 'boolean' },
    fresh: { type: 'boolean' },
    orders: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '3' },
    running: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

const say = (line: string): void =>
  console.log(
    `\x1b[2m[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s]\x1b[0m ${line}`,
  );

/**
 * Prints and runs a command of sluice. Returns stdout. Throws for an exit code that is not
 * `allowed`.
 */
function sluice(args: string[], { quiet = false, allowed = [0] } = {}): string {
  if (!quiet) say(`$ sluice ${args.join(' ')}`);
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (!quiet && stdout.trim()) console.log(stdout.trimEnd().replaceAll(/^/gm, '    '));
  if (!allowed.includes(status ?? 1)) throw new Error(`sluice ${args.join(' ')} exited ${status}`);
  return stdout;
}

async function main(): Promise<void> {
  if (values.help)
    return console.log(
      'npm run demo -- [--yes] [--fresh] [--orders 20000] [--seed 1] [--rate 3] [--running]\n  --yes     approve without asking\n  --fresh   delete the stack and its data first\n  --orders  the number of orders; 200000 makes a large shop\n  --running use servers that already run at the addresses of the stack, as `docker compose up --wait` starts them',
    );
  const home = stackHome();
  const servers = serversOf(values);
  if (!values.running) await startStack(home);
  const variables = environment(home);
  Object.assign(process.env, variables);
  refuseSecondRun(servers);
  // The pipeline of an earlier demo may still run, although the data of its servers was deleted.
  await removeService(home, PIPELINE);
  const built = buildPipeline(say);
  built.catch(() => undefined); // an error is not lost, because `migrate` awaits this promise
  say(`seeding the legacy shop: ${values.orders} orders (seed ${values.seed})`);
  await createShop('shop', { orders: Number(values.orders), seed: Number(values.seed) });
  await addService(home, {
    name: 'shop-life',
    command: process.execPath,
    args: ['--import', 'tsx', join(HERE, 'legacy/life.ts'), 'shop', values.rate, '15'],
    cwd: ROOT,
    env: { ...databaseEnvironment(), PGUSER: OWNER },
  });
  say('customers keep ordering, and the batch runs every 15 s');
  await addService(home, {
    name: 'worker',
    command: process.execPath,
    args: [CLI, 'worker'],
    cwd: ROOT,
    env: variables,
  });
  try {
    await migrate(home, built);
  } finally {
    await removeService(home, 'shop-life');
  }
  say('done. The servers stay up, with the pipeline and a worker. To look at the result:');
  say(`eval "$(npm run -s stack -- env)"; npm run -s sluice -- get ${NAME}`);
  say(
    `Temporal Web UI: http://127.0.0.1:${home.ports.temporalUi} · stop everything: ${servers.stop}`,
  );
}

async function startStack(home: StackHome): Promise<void> {
  if (values.fresh) await reset(home, say);
  say('starting Postgres, Kafka, Kafka Connect and Temporal');
  await up(home, say);
}

async function migrate(home: StackHome, built: Promise<void>): Promise<void> {
  const spec = localSpec(home);
  say(`$ sluice init --sql -f ${spec} | psql shop`);
  await grantRoles('shop', sluice(['init', '--sql', '-f', spec], { quiet: true }));
  say(
    'roles shop_migrator (the worker) and shop_capture (the connector) now have the grants that `sluice init --sql` printed; shop_owner owns the tables and the view, and runs the batch',
  );
  const { checks } = JSON.parse(sluice(['doctor', '-f', spec, '-o', 'json'], { quiet: true })) as {
    checks: unknown[];
  };
  say(`sluice doctor: all ${checks.length} checks passed`);
  await built;
  sluice(['start', '-f', spec]);
  const service = (version: 1 | 2, isReset: boolean) =>
    pipelineService(home, {
      version,
      topicPrefix: NAME,
      output: NAME,
      application: NAME,
      stageTopic: STAGE_TOPIC,
      reset: isReset,
    });
  say('deploying version 1 of the Kafka Streams pipeline');
  await addService(home, service(1, false));
  const status = await untilStatus(
    'a failed window: version 1 is wrong on purpose',
    (status) => failedWindows(status).length > 0,
  );
  for (const row of failedWindows(status))
    say(`window ${row.number} ${row.subject}: failed, ${row.reason}`);
  // `addService` first stops version 1, which takes a second or two, so `diff` runs meanwhile
  const deployed = addService(home, service(2, true));
  sluice(['diff', NAME, '--limit', '6']);
  say(
    "version 1 computes the day in UTC; the batch uses the store's time zone. Deploying version 2",
  );
  await deployed;
  await untilMigrated();
  await removeService(home, 'shop-life');
  say(
    `the view equals a new run of the batch's query: ${await viewEqualsQuery('shop', PATIENCE_MS)}`,
  );
  say(
    `an order written now is in the view after ${await orderReachesView('shop', PATIENCE_MS)} ms`,
  );
  sluice(['get', NAME]);
}

/**
 * Approves whenever the run asks for approval. On a slow machine, a cut-over may take longer than
 * maxHold, or be refused because a longer hold is predicted. The run then asks for a new approval.
 * If it is blocked first (`hold-too-long`), this function sends `retry`.
 */
async function untilMigrated(): Promise<void> {
  const approved = new Set<string>();
  const retried = new Set<string>();
  await untilStatus('windows to pass, then the cut-over', async (status) => {
    const { blocked } = status;
    if (blocked?.code === 'hold-too-long' && !retried.has(blocked.since)) {
      retried.add(blocked.since);
      say(`this machine is slow now: ${blocked.detail}`);
      sluice(['retry', NAME]);
    }
    if (status.needsApproval && status.evidenceId && !approved.has(status.evidenceId)) {
      if (approved.size === 0) sluice(['get', NAME]);
      await askForApproval();
      const evidence = (await readStatus(NAME)).evidenceId;
      if (evidence) approved.add(evidence);
      sluice(['approve', NAME, '--approver', 'demo', '--reason', 'all windows passed', '--yes'], {
        allowed: [0, 1],
      }); // exit code 1: the approval was refused, for example because the evidence has changed
    }
    if (status.outcome && status.outcome !== 'migrated')
      throw new Error(`it ended as ${status.outcome}: sluice audit ${NAME}`);
    return status.outcome === 'migrated';
  });
  say('$ sluice get daily-revenue: migrated');
}

const untilStatus = untilStatusOf(NAME, say);
const failedWindows = ({ windows }: StatusWithWindows): StatusWithWindows['windows'] =>
  windows.filter((window) => window.verdict === 'failed');

async function askForApproval(): Promise<void> {
  if (values.yes) return;
  if (!process.stdin.isTTY) throw new Error('no terminal to ask for approval: pass --yes');
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  await prompt.question(
    'The evidence is above. Press Enter to approve the cut-over (Ctrl-C to leave it waiting): ',
  );
  prompt.close();
}

function refuseSecondRun(servers: Servers): void {
  const listed = JSON.parse(
    sluice(['list', '-o', 'json'], { quiet: true, allowed: [0, 4] }),
  ) as unknown;
  // if a system does not answer, the output is a problem and not a list
  if (!Array.isArray(listed))
    throw new Error(`the demo's servers do not answer. Start them with: ${servers.start}`);
  const known = listed as { name: string; outcome: string | null }[];
  const earlier = known.find((m) => m.name.startsWith(NAME)); // this also finds the Flink example
  if (earlier)
    throw new Error(
      `the stack already has the migration ${earlier.name} (${earlier.outcome ?? 'running'}). Start over with: ${servers.startOver}`,
    );
}

/** Writes the example's spec with this stack's ports, which depend on SLUICE_STACK_PORT_BASE. */
function localSpec(home: StackHome): string {
  const dir = join(home.dir, 'demo');
  mkdirSync(dir, { recursive: true });
  const { postgres, kafka, connect } = home.ports;
  const text = readFileSync(join(HERE, 'migration.yaml'), 'utf8')
    .replace('port: 17401', `port: ${postgres}`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`);
  writeFileSync(join(dir, 'migration.yaml'), text);
  for (const query of ['daily_revenue.sql', 'store_quarters.sql'])
    writeFileSync(join(dir, query), readFileSync(join(HERE, query)));
  return join(dir, 'migration.yaml');
}

function databaseEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ['PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD'].map((name) => [name, process.env[name]!]),
  );
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
