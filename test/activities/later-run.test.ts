// Tests a run of the batch that replaces the stored result while a window reads it. After a
// TRUNCATE, even the earlier snapshot of the window sees an empty table.
import { describe, expect, it } from 'vitest';
import type { ComparedQuery } from '../../src/activities/windows/results/compared-queries.js';
import { compareStored } from '../../src/activities/windows/results/stored-result.js';
import type { ResultSession } from '../../src/activities/windows/session.js';
import { joinRow, type Shape } from '../../src/compare/row-comparison.js';

const SHAPE: Shape = {
  key: ['day'],
  columns: [
    { name: 'day', type: 'date' },
    { name: 'revenue', type: 'numeric' },
  ],
};
const ROWS = new Map([[joinRow(['2026-01-01']), joinRow(['2026-01-01', '10'])]]);
const RUN = { run_id: '7', cut_at: '2026-01-03T00:00:00Z', finished_at: '2026-01-03T00:01:00Z' };

/** The oids of two types: timestamp with and without time zone. */
const [TIMESTAMPTZ, TIMESTAMP] = [1184, 1114];

/**
 * Compares the stream with a stored result that a TRUNCATE has emptied. The second reading of the
 * run log, after the comparison, finds `log`. The log's column `started_at` has the type
 * `startedAs`.
 */
async function verdictWith(
  log: object,
  startedAs = TIMESTAMPTZ,
): Promise<{ verdict: string; reason: string }> {
  const logs: object[] = [RUN, log];
  const query = (asked: string | { text?: string; read?: unknown }): unknown => {
    if (typeof asked === 'object' && 'read' in asked)
      return { read: () => Promise.resolve([]), close: () => Promise.resolve() };
    const sql = typeof asked === 'string' ? asked : asked.text!;
    const counted = [{ n: sql.includes('ordinality') ? '1' : '0' }];
    const fields = [
      { name: 'cut_at', dataTypeID: TIMESTAMPTZ },
      { name: 'started_at', dataTypeID: startedAs },
    ];
    return Promise.resolve({ rows: sql.includes('run_id') ? [logs.shift()!] : counted, fields });
  };
  const plan = {
    batch: { runLog: { sql: 'runs', text: 'runs' }, resultTable: { sql: 'daily' } },
    spec: { validation: { closedKeys: 'day < $cut::date', waivers: [] } },
  };
  const target = { query, getTransactionStatus: () => 'T' };
  const compared = {
    shape: SHAPE,
    topic: 'daily',
    fold: { rows: new Map([...ROWS].map(([key, row]) => [key, { row, mark: 0 }])) },
    taken: { expected: ROWS, lsn: '0/1' },
  };
  const { verdict } = await compareStored(
    { plan, target } as unknown as ResultSession,
    compared as unknown as ComparedQuery,
    { ok: true, value: { id: '7', cut: RUN.cut_at } },
  );
  return verdict;
}

describe('a stored result that the batch replaces during a window', () => {
  it.each([
    [
      { ...RUN, run_id: '8' },
      'run 8 of the batch finished during the window: the stored result is newer than run 7',
    ],
    [
      { ...RUN, run_id: '8', finished_at: null },
      'run 8 of the batch has not finished and is writing its result',
    ],
    [
      { ...RUN, started_at: null },
      'run 7 of the batch has finished, but its started_at is NULL in the run log',
    ],
    [
      { ...RUN, run_id: '8', cut_at: null },
      'run 8 of the batch has finished, but its cut_at is NULL in the run log',
    ],
  ])('is inconclusive if a later run may have written it: %j', async (log, reason) =>
    expect(await verdictWith(log)).toEqual({ verdict: 'inconclusive', reason }),
  );
  it('is inconclusive if the run log does not say at which moments its runs started', async () =>
    expect(await verdictWith(RUN, TIMESTAMP)).toEqual({
      verdict: 'inconclusive',
      reason: 'started_at of runs is not timestamp with time zone, so its moments are unknown',
    }));
  it('fails with its differences if no later run has begun', async () =>
    expect(await verdictWith(RUN)).toEqual({
      verdict: 'failed',
      reason: 'mismatched 1 rows > 0 allowed (1 batch-was-wrong)',
    }));
});
