// Tests which specs `sluice compare` accepts, and the plan of a comparison. The command uses
// existing objects and creates nothing. A migration uses only objects that it created or adopted.
// The command and a migration each refuse parts of a spec that they would have to ignore.
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseSpecText, type SpecUse } from '../../src/manifest/parse.js';
import { comparisonPlan } from '../../src/domain/plan/comparison-plan.js';
import { BATCH_PARTS, aSpecInput, type SpecInput } from '../support/builders.js';
import { blocksOf } from '../support/pages.js';

const parsed = (input: SpecInput, use: SpecUse = 'comparison') =>
  parseSpecText(stringify(aSpecInput(input)), 'm.yaml', () => '', use);
const problemsOf = (input: SpecInput, use?: SpecUse): string[] => {
  const result = parsed(input, use);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
};
const planOf = (input: SpecInput) => {
  const result = parsed(input);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return comparisonPlan(result.spec);
};
const tables = ['public.accounts', 'public."Odd Name"'];

describe('the spec of a comparison', () => {
  it('may name existing objects, which a migration without `adopt` refuses', () => {
    const input = { spec: { existing: { slot: 'cdc', topics: 'shop.{schema}.{table}' } } };
    expect(problemsOf(input)).toEqual([]);
    expect(problemsOf(input, 'migration')).toEqual([
      expect.stringMatching(
        /^spec\.existing: a migration creates its own objects.* Add adopt: true.* or remove `existing`$/,
      ),
    ]);
  });

  it.each([
    ['engine flink', { validation: { engine: 'flink', gateway: 'http://f' } }, /creates nothing/],
    ['a batch', BATCH_PARTS, /does not compare results yet/],
    ['a connector without its slot', { existing: { connector: 'x' } }, /add existing\.slot/],
    [
      'a topic for a table that is not captured',
      { existing: { topics: { 'public.x': 'x' } } },
      /is not in source/,
    ],
    [
      'a topic that is too long',
      { existing: { topics: 'a'.repeat(250) } },
      /not a valid topic name/,
    ],
  ])('is refused with %s', (_what, spec, message) => {
    expect(problemsOf({ spec }).join('\n')).toMatch(message);
  });

  it('is refused if two tables would have the same topic', () => {
    expect(problemsOf({ tables, spec: { existing: { topics: 'all' } } }).join()).toMatch(
      /gives two tables the same topic/,
    );
  });
});

describe('the page about comparisons', () => {
  it('shows a spec that sluice compare accepts', () => {
    const [text] = blocksOf('docs/how-to/compare-only.md', 'yaml');
    expect(parseSpecText(text!, 'm.yaml', () => '', 'comparison')).toMatchObject({ ok: true });
  });
});

describe('the plan of a comparison', () => {
  it('has the names of the first generation if the spec names no objects', () => {
    const { plan, slot, connector } = planOf({ name: 'bank' });
    expect([slot, connector, plan.captures.map((c) => c.topic)]).toEqual([
      'sluice_bank',
      null,
      ['bank.public.accounts'],
    ]);
  });

  it('with `existing` has the topics of its pattern or list, and no slot if it names none', () => {
    const topicsOf = (topics: unknown) =>
      planOf({ tables, spec: { existing: { topics } } }).plan.captures.map((c) => c.topic);
    expect(topicsOf('shop.{schema}.{table}.v1')).toEqual([
      'shop.public.accounts.v1',
      'shop.public.Odd_Name.v1',
    ]);
    expect(topicsOf({ 'public.accounts': 'a' })).toEqual(['a', 'bank.public.Odd_Name']);
    expect(planOf({ spec: { existing: {} } }).slot).toBe(null);
    expect(planOf({ spec: { existing: { slot: 'cdc' } } }).plan.names.slot).toBe('cdc');
  });
});
