// Tests a batch result and a sink's table that have several rows with one key. Only one of these
// rows could be compared, so such a comparison never passes.
import { describe, expect, it } from 'vitest';
import { rehearseRuns } from '../../src/activities/prove/earlier-runs.js';
import type { ComparedQuery } from '../../src/activities/windows/results/compared-queries.js';
import { sinkRows } from '../../src/activities/windows/results/read-sides.js';
import { compareStored } from '../../src/activities/windows/results/stored-result.js';
import type { ResultSession } from '../../src/activities/windows/session.js';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { joinRow, type Shape } from '../../src/compare/row-comparison.js';
import type { ResolvedPlan } from '../../src/domain/plan/resolved-plan.js';

const SHAPE: Shape = {
  key: ['day'],
  columns: [
    { name: 'day', type: 'date' },
    { name: 'revenue', type: 'numeric' },
  ],
};
const ROWS = [
  ['2026-01-01', '10'],
  ['2026-01-02', '20'],
];
const BY_KEY = new Map(ROWS.map(([day, revenue]) => [joinRow([day!]), joinRow([day!, revenue!])]));
const STREAM = new Map([...BY_KEY].map(([key, row]) => [key, { row, mark: 0 }]));
const RUN = { run_id: '7', cut_at: '2026-01-03T00:00:00Z', finished_at: '2026-01-03T00:01:00Z' };
const PLAN = {
  batch: {
    runLog: { sql: 'public.runs', text: 'public.runs' },
    resultTable: { sql: 'public.daily' },
  },
  spec: { validation: { closedKeys: 'day < $cut::date', waivers: [] } },
} as unknown as ResolvedPlan;

/**
 * A database in which every table that a query reads has these rows. Its run log has one run, which
 * closed the keys of these rows.
 */
function aTarget(rows: readonly (readonly string[])[]): SourceClient {
  const query = (asked: string | { text?: string; read?: unknown }): unknown => {
    if (typeof asked === 'object' && 'read' in asked) {
      const batches = [rows, []];
      return { read: () => Promise.resolve(batches.shift()), close: () => Promise.resolve() };
    }
    const sql = typeof asked === 'string' ? asked : asked.text!;
    const found = sql.includes('run_id')
      ? [RUN]
      : sql.includes('EXISTS')
        ? [{ any: 't' }]
        : sql.includes('count(*)')
          ? [{ n: String(rows.length) }]
          : [];
    return Promise.resolve({ rows: found, fields: [] });
  };
  return { query, getTransactionStatus: () => 'T' } as unknown as SourceClient;
}

const ONCE = ROWS;
const TWICE = [...ROWS, ROWS[0]!];

describe('the stored result of a batch run', () => {
  const verdictOf = async (rows: readonly (readonly string[])[]) => {
    const session = { plan: PLAN, target: aTarget(rows) } as unknown as ResultSession;
    const compared = {
      shape: SHAPE,
      topic: 'daily',
      fold: { rows: STREAM },
      taken: { expected: BY_KEY, lsn: '0/1' },
    } as unknown as ComparedQuery;
    const run = { ok: true, value: { id: '7', cut: RUN.cut_at } } as const;
    return (await compareStored(session, compared, run)).verdict;
  };

  it('passes if it has each key once', async () =>
    expect((await verdictOf(ONCE)).verdict).toBe('passed'));

  it('proves nothing if it has a key twice, even if both rows equal the row of the stream', async () =>
    expect(await verdictOf(TWICE)).toEqual({
      verdict: 'inconclusive',
      reason: 'run 7 stored 3 rows for 2 keys: (day) is not unique',
    }));

  it('also proves nothing in a proof on a slice if it has a key twice', async () => {
    const rehearsed = async (rows: readonly (readonly string[])[]) => {
      const found = await rehearseRuns(aTarget(rows), {
        plan: PLAN,
        count: 1,
        within: '',
        shape: SHAPE,
        stream: STREAM,
        queried: BY_KEY,
        canary: { planted: 1, found: 1 },
      });
      if (!found.ok) throw new Error(found.reason);
      return found.value.runs.map(({ verdict }) => verdict);
    };
    expect(await rehearsed(ONCE)).toEqual(['passed']);
    expect(await rehearsed(TWICE)).toEqual(['inconclusive']);
  });
});

describe('the table of a sink', () => {
  const read = (rows: readonly (readonly string[])[]) =>
    sinkRows(aTarget(rows), 'public.stream', SHAPE, () => undefined);

  it('is read if it has each key once', async () =>
    expect((await read(ONCE)).counted).toEqual({ countedRows: 2, readRows: 2 }));

  it('is refused if it has a key twice', async () =>
    expect(read(TWICE)).rejects.toThrow(
      "the sink's table public.stream has 3 rows for 2 keys: (day) is not unique",
    ));
});
