// Compares earlier batch runs with the pipeline. A run closes a key if no later run changes the row
// of this key. For each such key, compares the row that the run stored with the row that the
// pipeline computes today.
import { judgeComparison } from '../../domain/evidence/verdict.js';
import type pg from 'pg';
import { unzonedReason } from '../../clients/postgres/batch-runs.js';
import { readLone } from '../../clients/postgres/single-statement.js';
import { transaction, type SourceClient } from '../../clients/postgres/connection.js';
import { compareAligned } from '../../compare/batch-aligned.js';
import type { Shape } from '../../compare/row-comparison.js';
import type { OutputFold } from '../../compare/output-fold.js';
import type { RehearsedRun } from '../../domain/evidence/slice-proof.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { closedAt } from '../../domain/evidence/subjects.js';
import { because, ok, type OrReason } from '../../domain/values/or-reason.js';
import { comparedOf } from '../../domain/evidence/counts.js';
import type { Difference } from '../../domain/evidence/window.js';
import { readRows } from '../windows/canonical-rows.js';
import { repeatedKeys } from '../windows/results/read-sides.js';
import {
  closedKeysOf,
  incompleteRun,
  laterRun,
  waiverOf,
} from '../windows/results/stored-result.js';

const RUNS_LOOKED_AT = 1000;

interface LoggedRun {
  readonly id: string;
  readonly cut: string;
}

export interface Rehearsed {
  readonly runs: readonly RehearsedRun[];
  readonly differences: readonly Difference[];
}

export interface RehearsalInput {
  /** The plan MUST have a batch with a run log. */
  readonly plan: ResolvedPlan;
  /** The number of runs to compare. These are the newest runs that closed a key. */
  readonly count: number;
  /**
   * An SQL condition on the key that selects the keys of the slice. If empty, it selects all keys.
   */
  readonly within: string;
  readonly shape: Shape;
  readonly stream: OutputFold['rows'];
  /** The result of the batch's query on the slice today. */
  readonly queried: ReadonlyMap<string, string | null>;
  readonly canary: { readonly planted: number; readonly found: number };
}

/**
 * Compares the runs, and returns them with the oldest first. Returns a reason if they cannot be
 * compared, for example because no run closed a key, or because the newest run has not finished.
 * `client` is a session on the target. The spec MUST have a run log and closed keys.
 */
export async function rehearseRuns(
  client: SourceClient,
  input: RehearsalInput,
): Promise<OrReason<Rehearsed>> {
  const read = await rehearseInSnapshot(client, input);
  if (!read.ok) return read;
  const { newest, ...rehearsed } = read.value;
  const later = await laterRun(client, input.plan.batch!, newest);
  return later === null ? ok(rehearsed) : because(later);
}

async function rehearseInSnapshot(
  client: SourceClient,
  input: RehearsalInput,
): Promise<OrReason<Rehearsed & { readonly newest: string }>> {
  const log = input.plan.batch!.runLog!;
  return transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
    const rows = await client.query<Record<string, string | null>>(
      `SELECT run_id, cut_at, started_at, finished_at FROM ${log.sql} ORDER BY started_at DESC LIMIT ${RUNS_LOOKED_AT}`,
    );
    const unzoned = unzonedReason(rows.fields, log);
    if (unzoned !== null) return because(unzoned);
    if (rows.rows[0]?.['finished_at'] === null)
      return because(
        `batch run ${rows.rows[0]['run_id']} has not finished, so it may be writing its result`,
      );
    const incomplete = rows.rows[0] ? incompleteRun(rows.rows[0]) : null;
    if (incomplete !== null) return because(incomplete);
    // without a cut, it is unknown which keys a run closed
    const finished = rows.rows
      .filter((r) => r['finished_at'] !== null && r['cut_at'] !== null)
      .map((r): LoggedRun => ({ id: r['run_id']!, cut: r['cut_at']! }));
    const closings = await runsThatClosed(client, input, finished.reverse());
    if (closings.length === 0)
      return because(
        `0 of the ${finished.length} newest runs in ${log.text} closed a key of the slice, and at least 1 is needed`,
      );
    const rehearsed: RehearsedRun[] = [];
    const differences: Difference[] = [];
    for (const closing of closings) {
      const { run, found } = await rehearse(client, input, closing);
      rehearsed.push(run);
      differences.push(...found);
    }
    return ok({ runs: rehearsed, differences, newest: rows.rows[0]!['run_id']! });
  });
}

interface Closing {
  readonly run: LoggedRun;
  /**
   * An SQL condition on the key. It selects the keys that this run closed and that the previous run
   * had not closed.
   */
  readonly keys: string;
}

/**
 * Finds the newest runs that closed a key. `runs` has the oldest run first. A key that one run has
 * closed stays closed in later runs, so a binary search finds each such run.
 */
async function runsThatClosed(
  client: pg.ClientBase,
  { plan, count, within }: RehearsalInput,
  runs: readonly LoggedRun[],
): Promise<Closing[]> {
  const { closedKeys } = plan.spec.validation;
  const table = plan.batch!.resultTable.sql;
  const closed = (at: number): string => `(${closedAt(closedKeys, runs[at]!.cut)}\n)`;
  const between = (from: number, to: number): string =>
    [
      closed(to),
      ...(from < 0 ? [] : [`${closed(from)} IS NOT TRUE`]),
      ...(within === '' ? [] : [`(${within})`]),
    ].join(' AND ');
  const closesAny = async (from: number, to: number): Promise<boolean> => {
    return (
      (
        await readLone(
          client,
          `SELECT EXISTS (SELECT FROM ${table} WHERE ${between(from, to)}) AS any`,
        )
      )[0]!['any'] === 't'
    );
  };
  const found: Closing[] = [];
  let to = runs.length - 1;
  while (to >= 0 && found.length < count && (await closesAny(-1, to))) {
    // Find the earliest run that has closed every key that run `to` has closed.
    let [low, high] = [0, to];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (await closesAny(middle, to)) low = middle + 1;
      else high = middle;
    }
    found.unshift({ run: runs[low]!, keys: between(low - 1, low) });
    to = low - 1;
  }
  return found;
}

async function rehearse(
  client: SourceClient,
  { plan, shape, stream, queried, canary }: RehearsalInput,
  { run, keys }: Closing,
) {
  const table = plan.batch!.resultTable.sql;
  const stored = new Map<string, string | null>();
  const from = `(SELECT * FROM ${table} WHERE ${keys}) AS sluice_closed`;
  const read = await readRows(
    client,
    from,
    shape,
    { rowsPerSecond: 0, heartbeat: () => undefined },
    (key, row) => stored.set(key, row),
  );
  const counted = await readLone(client, `SELECT count(*) AS n FROM ${table} WHERE ${keys}`);
  const streamOnly = await closedKeysOf(client, table, keys, shape, stream, stored);
  const { counts, batchWasWrong, differences } = compareAligned(shape, {
    stored,
    stream,
    streamOnly,
    queried,
  });
  const verdict = judgeComparison(counts, {
    barrier:
      repeatedKeys('it stored', shape, read, stored.size) ??
      (comparedOf(counts) === 0 ? 'compared 0 closed keys, and at least 1 is needed' : null),
    countedRows: Number(counted[0]!['n']),
    readRows: read,
    canaryPlanted: canary.planted,
    canaryFound: canary.found,
    waived: waiverOf(plan, batchWasWrong, Date.now()),
  });
  const said: RehearsedRun = {
    run: run.id,
    cut: new Date(run.cut).toISOString(),
    ...verdict,
    counts,
    batchWasWrong,
  };
  return { run: said, found: differences };
}
