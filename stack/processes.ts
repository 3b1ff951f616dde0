// Starts the stack's long-running processes, detached from this process. It remembers them by pid
// *and* start time, so that a recycled pid is never signaled.
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  closeSync,
  statSync,
  renameSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StackHome } from './paths.js';

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** The signal that means "stop cleanly" to this program. */
  readonly stopSignal?: NodeJS.Signals;
}

interface PidRecord {
  readonly pid: number;
  readonly startedAt: string;
  readonly stopSignal: NodeJS.Signals;
}

const MAX_LOG_BYTES = 20 * 1024 * 1024;

export function launch(home: StackHome, what: Launch): number {
  mkdirSync(home.logs, { recursive: true });
  mkdirSync(home.pids, { recursive: true });
  const log = join(home.logs, `${what.name}.log`);
  if (existsSync(log) && statSync(log).size > MAX_LOG_BYTES) renameSync(log, `${log}.1`);
  const out = openSync(log, 'a');
  const child = spawn(what.command, [...what.args], {
    detached: true,
    stdio: ['ignore', out, out],
    env: { ...process.env, ...what.env },
    ...(what.cwd ? { cwd: what.cwd } : {}),
    ...(what.uid === undefined ? {} : { uid: what.uid }),
    ...(what.gid === undefined ? {} : { gid: what.gid }),
  });
  closeSync(out);
  child.on('error', () => undefined);
  if (child.pid === undefined)
    throw new Error(`cannot start ${what.name}: ${what.command} is missing or not executable`);
  child.unref();
  const record: PidRecord = {
    pid: child.pid,
    startedAt: startTime(child.pid) ?? '',
    stopSignal: what.stopSignal ?? 'SIGTERM',
  };
  writeFileSync(join(home.pids, `${what.name}.json`), JSON.stringify(record));
  return child.pid;
}

/** Returns the pid if the stack's process of that name is alive, or else undefined. */
export function alive(home: StackHome, name: string): number | undefined {
  const record = readRecord(home, name);
  if (!record) return undefined;
  const started = startTime(record.pid);
  return started !== undefined && started === record.startedAt ? record.pid : undefined;
}

export function knownProcesses(home: StackHome): string[] {
  if (!existsSync(home.pids)) return [];
  return readdirSync(home.pids)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
}

export async function stop(home: StackHome, name: string, graceMs = 10_000): Promise<void> {
  const record = readRecord(home, name);
  const pid = alive(home, name);
  if (record && pid !== undefined) {
    signal(pid, record.stopSignal);
    const deadline = Date.now() + graceMs;
    while (alive(home, name) !== undefined && Date.now() < deadline) await sleep(50);
    if (alive(home, name) !== undefined) signal(-pid, 'SIGKILL');
    while (alive(home, name) !== undefined) await sleep(20);
  }
  rmSync(join(home.pids, `${name}.json`), { force: true });
}

export function lastLogLines(home: StackHome, name: string, lines = 40): string {
  const path = join(home.logs, `${name}.log`);
  if (!existsSync(path)) return '(no log)';
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

const TICKS_PER_SECOND = 100;
/** More processor time than any service of the stack needs to start. */
const ENOUGH_CPU_S = 60;

/**
 * Polls the service until it answers that it is ready. Fails at once with the last log lines if the
 * process has died. A process that has used little processor time gets five times as long, because
 * other processes then probably keep the machine busy.
 */
export async function untilReady(
  home: StackHome,
  name: string,
  isReady: () => Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const began = Date.now();
  let lastError = '';
  for (;;) {
    try {
      if (await isReady()) return;
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error);
    }
    const pid = alive(home, name);
    if (pid === undefined)
      throw new Error(`${name} died while starting; last log lines:\n${lastLogLines(home, name)}`);
    const passed = Date.now() - began;
    const isStarved = cpuSeconds(pid) < ENOUGH_CPU_S && passed < timeoutMs * 5;
    if (passed > timeoutMs && !isStarved) break;
    await sleep(100);
  }
  throw new Error(
    `${name} is not ready after ${Math.round((Date.now() - began) / 1000)} s (${lastError}); last log lines:\n${lastLogLines(home, name)}`,
  );
}

/**
 * Returns the processor time of the process in seconds, or Infinity if the system does not report
 * it.
 */
function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return fields ? (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND : Infinity;
}

/** Returns Linux's fields about a process, beginning with its state, or null if there are none. */
function statOf(pid: number): string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return null;
  }
}

function readRecord(home: StackHome, name: string): PidRecord | undefined {
  const path = join(home.pids, `${name}.json`);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as PidRecord;
  } catch {
    // A killed launcher may leave an incomplete record. Such a record names no process that may be
    // signaled.
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // the process has already ended
  }
}

/** Returns the start time of the process from the kernel, or undefined if it has ended. */
function startTime(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    const fields = statOf(pid);
    return fields && fields[0] !== 'Z' ? fields[19] : undefined;
  }
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}
