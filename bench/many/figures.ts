// Prints the figures of the benchmark `many` as tables.
import { percentile } from '../drill.js';
import type { Sample } from './sample.js';

/**
 * A look has the figures at one moment. The worker reports some of them about itself. The others
 * come from the systems around it.
 */
export interface Look {
  readonly sample: Sample;
  /** The text of the worker's /metrics. */
  readonly metrics: string;
  readonly load: number;
  /** The number of Postgres sessions, on the source and on the ledger together. */
  readonly backends: number;
  readonly files: number;
  readonly sockets: number;
}

export interface Measured {
  readonly before: Look;
  readonly looks: readonly Look[];
  readonly after: Look;
  readonly cores: number;
}

const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;

export function report({ before, looks, after, cores }: Measured): void {
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const measured = looks.slice(1).map(({ sample }) => sample);
  const ms = last.sample.at - first.sample.at;
  const cpu = (last.sample.cpuMs - first.sample.cpuMs) / ms;
  console.log(
    `\nmeasured for ${(ms / 60_000).toFixed(1)} minutes on ${cores} cores, load ${range(looks.map(({ load }) => load))}; the worker used ${cpu.toFixed(2)} of a core`,
  );
  const running = (kind: string): string => range(measured.map((s) => s.underWay[kind] ?? 0));
  console.log(
    `running at each look: ${running('faked guard')} faked guards, ${running('guard')} real guards, ${running('runWindow')} real windows\n`,
  );
  printStarts(measured);
  printWorkflowTasks(first.metrics, last.metrics);
  printMemory(measured);
  printOpen(before, first, last, after);
}

const range = (values: readonly number[]): string =>
  `${Math.min(...values)} to ${Math.max(...values)}`;

/** Prints for each queue how long its activities waited for their start. */
export function printStarts(samples: readonly Sample[]): void {
  const starts = samples.flatMap((sample) => sample.starts);
  console.log('| starts of | number | p50 | p99 | max |\n|---|---|---|---|---|');
  for (const queue of [...new Set(starts.map((start) => start.queue))].sort()) {
    const waited = starts.filter((start) => start.queue === queue).map(({ waitedMs }) => waitedMs);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(waited, share));
    console.log(
      `| \`${queue}\` | ${waited.length} | ${p50} ms | ${p99} ms | ${Math.max(...waited)} ms |`,
    );
  }
}

const LATENCY = 'temporal_workflow_task_schedule_to_start_latency';

/** Prints the share of workflow tasks that began within each time limit of Temporal's metric. */
function printWorkflowTasks(before: string, after: string): void {
  const [was, is] = [before, after].map(bucketsOf);
  const counts = [...is!].map(([limit, count]) => [limit, count - (was!.get(limit) ?? 0)] as const);
  const all = Math.max(0, ...counts.map(([, count]) => count));
  const shares = counts.map(
    ([limit, count]) => `${((100 * count) / all).toFixed(2)} % within ${limit}`,
  );
  console.log(`\nworkflow tasks: ${all}; ${shares.join(', ')}`);
}

function bucketsOf(metrics: string): Map<string, number> {
  const buckets = new Map<string, number>();
  const line = new RegExp(`^${LATENCY}(?:_\\w+)?_bucket\\{.*le="([^"]+)".*\\} (\\d+)`, 'gm');
  for (const [, limit, count] of metrics.matchAll(line))
    buckets.set(limit!, (buckets.get(limit!) ?? 0) + Number(count));
  return buckets;
}

/** Prints each kind of memory in the first and the last sample, with the slope of a fitted line. */
function printMemory(samples: readonly Sample[]): void {
  console.log('\n| memory | first | last | slope per hour | standard error |');
  console.log('|---|---|---|---|---|');
  const kinds = { 'of the process': 'rss', 'main heap': 'heapUsed', external: 'external' } as const;
  for (const [name, kind] of Object.entries(kinds)) {
    const points = samples.map((s) => ({ x: s.at / HOUR_MS, y: s[kind] }));
    const { slope, error, mean } = lineThrough(points);
    const [first, last] = [points[0]!.y, points.at(-1)!.y].map((bytes) => (bytes / MB).toFixed(0));
    const [percent, plusMinus] = [slope, error].map((value) => ((100 * value) / mean).toFixed(2));
    console.log(`| ${name} | ${first} MB | ${last} MB | ${percent} % | ${plusMinus} % |`);
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Fits a line by least squares. `error` is the standard error of the slope. It is correct only if
 * the points' deviations from the line are independent.
 */
export function lineThrough(points: readonly Point[]): {
  slope: number;
  error: number;
  mean: number;
} {
  const n = points.length;
  const [x0, mean] = [
    points.reduce((sum, { x }) => sum + x, 0) / n,
    points.reduce((sum, { y }) => sum + y, 0) / n,
  ];
  const spread = points.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - x0) * (y - mean), 0) / spread;
  const rest = points.reduce((sum, { x, y }) => sum + (y - mean - slope * (x - x0)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (n - 2) / spread), mean };
}

/**
 * Prints how many sockets, files, sessions and timers were open, and how many activities and slots
 * were in use. It prints figures from before the first migration and from after the last one. It
 * also prints those of the first and the last look while all migrations ran.
 */
function printOpen(...[before, first, last, after]: [Look, Look, Look, Look]): void {
  const names = ['before any', 'all run, first look', 'all run, last look', 'after all'];
  console.log(`\n| open | ${names.join(' | ')} |\n|---|---|---|---|---|`);
  const all = [before, first, last, after];
  const line = (what: string, of: (look: Look) => number): void =>
    console.log(`| ${what} | ${all.map(of).join(' | ')} |`);
  line('sockets of the worker', ({ sockets }) => sockets);
  line('files of the worker', ({ files }) => files);
  line('sessions at Postgres', ({ backends }) => backends);
  line('timers of the main thread', ({ sample }) => sample.resources['Timeout'] ?? 0);
  line('activities under way', ({ sample }) =>
    Object.values(sample.underWay).reduce((sum, count) => sum + count, 0),
  );
  line('activity slots in use', ({ metrics }) => slotsUsed(metrics));
}

function slotsUsed(metrics: string): number {
  const lines = metrics.matchAll(
    /^temporal_worker_task_slots_used\{.*worker_type="ActivityWorker".*\} (\d+)/gm,
  );
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}
