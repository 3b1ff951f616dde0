// Reads rows from Postgres as a stream, with at most a few thousand rows in memory.
import Cursor from 'pg-cursor';
import type pg from 'pg';
import { canonFromText } from '../../compare/column-types.js';
import { Undecodable } from '../../compare/undecodable.js';
import { joinRow, type Shape } from '../../compare/row-comparison.js';
import { Problem } from '../../domain/failure.js';
import { quoteIdent } from '../../domain/migration/names.js';

const BATCH_ROWS = 5000;

export interface ReadOptions {
  /** 0 means no limit. */
  readonly rowsPerSecond: number;
  readonly heartbeat: () => void;
}

/**
 * Calls `visit` with the key and the canonical text of every row of `from`, a table or a sub-query.
 * The text is null if the row could not be decoded. Returns the number of rows.
 */
export async function readRows(
  client: pg.Client,
  from: string,
  shape: Shape,
  options: ReadOptions,
  visit: (key: string, row: string | null) => void,
): Promise<number> {
  const columns = shape.columns.map((c) => c.name);
  const keyAt = shape.key.map((name) => columns.indexOf(name));
  let count = 0;
  for await (const rows of readPaced(
    client,
    `SELECT ${columns.map(quoteIdent).join(', ')} FROM ${from}`,
    options,
  )) {
    for (const values of rows) visitRow(shape, keyAt, values, visit);
    count += rows.length;
  }
  return count;
}

/** Works like `readCursor`, with a limited rate and a heartbeat after each batch of rows. */
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
 * Returns rows in batches, as text in the order of the columns. One batch is in memory at a time.
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

function visitRow(
  shape: Shape,
  keyAt: readonly number[],
  values: readonly (string | null)[],
  visit: (key: string, row: string | null) => void,
): void {
  const canonical: (string | null)[] = [];
  let decodable = true;
  shape.columns.forEach((column, at) => {
    try {
      canonical.push(canonFromText(column.type, values[at] ?? null));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      canonical.push(null);
      decodable = false;
    }
  });
  const key = keyAt.map((at) => canonical[at] ?? null);
  if (!decodable && key.includes(null))
    throw new Problem('unsupported', `a key value of (${shape.key.join(', ')}) cannot be encoded`);
  visit(joinRow(key), decodable ? joinRow(canonical) : null);
}
