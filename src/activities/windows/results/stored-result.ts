// Implements batch-aligned mode. It compares the stored result of the last finished batch run with
// the pipeline's topic. The cut is the time up to which the run read its input. Only keys that the
// spec declares closed at this time are compared.
import type { Proofs } from '../../../domain/evidence/verdict.js';
import type pg from 'pg';
import { compareAligned } from '../../../compare/batch-aligned.js';
import { runCanary } from '../../../compare/canary.js';
import { keyLiterals } from '../../../compare/literal.js';
import { splitRow, type Shape } from '../../../compare/row-comparison.js';
import type { MigrationSpec } from '../../../domain/migration/spec.js';
import { STORED_SUBJECT, closedAt } from '../../../domain/evidence/subjects.js';
import { comparedOf } from '../../../domain/evidence/counts.js';
import { unzonedReason } from '../../../clients/postgres/batch-runs.js';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { transaction, type SourceClient } from '../../../clients/postgres/connection.js';
import { because, ok, type OrReason } from '../../../domain/values/or-reason.js';
import type { BatchPlan, ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { ResultSession } from '../session.js';
import type { ComparedQuery } from './compared-queries.js';
import { readRows } from '../canonical-rows.js';
import { measured, unmeasured, type SubjectOutcome } from '../subject-outcome.js';
import { repeatedKeys } from './read-sides.js';

const KEYS_ASKED_AT_ONCE = 10_000;

interface Run {
  readonly id: string;
  readonly cut: string;
}

/**
 * Returns the newest run if it has finished, otherwise the reason why no run can be compared. Call
 * this function before the comparison of results, and again when the stored rows are read. Both
 * calls MUST return the same run.
 */
export async function finishedRun(
  client: pg.ClientBase,
  { runLog }: BatchPlan,
): Promise<OrReason<Run>> {
  const log = runLog!;
  const { rows, fields } = await client.query<Record<string, string | null>>(
    `SELECT run_id, cut_at, started_at, finished_at FROM ${log.sql} ORDER BY started_at DESC LIMIT 1`,
  );
  const unzoned = unzonedReason(fields, log);
  if (unzoned !== null) return because(unzoned);
  const newest = rows[0];
  if (!newest) return because(`${log.text} contains no finished run`);
  if (newest['finished_at'] === null)
    return because(
      `run ${newest['run_id']} of the batch has not finished and is writing its result`,
    );
  const gap = incompleteRun(newest);
  return gap === null ? ok({ id: newest['run_id']!, cut: newest['cut_at']! }) : because(gap);
}

/**
 * Returns a reason if the run log lacks a value of a finished run. In descending order, Postgres
 * sorts a NULL first. A run without `started_at` would therefore hide every newer run.
 */
export function incompleteRun(run: Readonly<Record<string, string | null>>): string | null {
  const absent = ['started_at', 'cut_at'].find((name) => run[name] === null);
  return absent === undefined
    ? null
    : `run ${run['run_id']} of the batch has finished, but its ${absent} is NULL in the run log`;
}

/**
 * Compares the stored result. `found` is what `finishedRun` returned before the comparison of
 * results. The query's fold MUST have read the topic up to the still point or the barrier of the
 * last round.
 */
export async function compareStored(
  { plan, target, scheduledMs }: ResultSession,
  comparedQuery: ComparedQuery,
  found: OrReason<Run>,
): Promise<SubjectOutcome> {
  const started = Date.now();
  const { shape, fold, topic } = comparedQuery;
  const { expected: queried, lsn } = comparedQuery.taken!;
  const inconclusive = (reason: string) =>
    unmeasured(
      STORED_SUBJECT,
      'batch-aligned',
      { verdict: 'inconclusive', reason },
      lsn,
      Date.now() - started,
    );
  if (!found.ok) return inconclusive(found.reason);
  const before = found.value;
  const read = await readStored(target, plan, comparedQuery, before);
  if (!read.ok) return inconclusive(read.reason);
  const { stored, streamOnly, counted, rows } = read.value;
  const { counts, batchWasWrong, differences } = compareAligned(shape, {
    stored,
    stream: fold.rows,
    streamOnly,
    queried,
  });
  const sample = [...stored]
    .filter((entry): entry is [string, string] => entry[1] !== null)
    .slice(0, 8);
  const canary = runCanary(shape, sample);
  const result = measured({
    subject: STORED_SUBJECT,
    mode: 'batch-aligned',
    counts,
    proofs: {
      barrier:
        repeatedKeys(`run ${before.id} stored`, shape, rows, stored.size) ??
        (comparedOf(counts) === 0
          ? `run ${before.id}: compared 0 closed keys, and at least 1 is needed`
          : null),
      countedRows: counted,
      readRows: rows,
      canaryPlanted: canary.planted,
      canaryFound: canary.found,
      waived: waiverOf(plan, batchWasWrong, scheduledMs),
    },
    differences,
    position: lsn,
    durationMs: Date.now() - started,
    proof: { topic, run: before.id, cut: before.cut },
  });
  const { verdict, reason } = result.verdict;
  if (verdict !== 'failed' || batchWasWrong === 0) return result;
  return {
    ...result,
    verdict: { verdict, reason: `${reason} (${batchWasWrong} batch-was-wrong)` },
  };
}

interface StoredResult {
  readonly stored: ReadonlyMap<string, string | null>;
  readonly rows: number;
  readonly counted: number;
  readonly streamOnly: readonly string[];
}

/**
 * Returns a reason if a later run than `id` has begun or finished. Call this function again after
 * the stored result was read, outside of the snapshot that read it. If a new run truncates the
 * table, every earlier snapshot sees the table as empty.
 */
export async function laterRun(
  client: pg.ClientBase,
  batch: BatchPlan,
  id: string,
): Promise<string | null> {
  const run = await finishedRun(client, batch);
  if (!run.ok) return run.reason;
  return run.value.id === id
    ? null
    : `run ${run.value.id} of the batch finished during the window: the stored result is newer than run ${id}`;
}

/**
 * Reads the closed keys of the stored result in one snapshot. Returns a reason if a later run than
 * `before` has begun or finished, even if this happens during the reading.
 */
async function readStored(
  client: SourceClient,
  plan: ResolvedPlan,
  comparedQuery: ComparedQuery,
  before: Run,
): Promise<OrReason<StoredResult>> {
  const read = await readInSnapshot(client, plan, comparedQuery, before);
  const later = read.ok ? await laterRun(client, plan.batch!, before.id) : null;
  return later === null ? read : because(later);
}

function readInSnapshot(
  client: SourceClient,
  { batch, spec }: ResolvedPlan,
  { shape, fold }: ComparedQuery,
  before: Run,
): Promise<OrReason<StoredResult>> {
  const closed = closedAt(spec.validation.closedKeys, before.cut);
  const table = batch!.resultTable.sql;
  const stored = new Map<string, string | null>();
  return transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
    const later = await laterRun(client, batch!, before.id);
    if (later !== null) return because(later);
    const from = `(SELECT * FROM ${table} WHERE (${closed}\n)) AS sluice_closed`;
    const pace = { rowsPerSecond: 0, heartbeat: () => undefined };
    const rows = await readRows(client, from, shape, pace, (key, row) => stored.set(key, row));
    const counted = await readLone(
      client,
      `SELECT count(*) AS n FROM ${table} WHERE (${closed}\n)`,
    );
    return ok({
      stored,
      rows,
      counted: Number(counted[0]!['n']),
      streamOnly: await closedKeysOf(client, table, closed, shape, fold.rows, stored),
    });
  });
}

