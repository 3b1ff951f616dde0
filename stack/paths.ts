// Names the stack's folders and ports. Each user has one cache of downloads. The state of a stack
// is in the checkout (`.stack/<name>`).
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Pins {
  readonly kafka: string;
  readonly log4j: string;
  readonly debeziumPostgres: string;
  readonly debeziumJdbcSink: string;
  readonly temporalCli: string;
  readonly temporalTestServer: string;
  readonly postgres: string;
  readonly embeddedPostgres: string;
  readonly toxiproxy: string;
  readonly flink: string;
  readonly flinkKafka: string;
  readonly flinkJdbc: string;
  readonly pgjdbc: string;
  readonly apicurio: string;
}

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const PINS = JSON.parse(readFileSync(join(ROOT, 'stack/pins.json'), 'utf8')) as Pins;

/**
 * Returns the cache folder: the one in `SLUICE_CACHE_DIR`, or else a default. The default for root
 * is a folder that the user `postgres` can read, because Postgres refuses to run as root.
 */
export function cacheDir(): string {
  if (process.env['SLUICE_CACHE_DIR']) return process.env['SLUICE_CACHE_DIR'];
  if (process.getuid?.() === 0) return '/var/cache/sluice';
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
}

export interface StackPorts {
  readonly postgres: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly connect: number;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly toxiproxy: number;
  readonly flinkRest: number;
  readonly flinkRpc: number;
  readonly flinkGateway: number;
  readonly registry: number;
}

export interface StackHome {
  readonly name: string;
  readonly dir: string;
  readonly logs: string;
  readonly pids: string;
  readonly ports: StackPorts;
}

/**
 * Returns the stack that `SLUICE_STACK_NAME` and `SLUICE_STACK_PORT_BASE` choose. Their defaults
 * are `default` and 17400.
 */
export function stackHome(): StackHome {
  const name = process.env['SLUICE_STACK_NAME'] ?? 'default';
  if (!/^[a-z0-9-]{1,40}$/.test(name))
    throw new Error(`SLUICE_STACK_NAME "${name}" must match [a-z0-9-]{1,40}`);
  const base = Number(process.env['SLUICE_STACK_PORT_BASE'] ?? 17400);
  if (!Number.isInteger(base) || base < 1024 || base > 65000) {
    throw new Error(
      `SLUICE_STACK_PORT_BASE "${process.env['SLUICE_STACK_PORT_BASE']}" must be a port between 1024 and 65000`,
    );
  }
  const dir = join(ROOT, '.stack', name);
  return {
    name,
    dir,
    logs: join(dir, 'logs'),
    pids: join(dir, 'pids'),
    ports: {
      postgres: base + 1,
      kafka: base + 2,
      kafkaController: base + 3,
      connect: base + 4,
      temporal: base + 5,
      temporalUi: base + 6,
      toxiproxy: base + 7,
      flinkRest: base + 8,
      flinkRpc: base + 9,
      flinkGateway: base + 10,
      // a secured stack uses the ports from base + 11 to base + 18
      registry: base + 30,
    },
  };
}

/**
 * Returns a data directory that Postgres' user can enter. If the stack runs as root, Postgres runs
 * as a different user. If that user cannot enter the checkout, the data is outside the checkout,
 * and the stack's folder has a link to the data.
 */
export function reachableDir(home: StackHome, leaf: string): string {
  const wanted = join(home.dir, leaf);
  if (process.getuid?.() !== 0 || everyoneMayEnter(home.dir)) {
    mkdirSync(wanted, { recursive: true });
    return wanted;
  }
  const target = outsideDir(home, leaf);
  claim(target);
  if (!existsSync(wanted)) symlinkSync(target, wanted);
  return target;
}

/**
 * Returns the data directory outside the checkout, for a checkout that other users cannot enter.
 */
export function outsideDir(home: StackHome, leaf: string): string {
  const digest = createHash('sha256').update(home.dir).digest('hex').slice(0, 12);
  return join('/var/tmp', `sluice-${digest}-${leaf}`);
}

/**
 * Creates the directory. Everyone may write to /var/tmp, and the name is predictable. An existing
 * entry must therefore be a directory that root or Postgres' user owns.
 */
function claim(target: string): void {
  try {
    mkdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const about = lstatSync(target);
    if (!about.isDirectory() || !ownersOfData().includes(about.uid))
      throw new Error(`${target} was not created by the stack: remove it yourself`, {
        cause: error,
      });
  }
}

/** Returns the ids of root, and of the users that can run Postgres if the stack runs as root. */
function ownersOfData(): number[] {
  const ids = ['postgres', 'nobody'].map((user) => {
    try {
      return Number(execFileSync('id', ['-u', user], { encoding: 'utf8', stdio: 'pipe' }).trim());
    } catch {
      return 0;
    }
  });
  return [0, ...ids];
}

function everyoneMayEnter(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
