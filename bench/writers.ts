// Writes to a table while a cut-over is measured. The writers run in a separate process, because the
// benchmark blocks while it waits for a command. Usage: writers.ts DATABASE WRITERS ROWS STATEMENT.
// The statement gets a random number from 1 to ROWS as $1. The process prints its counts at SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const REFUSED = '25006';
const PAUSE_MS = 60;
const [, , database, writers, rows, statement] = process.argv;
const counts = { written: 0, held: 0 };
let stopping = false;
process.on('SIGTERM', () => (stopping = true));

async function write(): Promise<void> {
  const client = new pg.Client({ database });
  await client.connect();
  while (!stopping) {
    try {
      await client.query(statement!, [1 + Math.floor(Math.random() * Number(rows))]);
      counts.written += 1;
    } catch (error) {
      if ((error as { code?: string }).code !== REFUSED) throw error;
      counts.held += 1;
    }
    await sleep(PAUSE_MS);
  }
  await client.end();
}

await Promise.all(Array.from({ length: Number(writers) }, write));
console.log(`${counts.written} writes by ${writers} writers, ${counts.held} held by the fence`);
