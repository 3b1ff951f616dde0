import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { assess, type Assessment } from '../../src/assess/assessment.js';
import {
  NOT_MEASURED,
  known,
  unknown,
  type Measured,
  type TableFacts,
} from '../../src/assess/facts.js';
import { parsePortfolio, type Portfolio } from '../../src/assess/portfolio.js';
import { intervalMs } from '../../src/assess/schedule.js';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { renderAssessmentHtml } from '../../src/report/assessment-html.js';
import { ranking } from '../../src/report/assessment-text.js';

beforeAll(loadParser);

const AT = '2026-01-01T00:00:00Z';
const portfolio = (...processes: object[]): Portfolio => {
  const parsed = parsePortfolio(
    JSON.stringify({
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'Portfolio',
      metadata: { name: 'p' },
      spec: { processes },
    }),
    'p.yaml',
    () => '',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
};
const GOOD = {
  name: 'revenue',
  owner: 'payments',
  schedule: '@daily',
  runTime: '1h',
  query: { sql: 'SELECT store, sum(amount) AS total FROM pay GROUP BY store' },
  result: { table: 'public.result', key: ['store'] },
  runs: { table: 'public.runs' },
  consumers: [{ name: 'dashboard', reads: 'continuous', through: 'view' }],
  freshness: { wanted: '1m', value: 'high' },
  criticality: 'high',
  sideEffects: [],
  onCall: 'around-the-clock',
  cdc: 'allowed',
};
const pay: TableFacts = {
  table: 'public.pay',
  kind: 'r',
  rows: 1000,
  bytes: 80_000,
  key: ['id'],
  replicaIdentity: 'default',
  mayRead: true,
  unprovable: [],
  columns: [
    { name: 'id', type: 'int8', declared: 'bigint' },
    { name: 'store', type: 'int4', declared: 'integer' },
    { name: 'amount', type: 'numeric', declared: 'numeric' },
  ],
  total: { inserted: 1000, updated: 10, deleted: 0 },
  perDay: { inserted: 100, updated: 10, deleted: 0 },
};
const measured = (table: Partial<TableFacts> = {}): Measured => ({
  source: known({
    version: '17.1',
    walLevel: 'logical',
    slotsFree: 5,
    mayReplicate: true,
    isPrimary: true,
  }),
  tables: new Map([['public.pay', known({ ...pay, ...table })]]),
  runs: new Map([
    ['public.runs', known({ count: 30, medianMs: 3_600_000, lastFinishedAt: AT, unfinished: 0 })],
  ]),
});
const one = (process: object, facts: Measured = measured()) =>
  assess(portfolio(process), facts, AT).processes[0]!;

describe('the verdict on a batch process', () => {
  it('is migrate if the value is high and no constraint speaks against it, with every rule traced', () => {
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
      'the query asks the clock',
      {
        query: {
          sql: 'SELECT store, sum(amount) AS total FROM pay WHERE at > now() GROUP BY store',
        },
      },
      {},
      'misbehaves-in-a-stream',
    ],
    ['a table has no key', {}, { key: [] }, 'tables-without-key'],
    ['a run sends mail', { sideEffects: ['sends mail'] }, {}, 'side-effects'],
    ['its SQL does not parse', { query: { sql: 'SELEC' } }, {}, 'query-unreadable'],
    ['part of it cannot be read', { query: { sql: 'CALL nightly()' } }, {}, 'query-unreadable'],
  ])('is migrate-after if %s, and names the work', (_case, change, table, rule) => {
    const found = one({ ...GOOD, ...change }, measured(table));
    expect(found.verdict).toBe('migrate-after');
    expect(found.work.map((w) => w.rule)).toContain(rule);
  });

  it('does not treat unknown as zero: it lowers the confidence, and says what to find out', () => {
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

  it('reports a table without statistics or privileges as unknown', () => {
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
});

describe('a portfolio', () => {
  it('is ranked by verdict, then score, and grouped into waves that share tables', () => {
    const other = {
      ...GOOD,
      name: 'other',
      query: { sql: 'SELECT id FROM pay' },
      result: { table: 'public.o', key: ['id'] },
      criticality: 'low',
    };
    const never = { ...GOOD, name: 'never', onCall: 'nobody' };
    const found = assess(portfolio(never, other, GOOD), measured(), AT);
    expect(found.processes.map((p) => [p.rank, p.name])).toEqual([
      [1, 'revenue'],
      [2, 'other'],
      [3, 'never'],
    ]);
    expect(found.waves).toEqual([
      { number: 1, processes: ['revenue', 'other'], tables: ['public.pay'] },
    ]);
  });

  it('is refused, with place and suggestion, for unknown keys, bad schedules and duplicate names', () => {
    const parsed = parsePortfolio(
      'apiVersion: sluice.dev/v1alpha1\nkind: Portfolio\nmetadata: { name: p }\nspec:\n  processes:\n    - { name: a, schedul: x }\n    - { name: a, schedule: sometimes }\n',
      'p.yaml',
      () => '',
    );
    expect(parsed.ok ? [] : parsed.problems.map((p) => `${p.at} ${p.message}`)).toEqual([
      expect.stringMatching(/^p.yaml:6:18 unknown key "schedul"; did you mean "schedule"\?/),
      expect.stringMatching(/^p.yaml:7:18 "sometimes" is not a schedule/),
      'p.yaml:5:3 a process is named twice',
    ]);
  });

  it('has, in the examples, at least three processes that must not be migrated, each with its reason', () => {
    const dir = 'examples/portfolio';
    const parsed = parsePortfolio(
      readFileSync(join(dir, 'portfolio.yaml'), 'utf8'),
      'portfolio.yaml',
      (path) => readFileSync(join(dir, path), 'utf8'),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const found = assess(parsed.value, NOT_MEASURED('offline'), AT);
    expect(found.processes.length).toBeGreaterThanOrEqual(12);
    expect(
      found.processes.filter((p) => p.verdict === 'do-not-migrate').length,
    ).toBeGreaterThanOrEqual(3);
    expect(found.processes.every((p) => p.sql?.error === null)).toBe(true);
    expect(ranking(found)).toContain('do-not-migrate');
  });

  it('is shown as a page that escapes every name, loads nothing and runs nothing', () => {
    const found: Assessment = assess(
      portfolio({
        ...GOOD,
        owner: '<script>alert(1)</script>',
        consumers: [{ name: '"><img src=x>', reads: 'continuous' }],
      }),
      measured(),
      AT,
    );
    const html = renderAssessmentHtml(found);
    expect(html).not.toMatch(/<script|<img|<link|src="|href="http/);
    expect(html).toContain("default-src 'none'");
  });
});

describe('a schedule', () => {
  it.each([
    ['@daily', 24],
    ['*/15 * * * *', 0.25],
    ['0 2 * * *', 24],
    ['30 1 * * 1-5', (7 / 5) * 24],
    ['every 6h', 6],
    ['0 0,12 * * *', 12],
  ])('%s runs every %f hours on average', (text, hours) =>
    expect(intervalMs(text)! / 3_600_000).toBeCloseTo(hours, 0),
  );
  it.each(['sometimes', '61 * * * *', '* * *', 'every now', '0 0 31 2 *'])(
    '%s is not a schedule',
    (text) => expect(intervalMs(text)).toBeNull(),
  );
});
