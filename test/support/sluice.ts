// Runs the public command line against the test stack, and a worker that can be killed.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readStatus } from '../../src/cli/support/migration-source.js';
import { pollStatus } from '../../src/cli/support/poll-status.js';
import { condition } from '../../src/cli/wait.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { durationMs } from '../../src/domain/values/duration.js';
import { connectAccess, kafkaAccess } from './access.js';
import { testPostgres } from './databases.js';
import { temporaryFolder } from './temporary-folder.js';

export { freshDatabase, withDatabase, serverVersion, testPostgres, urlOf } from './databases.js';

export const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const COMMAND_MS = 600_000;

/** Runs the command in a separate process, as people do. */
export function sluiceProcess(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: COMMAND_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status, stdout, stderr };
}

const WAITS = 0;
const ENDED = 2;
type Ask = (args: readonly string[], env: NodeJS.ProcessEnv) => Ran;
let ask: Ask | undefined;

/**
 * Runs the built command in a thread of this process, and blocks until it ends. A process costs a
 * second of a core to load the same code, and a run of all tests has hundreds of commands.
 */
export const sluice = (...args: string[]): Ran => sluiceWith({}, ...args);

/** Works like `sluice`, with the environment variables `more` added. */
export const sluiceWith = (more: NodeJS.ProcessEnv, ...args: string[]): Ran =>
  (ask ??= startThread())(args, { ...process.env, ...more });

function startThread(): Ask {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2: port } = new MessageChannel();
  const command = new URL('../../dist/cli/program/run-command.js', import.meta.url).href;
  const worker = new Worker(new URL('./command-thread.mjs', import.meta.url), {
    workerData: { command, port, state },
    transferList: [port],
    execArgv: [],
  });
  worker.unref();
  port1.unref();
  return (args, env) => {
    Atomics.store(state, 0, WAITS);
    port1.postMessage({ args, env });
    Atomics.wait(state, 0, WAITS, COMMAND_MS);
    if (Atomics.load(state, 0) === ENDED) ask = undefined;
    const answer = receiveMessageOnPort(port1);
    if (answer === undefined) throw new Error(`sluice ${args.join(' ')} gave no answer`);
    return answer.message as Ran;
  };
}

/** Runs the command in a separate process. Meanwhile, this process can answer requests. */
export async function sluiceBeside(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ran = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => (ran[name] += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...ran };
}

/**
 * Returns what `sluice get -o json` prints. It reads in this process, because some tests ask in a
 * loop. Starting a command each time would cost more than half a second of a core.
 */
export async function get(name: string): Promise<StatusWithWindows> {
  for (let old = 1; ; old += 1) {
    const status = await readStatus(name);
    if (isOld(status) && old <= OLD_AT_MOST) continue;
    return JSON.parse(JSON.stringify(status)) as StatusWithWindows;
  }
}

/**
 * Returns true if no worker answered within seconds, for example because it is busy. The status is
 * then the last one of the ledger, which may be a minute old.
 */
const isOld = ({ standing, outcome }: StatusWithWindows): boolean =>
  standing?.from === 'ledger' && outcome === null && !standing.isDead;

/**
 * After this many old statuses in a row, the test assumes that no worker runs, and uses the old
 * status.
 */
const OLD_AT_MOST = 5;

/**
 * Waits like `sluice wait`. If the wait fails, it throws an error with the migration's status. It
 * polls in this process, because a command for every poll would keep a core busy.
 */
export const waitFor = async (name: string, wanted: string, timeout = '10m'): Promise<void> =>
  void (await reach(name, wanted, condition(wanted), durationMs(timeout), true));

/** A poll asks the workflow, Temporal and the ledger, so frequent polls would load the machine. */
const POLL_MS = 400;

/**
 * Waits until the status is as wanted, and returns it. With `orEnd`, it throws at once if the
 * migration ends before that.
 */
export async function reach(
  name: string,
  what: string,
  wanted: (status: StatusWithWindows) => boolean,
  limitMs = 600_000,
  orEnd = false,
): Promise<StatusWithWindows> {
  const deadline = Date.now() + limitMs;
  let reached: StatusWithWindows | undefined;
  let old = 0;
  await pollStatus(name, POLL_MS, (status) => {
    const isItsOwn = status.standing?.isEarlierRun !== true;
    old = isOld(status) ? old + 1 : 0;
    if (isItsOwn && (old === 0 || old > OLD_AT_MOST) && wanted(status)) {
      reached = status;
      return 0;
    }
    const hasEnded = orEnd && isItsOwn && (status.outcome !== null || status.standing?.isDead);
    const problem = hasEnded
      ? `ended without ${what}: ${status.outcome ?? status.standing?.problem}`
      : Date.now() > deadline && `not within ${limitMs} ms: ${what}`;
    if (problem !== false)
      throw new Error(
        [problem, sluice('get', name).stdout, sluice('diff', name).stdout].join('\n'),
      );
    return null;
  });
  return reached!;
}

/**
 * Returns the environment without the variables of a secured stack that would hide a mistake. A
 * worker must trust only the CAs that a spec names. With a registry, the variables stay, because
 * the spec in docs/how-to/registry.md names no CA.
 */
function workerEnvironment(): NodeJS.ProcessEnv {
  if (process.env['REGISTRY_URL']) return process.env;
  const hidden = ['PGSSLMODE', 'PGSSLROOTCERT', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !hidden.includes(name)));
}

export class TestWorker {
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'worker'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: workerEnvironment(),
    });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('worker is ready')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the worker exited ${code}: ${said}`)));
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  send(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

/** Returns the source connector of a spec for the test stack. `more` adds to it. */
export const connectorOf = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'debezium-postgres',
  ...connectAccess(),
  // Each poll is a Kafka transaction, and the default of 50 ms would make 20 a second.
  config: { 'poll.interval.ms': '200' },
  ...more,
});

/** Returns a spec for the test stack. `more` replaces whole parts of `spec`. */
export function specOf(
  name: string,
  database: string,
  tables: string[],
  more: Record<string, unknown> = {},
): object {
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Migration',
    metadata: { name },
    spec: {
      source: {
        postgres: testPostgres(database),
        tables,
      },
      connector: connectorOf(),
      kafka: kafkaAccess(),
      validation: { every: '1s', passesInARow: 2 },
      soak: { for: '2s', passes: 1 },
      ...more,
    },
  };
}

/** Writes the spec that `specOf` returns to a file. */
export function specFile(...spec: Parameters<typeof specOf>): string {
  const file = join(temporaryFolder('sluice-test-'), 'migration.yaml');
  writeFileSync(file, stringify(specOf(...spec), { aliasDuplicateObjects: false }));
  return file;
}

/**
 * Starts a migration of the spec that `specOf` returns. If the command refuses it, throws an error
 * with the command's output.
 */
export function startMigration(...spec: Parameters<typeof specOf>): void {
  const { code, stderr } = sluice('start', '-f', specFile(...spec));
  if (code !== 0) throw new Error(`sluice start ended with ${code}: ${stderr}`);
}
