// Stores in the ledger the progress of `snapshot: copy`, in which Sluice copies the tables into
// their topics. The progress then survives the death of the worker.
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { Ledger } from './ledger.js';

/** One block range (chunk) of a table. The copy has written its rows into the topic. */
export interface CopiedChunk {
  readonly table: string;
  readonly chunk: number;
  readonly rows: number;
  /**
   * Identifies the files that contained the table's rows when the range was copied. A rewrite of
   * the table creates new files and moves rows between ranges. A range that was copied before the
   * rewrite then proves nothing.
   */
  readonly storage: string | null;
}

type Run = Pick<MigrationRef, 'runKey' | 'generation'>;

/** Returns the chunks that this generation's copy has written so far. */
export async function copiedChunks(ledger: Ledger, ref: Run): Promise<CopiedChunk[]> {
  const rows = await ledger.query<{
    table_name: string;
    chunk: number;
    rows: string;
    storage: string | null;
  }>(
    `SELECT table_name, chunk, rows, storage FROM sluice.copied WHERE run_key = $1 AND generation = $2`,
    [ref.runKey, ref.generation],
  );
  return rows.map((row) => ({
    table: row.table_name,
    chunk: row.chunk,
    rows: Number(row.rows),
    storage: row.storage,
  }));
}

export async function recordChunk(
  ledger: Ledger,
  ref: Run,
  { table, chunk, rows, storage }: CopiedChunk,
): Promise<void> {
  await ledger.query(
    `INSERT INTO sluice.copied (run_key, generation, table_name, chunk, rows, storage) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (run_key, generation, table_name, chunk) DO UPDATE SET rows = excluded.rows, storage = excluded.storage`,
    [ref.runKey, ref.generation, table, chunk, rows, storage],
  );
}
