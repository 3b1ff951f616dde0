// Measures the memory of a stack's processes. The figures come from /proc, so they exist only on
// Linux.
import { readFileSync, readdirSync } from 'node:fs';
import type { StackHome } from '../stack/paths.js';
import { alive, knownProcesses } from '../stack/processes.js';

/**
 * Returns the resident memory (MB) of each service, including its child processes. Memory that
 * several processes share counts for each of them, so the figure of Postgres is too high.
 */
export function residentMb(home: StackHome): ReadonlyMap<string, number> {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(statusOf(pid))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const total = (pid: number): number =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(statusOf(pid))?.[1] ?? 0) / 1024 +
    (children.get(pid) ?? []).reduce((sum, child) => sum + total(child), 0);
  return new Map(
    knownProcesses(home).map((name) => [name, total(alive(home, name) ?? NaN)] as const),
  );
}

/** Returns the status of a process as text, or an empty text if the process has ended. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
