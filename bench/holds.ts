// `npm run bench -- holds [--rounds 100]`: whole cut-overs of the example but for the commit (`plan --rehearse`: recheck, fence of the source tables, barrier,
// drain through the pipeline and its sink, final window, release), one after the other, beside 16 writers; then one that commits. Needs the local stack.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openFencedShop } from '../test/support/fenced-shop.js';
import { TestWorker, get, sluice, waitFor } from '../test/support/sluice.js';
import { percentile } from './drill.js';

const WRITERS = 16;
const PAUSE_MS = 60;

export async function holdsBench(rounds: number): Promise<void> {
  const shop = await openFencedShop('holds', 60);
  const worker = new TestWorker();
  await worker.start();
  const writers = new Writers(shop.database);
  try {
    await shop.start();
    waitFor(shop.name, 'approval', '6m');
    writers.start();
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
    console.log(`one committed: ${get(shop.name).outcome}; ${await writers.stop()}`);
  } finally {
    await writers.stop();
    shop.rest();
    await worker.kill('SIGTERM');
  }
}

/** Applications that change orders without changing any revenue: every change goes through the whole path, and the results hold still. */
class Writers {
  readonly #database: string;
  #running: Promise<void>[] = [];
  #stopping = false;
  #written = 0;
  #held = 0;

  constructor(database: string) {
    this.#database = database;
  }

  start(): void {
    this.#running = Array.from({ length: WRITERS }, () => this.#write());
  }

  async stop(): Promise<string> {
    this.#stopping = true;
    await Promise.all(this.#running);
    return `${this.#written} writes, ${this.#held} held by the fence`;
  }

  async #write(): Promise<void> {
    const client = new pg.Client({ database: this.#database });
    await client.connect();
    while (!this.#stopping) {
      const id = 1 + Math.floor(Math.random() * 2000);
      await client.query(`UPDATE orders SET status = status WHERE id = ${id}`).then(
        () => (this.#written += 1),
        (error: unknown) => {
          if ((error as { code?: string }).code !== '25006') throw error;
          this.#held += 1;
        },
      );
      await sleep(PAUSE_MS);
    }
    await client.end();
  }
}
