// Tests how `sluice assess` ranks, refuses and shows a portfolio, and the schedules of a process.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { assess, type Assessment } from '../../src/assess/assessment.js';
import { NOT_MEASURED } from '../../src/assess/facts.js';
import { parsePortfolio } from '../../src/assess/portfolio.js';
import { intervalMs } from '../../src/assess/schedule.js';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { renderAssessmentHtml } from '../../src/report/assessment-page.js';
import { ranking } from '../../src/report/assessment-text.js';
import { AT, GOOD, measured, portfolio } from './good-process.js';

beforeAll(loadParser);

describe('a portfolio', () => {
  it('is ranked by verdict, then score; processes to migrate that share tables are one wave', () => {
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

  it('is refused for unknown keys, bad schedules and duplicate names, each with its place', () => {
    const parsed = parsePortfolio(
      'apiVersion: sluice.dev/v1alpha1\nkind: Portfolio\nmetadata: { name: p }\nspec:\n  processes:\n    - { name: a, schedul: x }\n    - { name: a, schedule: sometimes }\n',
      'p.yaml',
      () => '',
    );
    expect(parsed.ok ? [] : parsed.problems.map((p) => `${p.at} ${p.message}`)).toEqual([
      expect.stringMatching(/^p.yaml:6:18 unknown key "schedul"; did you mean "schedule"\?/),
      expect.stringMatching(/^p.yaml:7:18 "sometimes" is not a schedule/),
      'p.yaml:5:3 two processes have the same name',
    ]);
  });

  it('of the examples can be read, and has at least three processes that must not be migrated', () => {
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

  it('is shown as a page that escapes every name, loads nothing and runs no script', () => {
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
  ])('of the form %s runs every %f hours on average', (text, hours) =>
    expect(intervalMs(text)! / 3_600_000).toBeCloseTo(hours, 0),
  );
  it('combines day and weekday by OR, and by AND if one of them begins with *, as cron does', () => {
    const weekly = intervalMs('0 2 * * 1')!;
    expect(intervalMs('0 2 1-31/2 * 1')).toBeLessThan(weekly / 3);
    expect(intervalMs('0 2 */2 * 1')).toBeGreaterThan(weekly * 1.5);
    expect(intervalMs('0 2 1 * */7')).toBeGreaterThan(weekly * 4);
  });
  it.each(['sometimes', '61 * * * *', '* * *', 'every now', '0 0 31 2 *'])(
    'cannot have the form %s',
    (text) => expect(intervalMs(text)).toBeNull(),
  );
});
