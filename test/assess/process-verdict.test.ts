// Tests the verdict of `sluice assess` on one batch process, and the facts that it depends on.
import { beforeAll, describe, expect, it } from 'vitest';
import { assess } from '../../src/assess/assessment.js';
import {
  NOT_MEASURED,
  known,
  unknown,
  type Measured,
  type TableFacts,
} from '../../src/assess/facts.js';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { freshness } from '../../src/report/assessment-text.js';
import { AT, GOOD, PAY, measured, portfolio } from './good-process.js';

beforeAll(loadParser);

const one = (process: object, facts: Measured = measured()) =>
  assess(portfolio(process), facts, AT).processes[0]!;

describe('the verdict on a batch process', () => {
  it('is `migrate` if the value is high and no constraint forbids it; its trace lists every rule', () => {
    const found = one(GOOD);
    expect(found).toMatchObject({
      verdict: 'migrate',
      confidence: { score: 1 },
      feasibility: { score: 1 },
      advice: { connector: 'debezium-postgres', snapshot: 'initial' },
    });
    expect(found.score).toBeGreaterThan(80);
    expect(found.trace).toHaveLength(21);
    expect(found.freshness).toEqual({
      batchMeanMs: 43_200_000 + 3_600_000,
      batchWorstMs: 86_400_000 + 3_600_000,
      recordsPerDay: 110,
      bytesPerDay: 26_400,
    });
  });

  it.each<[string, object, Partial<TableFacts>, string]>([
    [
      'all consumers read once a day',
      { consumers: [{ name: 'mail', reads: 'daily' }] },
      {},
      'read-once-a-day',
    ],
    [
      'every consumer takes a file',
      { consumers: [{ name: 'bank', reads: 'hourly', through: 'file' }] },
      {},
      'output-is-a-file',
    ],
    ['no person is on call', { onCall: 'nobody' }, {}, 'no-on-call-at-night'],
    [
      'the batch is fresh enough',
      { freshness: { wanted: '2d', value: 'high' } },
      {},
      'freshness-wanted',
    ],
    [
      'CDC is forbidden and rows are deleted',
      { cdc: 'forbidden' },
      { total: { inserted: 1, updated: 0, deleted: 9 } },
      'source-cannot-offer-cdc',
    ],
    [
      'the input is emptied and filled again',
      {},
      {
        perDay: { inserted: 5000, updated: 0, deleted: 5000 },
        total: { inserted: 9000, updated: 0, deleted: 8000 },
      },
      'whole-input-each-time',
    ],
    [
      'the input is truncated and filled again, which Postgres does not count as deletes',
      {},
      {
        perDay: { inserted: 1000, updated: 0, deleted: 0 },
        total: { inserted: 30_000, updated: 0, deleted: 0 },
      },
      'whole-input-each-time',
    ],
    [
      'the input was truncated many times, and no statistics give rates per day',
      {},
      { perDay: null, total: { inserted: 30_000, updated: 0, deleted: 0 } },
      'whole-input-each-time',
    ],
    [
      'CDC is forbidden and a table is truncated now and then',
      { cdc: 'forbidden' },
      { total: { inserted: 2500, updated: 0, deleted: 0 } },
      'source-cannot-offer-cdc',
    ],
    [
      'the result needs the whole input',
      { query: { sql: 'SELECT store, rank() OVER (ORDER BY amount) FROM pay' } },
      {},
      'not-streamable',
    ],
  ])('is do-not-migrate if %s, and names the constraint', (_case, change, table, rule) => {
    const found = one({ ...GOOD, ...change }, measured(table));
    expect(found.verdict).toBe('do-not-migrate');
    expect(found.decidedBy).toContain(rule);
    expect(found.sensitivity.join()).toContain(rule);
  });

  it.each<[string, object, Partial<TableFacts>, string]>([
    [
      'the query reads the clock',
      {
        query: {
          sql: 'SELECT store, sum(amount) AS total FROM pay WHERE at > now() GROUP BY store',
        },
      },
      {},
      'misbehaves-in-a-stream',
    ],
    ['a table has no key', {}, { key: [] }, 'tables-without-key'],
    ['a table is unlogged', {}, { obstacles: ['it is unlogged'] }, 'tables-without-key'],
    ['a run sends mail', { sideEffects: ['sends mail'] }, {}, 'side-effects'],
    ['its SQL does not parse', { query: { sql: 'SELEC' } }, {}, 'query-unreadable'],
    [
      'part of its SQL cannot be read',
      { query: { sql: 'CALL nightly()' } },
      {},
      'query-unreadable',
    ],
  ])('is migrate-after if %s, and names the work', (_case, change, table, rule) => {
    const found = one({ ...GOOD, ...change }, measured(table));
    expect(found.verdict).toBe('migrate-after');
    expect(found.work.map((w) => w.rule)).toContain(rule);
  });

  it('does not count an unknown fact as zero, but has lower confidence and names what to find out', () => {
    const found = one(GOOD, NOT_MEASURED('not measured'));
    expect(found.feasibility.score).toBe(1);
    expect(found.confidence.score).toBeLessThan(0.75);
    expect(
      found.trace.filter((t) => t.answer.state === 'could-not-tell').map((t) => t.id),
    ).toContain('source-cannot-offer-cdc');
    expect(one({ name: 'bare' }, NOT_MEASURED('not measured'))).toMatchObject({
      verdict: 'migrate-after',
      value: { score: 0 },
    });
    expect(
      one({ name: 'bare' }, NOT_MEASURED('not measured')).work.some((w) =>
        w.what.startsWith('find out:'),
      ),
    ).toBe(true);
  });

  it('leaves open whether a table has a key, and proposes no connector, if its facts are unknown', () => {
    const facts = {
      ...measured(),
      tables: new Map([['public.pay', unknown('public.pay has no statistics: run ANALYZE')]]),
    };
    const found = one(GOOD, facts);
    expect(found.trace.find((t) => t.id === 'tables-without-key')!.answer).toEqual({
      state: 'could-not-tell',
      why: 'public.pay has no statistics: run ANALYZE',
    });
    expect(found.advice.connector).toBeNull();
  });

  it('does not judge a partitioned table like a view, because it can be captured', () => {
    const found = one(GOOD, measured({ kind: 'p' }));
    expect(found).toMatchObject({ verdict: 'migrate', advice: { connector: 'debezium-postgres' } });
    expect(one(GOOD, measured({ kind: 'v' })).advice.connector).toBe('jdbc-source');
  });

  it('says that neither polling nor change capture sees a TRUNCATE', () => {
    const emptied = measured({ total: { inserted: 2500, updated: 0, deleted: 0 } });
    const { advice } = one(GOOD, emptied);
    expect(advice.jdbcWouldMiss).toContain('public.pay: the rows that TRUNCATE removes');
    expect(advice.reasons.join()).toContain('TRUNCATE seems to empty public.pay');
    const updated = { name: 'updated_at', type: 'timestamptz', declared: 'timestamptz' };
    const { reasons } = one(GOOD, measured({ columns: [...PAY.columns, updated] })).advice;
    expect(reasons[0]).toContain('sees every change except TRUNCATE');
  });

  it('does not mistake a few inserts that were rolled back for a TRUNCATE', () => {
    const total = { inserted: 1090, updated: 0, deleted: 0 };
    expect(one(GOOD, measured({ total })).advice.jdbcWouldMiss.join()).not.toContain('TRUNCATE');
    expect(one({ ...GOOD, cdc: 'forbidden' }, measured({ total })).verdict).toBe('migrate-after');
  });

  it('estimates no age, volume or size from a fact that is unknown', () => {
    const { runs: _runs, runTime: _runTime, ...untimed } = GOOD;
    expect(one(untimed).freshness).toMatchObject({ batchMeanMs: null, batchWorstMs: null });
    expect(freshness(one(untimed))[0]).toBe("the age of the batch's numbers is unknown");
    const empty = one(GOOD, measured({ rows: 0 }));
    expect(empty.freshness).toMatchObject({ recordsPerDay: 110, bytesPerDay: null });
    expect(freshness(empty)[2]).toContain('110 records (of unknown size)');
    expect(one(GOOD, measured({ perDay: null })).freshness.recordsPerDay).toBeNull();
  });

  it('leaves open whether each run replaces its input if a table has no statistics of its changes', () => {
    const sql = 'SELECT store, sum(amount) AS total FROM pay JOIN store USING (store) GROUP BY 1';
    const uncounted = { ...PAY, table: 'public.store', total: null, perDay: null };
    const tables = new Map([
      ['public.pay', known(PAY)],
      ['public.store', known(uncounted)],
    ]);
    const found = one({ ...GOOD, query: { sql } }, { ...measured(), tables });
    expect(found.trace.find((t) => t.id === 'whole-input-each-time')!.answer).toEqual({
      state: 'could-not-tell',
      why: 'there are no statistics of the changes of public.store',
    });
  });
});
