// `npm run bench -- validation` compares a table of 12 columns with its topic. It measures Sluice's
// windows, other tools, and limits that no tool can beat. Variants change the data, and show which
// tool misses a difference or reports a difference that does not exist. The benchmark needs the
// local stack. Its objects are named sluice_bench…, and it removes them at the end. BENCH_PYTHON
// names a Python with reladiff, psycopg2 and duckdb. BENCH_DVT names the command of Google's DVT.
// Without these variables, the benchmark skips those tools and says so. A window with Flink runs
// only if FLINK_GATEWAY_URL is set, and leaves out the column that BENCH_IGNORE names. BENCH_ONLY
// selects tools and limits by parts of their names. BENCH_VARIANTS limits the number of variants.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTESTANTS, type Answer } from './contestants.js';
import { cleanUp, fillTopic, makeTable } from './data.js';
import { VARIANTS } from './variants.js';

interface Run {
  readonly found: Answer;
  readonly seconds: number;
  readonly cpu: number;
  readonly rssMb: number;
  /** The last line of the contestant's error, if the contestant failed. */
  readonly error?: string;
}

const LOAD = 'the topic loaded into a table';
const PEERS: Readonly<Record<string, string>> = {
  'reladiff, hashdiff, 2 threads': 'reladiff',
  'reladiff, joindiff': 'reladiff-join',
  'naive DuckDB over two CSV files': 'duckdb',
  'DVT, row hashes': 'dvt',
};
/** These tools compare two tables, so the topic must be loaded into a table before they run. */
const needsTable = (name: string): boolean => name in PEERS || name.startsWith('SQL');
const here = import.meta.dirname;

/**
 * With each of the first two variants, the limits and all contestants run `rounds` times, in
 * shuffled order. With each other variant, each contestant runs once, because only what it finds
 * counts.
 */
export async function validationBench(rows: number, rounds: number): Promise<void> {
  const client = await makeTable(rows);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const python = process.env['BENCH_PYTHON'];
  if (!python) console.log('BENCH_PYTHON is not set: reladiff, DuckDB and DVT are skipped');
  else if (!process.env['BENCH_DVT']) console.log('BENCH_DVT is not set: DVT is skipped');
  const only = process.env['BENCH_ONLY']?.split(',');
  const variants = VARIANTS.slice(0, Number(process.env['BENCH_VARIANTS'] ?? VARIANTS.length));
  const isThere = (name: string): boolean =>
    name !== 'sluice, engine: flink' || process.env['FLINK_GATEWAY_URL'] !== undefined;
  const names = [
    ...Object.keys(CONTESTANTS).filter(isThere),
    ...(python
      ? Object.keys(PEERS).filter((name) => PEERS[name] !== 'dvt' || process.env['BENCH_DVT'])
      : []),
  ].filter(
    (name) =>
      !only ||
      only.some((part) => name.includes(part)) ||
      (name === LOAD && only.some((part) => needsTable(part))),
  );
  try {
    await fillTopic(client);
    let load = 0;
    for (const [at, variant] of variants.entries()) {
      const differing = await variant.apply(client, rows);
      console.log(`\n${variant.name}: ${rows} rows, ${differing} differ`);
      const isTopicNew = at === 0 || variant.undo === undefined;
      if (isTopicNew && names.includes(LOAD))
        load = printed(LOAD, [run(LOAD, folder, python)], rows, 0, 0);
      const contestants = names.filter(
        (name) => name !== LOAD && (at < 2 || !name.startsWith('limit')),
      );
      const times = new Map<string, Run[]>(contestants.map((name) => [name, []]));
      for (let round = 0; round < (at < 2 ? rounds : 1); round += 1)
        for (const name of shuffled(contestants)) times.get(name)!.push(run(name, folder, python));
      for (const [name, runs] of times)
        printed(name, runs, rows, differing, needsTable(name) ? load : 0);
      await variant.undo?.(client);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await client.end();
    await cleanUp();
  }
}

function run(name: string, folder: string, python: string | undefined): Run {
  const peer = PEERS[name];
  const [command, args] = peer
    ? [python!, [join(here, 'peers.py'), peer, folder]]
    : [process.execPath, ['--import', 'tsx', join(here, 'one.ts'), name]];
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 1_800_000,
  });
  if (status !== 0 && !peer) throw new Error(`${name}: ${stderr.slice(-2000)}`);
  if (status !== 0)
    return {
      found: null,
      seconds: NaN,
      cpu: NaN,
      rssMb: NaN,
      error: stderr.trim().split('\n').at(-1)!.slice(0, 120),
    };
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Run;
}

/** Prints the runs of a contestant, and returns the median of their seconds. */
function printed(
  name: string,
  runs: readonly Run[],
  rows: number,
  differing: number,
  load: number,
): number {
  const sorted = [...runs].sort((a, b) => a.seconds - b.seconds);
  const median = sorted[Math.floor(sorted.length / 2)]!;
  const total = median.seconds + load;
  const { found, error } = median;
  if (error) {
    console.log(`  ${name.padEnd(38)} BROKEN: ${error}`);
    return NaN;
  }
  const said =
    found === null
      ? ''
      : typeof found === 'object'
        ? `differs, stopped after ${found.atLeast}`
        : found === differing
          ? 'exact'
          : found < differing
            ? `FALSE CLEAN: ${found} of ${differing}`
            : `FALSE MISMATCH: ${found} for ${differing}`;
  const time = `${median.seconds.toFixed(2)} s (min ${sorted[0]!.seconds.toFixed(2)})${load > 0 ? ` + ${load.toFixed(1)} s load` : ''}`;
  console.log(
    `  ${name.padEnd(38)} ${time.padEnd(34)} ${`${(rows / total / 1e6).toFixed(3)} M rows/s`.padEnd(16)} cpu ${median.cpu.toFixed(1)} s  ${String(median.rssMb).padStart(5)} MB  ${said}`,
  );
  return median.seconds;
}

function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [copy[at], copy[other]] = [copy[other]!, copy[at]!];
  }
  return copy;
}
