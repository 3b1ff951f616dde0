// Makes each folder of the cache once, and runs the tools that fill it.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './paths.js';

export type Say = (line: string) => void;

/** Runs Maven quietly. If Maven fails, the error contains the end of its output. */
export async function mvn(args: readonly string[]): Promise<void> {
  await run('mvn', ['-q', '-B', '-ntp', ...args], {});
}

/**
 * Creates the folder `name` in the cache if it does not exist. `make` fills a draft folder, which
 * gets its final name when it is complete.
 */
export async function once(
  name: string,
  say: Say,
  what: string,
  make: (dir: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheDir(), name);
  if (existsSync(target)) return target;
  mkdirSync(cacheDir(), { recursive: true });
  const draft = `${target}.${process.pid}.tmp`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const started = Date.now();
  say(`fetching ${what} …`);
  const ticker = setInterval(
    () => say(`  still fetching ${what}: ${Math.round((Date.now() - started) / 1000)} s`),
    15_000,
  );
  try {
    await make(draft);
    try {
      renameSync(draft, target);
    } catch (error) {
      if (!existsSync(target)) throw error; // another process has made the same folder first
      rmSync(draft, { recursive: true, force: true });
    }
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  } finally {
    clearInterval(ticker);
  }
  return target;
}

export function onPath(binary: string): string | undefined {
  for (const dir of (process.env['PATH'] ?? '').split(':')) {
    if (dir && existsSync(join(dir, binary))) return join(dir, binary);
  }
  return undefined;
}

export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd ? { cwd } : {}),
    });
    let tail = '';
    const keep = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) =>
      reject(new Error(`cannot run ${command}: ${error.message}. Is it installed?`)),
    );
    child.on('exit', (code) =>
      code === 0
        ? resolve()
        : reject(
            new Error(`${command} ${args.slice(0, 6).join(' ')} failed (exit ${code}):\n${tail}`),
          ),
    );
  });
}
