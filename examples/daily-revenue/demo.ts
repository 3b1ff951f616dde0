// `npm run demo`: the whole road on real parts. Everything a person would type is printed before it runs.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOT, stackHome, type StackHome } from '../../stack/paths.js';
import { addService, environment, removeService, reset, up } from '../../stack/stack.js';
import { createShop } from './legacy/shop.js';
import { buildPipeline, pipelineService } from './pipeline.js';
import { orderReachesView, viewEqualsQuery } from './proof.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const NAME = 'daily-revenue';
const STAGE_TOPIC = 'daily-revenue-quarters'; // as migration.yaml names it
const started = Date.now();

const { values } = parseArgs({
  options: {
    yes: { type: 'boolean' },
    fresh: { type: 'boolean' },
    orders: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '3' },
    help: { type: 'boolean' },
  },
});

const say = (line: string): void => console.log(`\x1b[2m[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s]\x1b[0m ${line}`);

/** Runs a sluice verb, shown as a person would type it. Returns stdout; ends the demo when the exit code is not one of `allowed`. */
function sluice(args: string[], { quiet = false, allowed = [0] } = {}): string {
  if (!quiet) say(`$ sluice ${args.join(' ')}`);
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (!quiet && stdout.trim()) console.log(stdout.trimEnd().replaceAll(/^/gm, '    '));
  if (!allowed.includes(status ?? 1)) throw new Error(`sluice ${args.join(' ')} exited ${status}`);
  return stdout;
}

async function main(): Promise<void> {
  if (values.help)
    return console.log(
      'npm run demo -- [--yes] [--fresh] [--orders 200000] [--seed 1] [--rate 3]\n  --yes    approve without asking\n  --fresh  delete the stack and its data first',
    );
  const home = stackHome();
  if (values.fresh) await reset(home, say);
  say('starting Postgres, Kafka, Kafka Connect and Temporal');
  await up(home, say);
  Object.assign(process.env, await environment(home, say));
  refuseSecondRun();
  await buildPipeline(say);
  say(`seeding the legacy shop: ${values.orders} orders (seed ${values.seed})`);
  await createShop('shop', { orders: Number(values.orders), seed: Number(values.seed) });
  await addService(home, {
    name: 'shop-life',
    command: process.execPath,
    args: ['--import', 'tsx', join(HERE, 'legacy/life.ts'), 'shop', values.rate, '15'],
    cwd: ROOT,
    env: databaseEnvironment(),
  });
  say('customers keep ordering, and the batch runs every 15 s');
  const worker = startWorker(home);
  try {
    await migrate(home);
  } finally {
    worker.kill('SIGTERM');
    await removeService(home, 'shop-life');
  }
  say(`done. The stack stays up with the pipeline running: npm run -s sluice -- get ${NAME}`);
  say(`Temporal Web UI: http://127.0.0.1:${home.ports.temporalUi} · stop everything: npm run stack -- down`);
}

async function migrate(home: StackHome): Promise<void> {
  const spec = localSpec(home);
  sluice(['doctor', '-f', spec, '-o', 'json'], { quiet: true });
  say('sluice doctor: every check passed');
  sluice(['start', '-f', spec]);
  const service = (version: 1 | 2, isReset: boolean) =>
    pipelineService(home, { version, topicPrefix: NAME, output: NAME, application: NAME, stageTopic: STAGE_TOPIC, reset: isReset });
  say('deploying version 1 of the Kafka Streams pipeline');
  await addService(home, service(1, false));
  sluice(['wait', NAME, '--for', 'phase=validate', '--timeout', '10m']);
  await untilFailedWindow();
  sluice(['diff', NAME, '--limit', '6']);
  say("version 1 takes the day in UTC, the batch in the store's time zone. Deploying version 2");
  await addService(home, service(2, true));
  sluice(['wait', NAME, '--for', 'approval', '--timeout', '10m']);
  sluice(['get', NAME]);
  await askForApproval();
  sluice(['approve', NAME, '--approver', 'demo', '--reason', 'windows are green', '--yes']);
  sluice(['wait', NAME, '--for', 'phase=soak', '--timeout', '5m']);
  sluice(['wait', NAME, '--for', 'outcome=migrated', '--timeout', '5m']);
  await removeService(home, 'shop-life');
  say(`the view equals the batch's query, re-computed: ${await viewEqualsQuery('shop', 30_000)}`);
  say(`an order written now is in the view after ${await orderReachesView('shop', 10_000)} ms`);
  sluice(['get', NAME]);
}

/** Blocks until a window failed: version 1 is wrong, and the first windows must say so. */
async function untilFailedWindow(): Promise<void> {
  for (;;) {
    const rows = JSON.parse(sluice(['windows', NAME, '--failed', '-o', 'json'], { quiet: true })) as { number: number; subject: string; reason: string }[];
    if (rows.length > 0) return rows.forEach((row) => say(`window ${row.number} ${row.subject}: failed, ${row.reason}`));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function askForApproval(): Promise<void> {
  if (values.yes) return;
  if (!process.stdin.isTTY) throw new Error('no terminal to ask for approval: pass --yes');
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  await prompt.question('The evidence is above. Press Enter to approve the cut-over (Ctrl-C to leave it waiting): ');
  prompt.close();
}

function refuseSecondRun(): void {
  const known = JSON.parse(sluice(['list', '-o', 'json'], { quiet: true })) as { name: string; outcome: string | null }[];
  const earlier = known.find((m) => m.name.startsWith(NAME)); // the Flink example lives on the same legacy database
  if (earlier)
    throw new Error(`the stack already holds the migration ${earlier.name} (${earlier.outcome ?? 'running'}). Start over with: npm run demo -- --fresh`);
}

function startWorker(home: StackHome): ChildProcess {
  mkdirSync(home.logs, { recursive: true });
  return spawn(process.execPath, [CLI, 'worker'], { stdio: ['ignore', 'ignore', 'ignore'] });
}

/** The example's spec with this stack's ports (they differ when SLUICE_STACK_PORT_BASE does). */
function localSpec(home: StackHome): string {
  const dir = join(home.dir, 'demo');
  mkdirSync(dir, { recursive: true });
  const { postgres, kafka, connect } = home.ports;
  const text = readFileSync(join(HERE, 'migration.yaml'), 'utf8')
    .replace('port: 17401', `port: ${postgres}`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`);
  writeFileSync(join(dir, 'migration.yaml'), text);
  for (const query of ['daily_revenue.sql', 'store_quarters.sql']) writeFileSync(join(dir, query), readFileSync(join(HERE, query)));
  return join(dir, 'migration.yaml');
}

function databaseEnvironment(): Record<string, string> {
  return Object.fromEntries(['PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD'].map((name) => [name, process.env[name]!]));
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
