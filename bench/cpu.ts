// Measures the processor time of Postgres, Kafka and Kafka Connect in the local stack, and of this
// process. On a busy machine, these times say more than rows per second. They come from /proc, so
// they exist only on Linux.
import { readFileSync, readdirSync } from 'node:fs';
import { stackHome } from '../stack/paths.js';
import { alive } from '../stack/processes.js';

const SERVICES = ['postgres', 'kafka', 'connect'] as const;
const MS_PER_TICK = 10;

/** Processor time in milliseconds, by process. `client` is this process. */
export type CpuTimes = Readonly<Record<(typeof SERVICES)[number] | 'client', number>>;

/** Returns the processor time that each service and this process have used since their start. */
export function cpuTimes(): CpuTimes {
  const { user, system } = process.cpuUsage();
  const of = (service: string): number => {
    const pid = alive(stackHome(), service);
    return pid === undefined ? 0 : ticksOf(pid) * MS_PER_TICK;
  };
  return {
    client: (user + system) / 1000,
    postgres: of('postgres'),
    kafka: of('kafka'),
    connect: of('connect'),
  };
}

/** Describes how many microseconds per row each process used between two measurements. */
export function perRow(before: CpuTimes, after: CpuTimes, rows: number): string {
  const names = [...SERVICES, 'client'] as const;
  const each = names.map((name) => [name, ((after[name] - before[name]) * 1000) / rows] as const);
  const total = each.reduce((sum, [, us]) => sum + us, 0);
  return `${total.toFixed(1)} µs of processor time for each row (${each
    .map(([name, us]) => `${name} ${us.toFixed(1)}`)
    .join(', ')})`;
}

export const loadAverage = (): string =>
  readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');

/**
 * Returns the processor time of a process and of its children, in ticks of the kernel. The time of
 * a child that has ended is in its parent's own figures.
 */
function ticksOf(pid: number): number {
  const own = (fields: readonly string[]): number =>
    fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(name))
    .filter((fields) => fields[1] === String(pid));
  return [statOf(String(pid)), ...children].reduce((sum, fields) => sum + own(fields), 0);
}

/** Returns the fields of /proc/PID/stat after the name, or no fields if the process has ended. */
function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}
