// `npm run bench -- holds [--rounds 100]`: whole cut-overs of the example but for the commit (`plan --rehearse`: recheck, fence of the source tables, barrier,
// drain through the pipeline and its sink, final window, release), one after the other, beside 16 writers; then one that commits. Needs the local stack.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { openFencedShop } from '../test/support/fenced-shop.js';
import { TestWorker, get, sluice, waitFor } from '../test/support/sluice.js';
import { percentile } from './drill.js';

const WRITERS = 16;

export async function holdsBench(rounds: number): Promise<void> {
  const shop = await openFencedShop('holds', 60, 0.2);
  const worker = new TestWorker();
  await worker.start();
  let stopWriters = (): Promise<void> => Promise.resolve();
  try {
    await shop.start();
    waitFor(shop.name, 'approval', '6m');
    stopWriters = startWriters(shop.database);
    const holds: number[] = [];
    const refusals: string[] = [];
    while (holds.length < rounds && refusals.length < rounds) {
      waitFor(shop.name, 'approval', '6m');
      const { stdout, stderr } = sluice('plan', '--rehearse', shop.name, '--by', 'bench', '--yes', '-o', 'json');
      const { refused, holdMs } = JSON.parse(stdout || '{}') as { refused?: string | null; holdMs?: number };
      if (refused === null) holds.push(holdMs!);
      else refusals.push(refused ?? stderr);
    }
    console.log(`${holds.length} rehearsed: hold p50 ${percentile(holds, 0.5)} ms, p99 ${percentile(holds, 0.99)} ms, max ${Math.max(...holds)} ms`);
    console.log(`${refusals.length} refused: ${[...new Set(refusals)].join('; ') || '-'}`);
    shop.approve();
    waitFor(shop.name, 'outcome=migrated', '8m');
    console.log(`one committed: ${get(shop.name).outcome}`);
  } finally {
    await stopWriters();
    shop.rest();
    await worker.kill('SIGTERM');
  }
}

/** Returns how to stop them; what they say then goes to the terminal. */
function startWriters(database: string): () => Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'holds-writers.ts'), database, String(WRITERS)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async () => {
    child.kill('SIGTERM');
    await gone;
  };
}
