// Runs the writers of `holds` in a separate process, because the benchmark blocks while it waits
// for a command. The writers change orders without changing any revenue. Every change goes through
// the whole path, and the results stay the same. Usage: holds-writers.ts DATABASE WRITERS. The
// process prints its counts at SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const REFUSED = '25006';
const PAUSE_MS = 60;
const [database, writers] = [process.argv[2], Number(process.argv[3])];
const counts = { written: 0, held: 0 };
let stopping = false;
process.on('SIGTERM', () => (stopping = true));

async function write(): Promise<void> {
  const client = new pg.Client({ database });
  await client.connect();
  while (!stopping) {
    try {
      await client.query(
        `UPDATE orders SET status = status WHERE id = ${1 + Math.floor(Math.random() * 2000)}`,
      );
      counts.written += 1;
    } catch (error) {
      if ((error as { code?: string }).code !== REFUSED) throw error;
      counts.held += 1;
    }
    await sleep(PAUSE_MS);
  }
  await client.end();
}

await Promise.all(Array.from({ length: writers }, write));
console.log(`${counts.written} writes by ${writers} writers, ${counts.held} held by the fence`);
