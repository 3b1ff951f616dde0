// `npm run bench -- results [--rows 1000000]` compares an output with a result that has `--rows`
// keys. It compares in three ways: by hashes in memory, by hashes on disk, and by whole rows. No
// way can be faster than the limit: the time to COPY the same query and to read the topic, without
// using the contents. BENCH_ONLY selects ways, such as `hashes,rows`. The benchmark needs the local
// stack, and removes the objects that it created.
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { Counts } from '../../src/domain/evidence/counts.js';
import { PLANTED, cleanUp, makeResult } from './data.js';

interface Run {
  readonly seconds: number;
  readonly cpu: number;
  readonly rssMb: number;
  readonly counts?: Counts;
  readonly note?: string;
}

const LIMIT = 'limit';
const WAYS: Readonly<Record<string, string>> = {
  [LIMIT]: 'limit: COPY of the query, then the topic, to nothing',
  hashes: 'hashes, in memory',
  parts: 'hashes, in parts on disk',
  rows: 'whole rows',
};

export async function resultsBench(keys: number): Promise<void> {
  const only = process.env['BENCH_ONLY']?.split(',');
  await makeResult(keys);
  try {
    console.log(`${keys.toLocaleString('en')} keys, load ${loadavg()[0]!.toFixed(1)}`);
    let limit = NaN;
    for (const [way, name] of Object.entries(WAYS)) {
      if (only && way !== LIMIT && !only.includes(way)) continue;
      const { seconds, cpu, rssMb, counts, note } = run(way);
      if (way === LIMIT) limit = seconds;
      const ratio = (limit / seconds).toFixed(2);
      const said = counts ? `${verdict(counts, keys)}${note ? `, ${note}` : ''}` : '';
      console.log(
        `  ${name.padEnd(52)} ${seconds.toFixed(1)} s  ${ratio} of the limit's speed  cpu ${cpu.toFixed(1)} s  ${rssMb} MB  ${said}`,
      );
    }
  } finally {
    await cleanUp();
  }
}

function run(way: string): Run {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--max-old-space-size=8192', '--import', 'tsx', join(import.meta.dirname, 'one.ts'), way],
    { encoding: 'utf8', timeout: 1_800_000 },
  );
  if (status !== 0) throw new Error(`${way}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Run;
}

/** Says whether exactly the planted faults were found. */
function verdict(counts: Counts, keys: number): string {
  const expected: Counts = { matched: keys - 2, unknown: 0, unstable: 0, ...PLANTED };
  const isExact = Object.entries(expected).every(([name, n]) => counts[name as keyof Counts] === n);
  return isExact ? 'exact' : `WRONG: ${JSON.stringify(counts)}`;
}
