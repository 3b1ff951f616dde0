// Stores windows in the ledger. A recorded window never changes. Each evidence document has a link,
// which is a digest of the document and of the previous link. A later change of a document would
// therefore break the chain.
import type pg from 'pg';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { WindowSample } from '../../domain/evidence/freshness-and-cost.js';
import type { Difference, WindowRow } from '../../domain/evidence/window.js';
import type { Ledger } from './ledger.js';
import { jsonText } from './json-text.js';

/**
 * Everything that a window writes to the ledger. `result` is what the window's activity returns to
 * the workflow; a repeated attempt of the activity returns the same.
 */
export interface WindowRecord<Result> {
  readonly rows: readonly WindowRow[];
  readonly differences: ReadonlyMap<string, readonly Difference[]>;
  readonly evidence: { readonly digest: string; readonly document: object };
  readonly sample: WindowSample;
  readonly result: Result;
}

/** A window that is recorded in the ledger. */
export interface RecordedWindow<Result> {
  /**
   * The run and the activity that recorded the window. All attempts of one activity have the same
   * value. After a reset of the run, the value is different.
   */
  readonly by: string;
  readonly chain: string;
  readonly result: Result;
}

const MAX_DIFFERENCES_PER_SUBJECT = 1000;

const RECORD_EVIDENCE = `
INSERT INTO sluice.evidence (name, iteration, number, digest, document, recorded_by, result, chain)
SELECT $1::text, $2::int, $3::int, $4::text, $5::jsonb, $6::text, $7::jsonb, encode(sha256(convert_to(coalesce(
  (SELECT chain FROM sluice.evidence WHERE name = $1 AND iteration = $2 AND number < $3 ORDER BY number DESC LIMIT 1), '') || $4, 'UTF8')), 'hex')
WHERE NOT EXISTS (SELECT 1 FROM sluice.evidence WHERE name = $1 AND iteration = $2 AND number >= $3)
RETURNING chain`;

/** Returns a recorded window. Returns null if the ledger has no window with this number. */
export async function recordedWindow<Result>(
  ledger: Pick<Ledger, 'query'>,
  ref: Pick<MigrationRef, 'name' | 'iteration'>,
  number: number,
): Promise<RecordedWindow<Result> | null> {
  const rows = await ledger.query<RecordedWindow<Result>>(
    `SELECT recorded_by AS by, chain, result FROM sluice.evidence WHERE name = $1 AND iteration = $2 AND number = $3`,
    [ref.name, ref.iteration, number],
  );
  return rows[0] ?? null;
}

/**
 * Returns a number that no window has yet. This is `wanted`, or the newest window's number plus one
 * if that is larger.
 */
export async function freeNumber(
  ledger: Pick<Ledger, 'query'>,
  ref: Pick<MigrationRef, 'name' | 'iteration'>,
  wanted: number,
): Promise<number> {
  const rows = await ledger.query<{ newest: number | null }>(
    `SELECT max(number) AS newest FROM sluice.evidence WHERE name = $1 AND iteration = $2`,
    [ref.name, ref.iteration],
  );
  return Math.max(wanted, (rows[0]?.newest ?? 0) + 1);
}

/**
 * Records a window and returns its link of the chain. If this window or a later one is already
 * recorded, writes nothing and returns null.
 */
export async function recordWindow<Result>(
  ledger: Ledger,
  ref: Pick<MigrationRef, 'name' | 'iteration'>,
  { rows, differences, evidence, sample, result }: WindowRecord<Result>,
  by: string,
): Promise<string | null> {
  const of = [ref.name, ref.iteration];
  return ledger.transaction(async (client) => {
    // this lock serializes writers, because each link depends on the newest one
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 7351))`, of);
    const inserted = await client.query<{ chain: string }>(RECORD_EVIDENCE, [
      ...of,
      sample.number,
      evidence.digest,
      jsonText(evidence.document),
      by,
      jsonText(result),
    ]);
    if (!inserted.rows[0]) return null;
    await client.query(
      `INSERT INTO sluice.sample (name, iteration, number, sample) VALUES ($1, $2, $3, $4)`,
      [...of, sample.number, jsonText(sample)],
    );
    for (const [seq, row] of rows.entries())
      await recordRow(client, of, row, seq, differences.get(row.subject) ?? []);
    return inserted.rows[0].chain;
  });
}

async function recordRow(
  client: pg.ClientBase,
  of: readonly unknown[],
  row: WindowRow,
  seq: number,
  found: readonly Difference[],
): Promise<void> {
  await client.query(
    `INSERT INTO sluice.window_row (name, iteration, number, subject, row, seq) VALUES ($1, $2, $3, $4, $5, $6)`,
    [...of, row.number, row.subject, jsonText(row), seq],
  );
  const kept = found.slice(0, MAX_DIFFERENCES_PER_SUBJECT);
  if (kept.length === 0) return;
  await client.query(
    `INSERT INTO sluice.difference (name, iteration, number, subject, seq, difference)
     SELECT $1, $2, $3, $4, ordinality, value FROM jsonb_array_elements($5::jsonb) WITH ORDINALITY`,
    [...of, row.number, row.subject, jsonText(kept)],
  );
}

/**
 * Returns the runs that have ended, so that a worker can free their memory and remove their files.
 */
export async function endedRuns(
  ledger: Pick<Ledger, 'query'>,
): Promise<Pick<MigrationRef, 'runKey'>[]> {
  return ledger.query(`SELECT run_key AS "runKey" FROM sluice.migration WHERE outcome IS NOT NULL`);
}
