// Starts the writers of the benchmarks that measure cut-overs (`holds` and `scale`).
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const WRITERS = 16;

/**
 * Starts writers that run `statement` again and again, with a random number from 1 to `rows` as $1.
 * Returns a function that stops them. When the writers stop, they print how much they wrote.
 */
export function startWriters(
  database: string,
  rows: number,
  statement: string,
): () => Promise<void> {
  const program = join(import.meta.dirname, 'writers.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', program, database, String(WRITERS), String(rows), statement],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async () => {
    child.kill('SIGTERM');
    await gone;
  };
}
