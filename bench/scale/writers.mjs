// Writes to the table of the scale benchmark in a separate process, because the benchmark blocks
// while it waits for a command. Usage: node writers.mjs DATABASE WRITERS ROWS. It prints its counts
// at SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const REFUSED = '25006';
const PAUSE_MS = 60;
const [database, writers, rows] = [
  process.argv[2],
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const counts = { written: 0, held: 0 };
let stopping = false;
process.on('SIGTERM', () => (stopping = true));

async function write() {
  const client = new pg.Client({ database });
  await client.connect();
  while (!stopping) {
    const id = 1 + Math.floor(Math.random() * rows);
    try {
      await client.query('UPDATE moves SET amount = amount + 0.01 WHERE id = $1', [id]);
      counts.written += 1;
    } catch (error) {
      if (error.code !== REFUSED) throw error;
      counts.held += 1;
    }
    await sleep(PAUSE_MS);
  }
  await client.end();
}

await Promise.all(Array.from({ length: writers }, write));
console.log(`${counts.written} writes by ${writers} writers, ${counts.held} held by the fence`);
