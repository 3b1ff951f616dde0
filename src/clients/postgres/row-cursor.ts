// Reads rows from Postgres as a stream, with at most a few thousand rows in memory.
import Cursor from 'pg-cursor';
import type pg from 'pg';

const BATCH_ROWS = 5000;

export interface ReadOptions {
  /** 0 means no limit. */
  readonly rowsPerSecond: number;
  readonly heartbeat: () => void;
}

/** Works like `readCursor`, but limits the rate, and calls `heartbeat` after each batch of rows. */
export async function* readPaced(
  client: pg.Client,
  sql: string,
  { rowsPerSecond, heartbeat }: ReadOptions,
): AsyncGenerator<(string | null)[][]> {
  const started = Date.now();
  let count = 0;
  for await (const rows of readCursor(client, sql)) {
    yield rows;
    count += rows.length;
    heartbeat();
    const ahead = rowsPerSecond > 0 ? (count / rowsPerSecond) * 1000 - (Date.now() - started) : 0;
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
  }
}

/**
 * Returns rows in batches, as text in the order of the columns. Only one batch is in memory at a
 * time.
 */
export async function* readCursor(
  client: pg.Client,
  sql: string,
): AsyncGenerator<(string | null)[][]> {
  const cursor = client.query(new Cursor<(string | null)[]>(sql, [], { rowMode: 'array' }));
  try {
    for (;;) {
      const rows = await cursor.read(BATCH_ROWS);
      if (rows.length === 0) return;
      yield rows;
    }
  } finally {
    await cursor.close().catch(() => undefined);
  }
}