/**
 * Returns `mismatched`, the number of rows that the waiver `batch-was-wrong` allows, with the
 * waiver's reason. Returns undefined if no waiver is valid at `now` (epoch ms), or if the number is
 * 0.
 */
export function waiverOf(
  { spec }: Pick<MigrationSpec, 'spec'>,
  mismatched: number,
  now: number,
): Proofs['waived'] {
  const waiver = spec.validation.waivers.find(
    (w) => w.class === 'batch-was-wrong' && Date.parse(w.until) > now,
  );
  return waiver && mismatched > 0
    ? { mismatched, by: `batch-was-wrong, waived until ${waiver.until}: ${waiver.reason}` }
    : undefined;
}

/** Returns the columns of a key, as texts that Postgres reads. */
export function keyFields(shape: Shape, key: string): Record<string, string | null> {
  const texts = keyLiterals(shape, splitRow(key));
  return Object.fromEntries(shape.key.map((name, at) => [name, texts[at]!]));
}

/**
 * Finds the closed keys that the stream has and the batch has not stored. Postgres selects them,
 * because the spec's condition for closed keys is SQL.
 */
export async function closedKeysOf(
  client: pg.ClientBase,
  table: string,
  closed: string,
  shape: Shape,
  stream: ReadonlyMap<string, unknown>,
  stored: ReadonlyMap<string, unknown>,
): Promise<string[]> {
  const candidates = [...stream.keys()].filter((key) => !stored.has(key));
  const found: string[] = [];
  for (let at = 0; at < candidates.length; at += KEYS_ASKED_AT_ONCE) {
    const part = candidates.slice(at, at + KEYS_ASKED_AT_ONCE);
    const records = part.map((key) => keyFields(shape, key));
    const asked = await client.query<Record<string, string>>(
      `SELECT ordinality AS n FROM json_populate_recordset(NULL::${table}, $1::json) WITH ORDINALITY AS sluice_key WHERE (${closed}\n)`,
      [JSON.stringify(records)],
    );
    for (const row of asked.rows) found.push(part[Number(row['n']) - 1]!);
  }
  return found;
}
