// Tests when a commit may rely on an earlier comparison of the results. The plan must say which
// proof is then weaker.
import { describe, expect, it } from 'vitest';
import {
  areResultsExact,
  restedResults,
} from '../../src/activities/windows/results/recent-results.js';
import type { SubjectOutcome } from '../../src/activities/windows/subject-outcome.js';
import { allowedAge, recommendedAge, tooOld } from '../../src/domain/plan/final-result.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { formatProblem, parseSpecObject } from '../../src/manifest/parse.js';
import { BATCH_PARTS, aPlan, aSpecInput } from '../support/builders.js';

const withResult = (cutover: object, more: object = {}) =>
  aSpecInput({
    spec: { ...BATCH_PARTS, cutover: { ...BATCH_PARTS.cutover, ...cutover }, ...more },
  });
const RECENT = { finalResult: { recent: '30m' } };
const plan = aPlan({
  spec: { ...BATCH_PARTS, cutover: { ...BATCH_PARTS.cutover, ...RECENT } },
});
const found = (subject: string, mode: string, verdict = 'passed'): SubjectOutcome =>
  ({ subject, mode, verdict: { verdict, reason: '' } }) as SubjectOutcome;

describe('the age of recent results', () => {
  const recent = { number: 7, began: '2026-01-01T00:00:00.000Z' };

  it('is counted from the beginning of their window to the end of the hold', () => {
    expect(tooOld('30m', recent, '2026-01-01T00:29:00Z', 60_000)).toBeNull();
    expect(tooOld('30m', recent, '2026-01-01T00:29:00Z', 61_000)).toBe(
      'the results of window 7 would be 1801 s old at the commit, and finalResult allows 30m',
    );
    expect(tooOld('30m', null, '2026-01-01T00:00:00Z')).toMatch(/no window has compared/);
  });

  it('has a limit only if the spec sets cutover.finalResult; the recommended limit is 15 min or more', () => {
    expect(allowedAge(plan)).toBe('30m');
    expect(allowedAge(aPlan({ spec: BATCH_PARTS }))).toBeNull();
    expect([recommendedAge(20_000), recommendedAge(600_000)]).toEqual(['15m', '30m']);
  });
});

describe('a window', () => {
  it('can prove results for a later commit only if every result was compared exactly and passed', () => {
    const [result, sink] = [found('result', 'exact'), found('result@sink', 'exact')];
    expect(areResultsExact(plan, [result, sink])).toBe(true);
    expect(areResultsExact(plan, [result])).toBe(false);
    expect(areResultsExact(plan, [result, found('result@sink', 'settled')])).toBe(false);
    expect(areResultsExact(plan, [result, found('result@sink', 'exact', 'failed')])).toBe(false);
    expect(areResultsExact(aPlan({}), [])).toBe(false);
  });

  it('proves no result if it rests on an earlier window and a fact has changed since', () => {
    const recent = { number: 7, began: '2026-01-01T00:00:00.000Z' };
    expect(restedResults(plan, recent, null).subjects).toEqual([]);
    const { subjects } = restedResults(plan, recent, {
      epoch: null,
      fullWindow: 'an enum label was renamed',
      restart: null,
    });
    expect(subjects.map(({ subject, verdict }) => [subject, verdict])).toEqual(
      ['result', 'result@sink'].map((subject) => [
        subject,
        {
          verdict: 'inconclusive',
          reason:
            'the results cannot rest on window 7, because something changed since: an enum label was renamed',
        },
      ]),
    );
  });
});

describe('a spec with recent results', () => {
  const parsed = (cutover: object, more: object = {}) => parseSpecObject(withResult(cutover, more));
  const problems = (cutover: object, more: object = {}): string => {
    const result = parsed(cutover, more);
    return result.ok ? '' : result.problems.map(formatProblem).join('\n');
  };

  it('shows in the steps and notes of its plan which proof is weaker, and other specs do not', () => {
    const planOf = (cutover: object): string => {
      const result = parsed(cutover);
      return result.ok ? JSON.stringify(buildPlan(result.spec)) : '';
    };
    expect(planOf(RECENT)).toMatch(
      /full comparison of the tables at or after the marker; must pass; an earlier window, which began at most 30m before the commit, compared the results exactly.*What the pipeline wrote since then is not compared before the commit/,
    );
    expect(planOf({})).toMatch(/full comparison at or after the marker; must pass/);
    expect(planOf({})).not.toMatch(/earlier window|finalResult/);
  });

  it('is refused without an age or a batch, or if results are settled or would always be too old', () => {
    expect(problems(RECENT)).toBe('');
    expect(problems({ finalResult: 'recent' })).toMatch(
      /cutover.finalResult.*expected fenced, or \{ recent: 30m \}/,
    );
    expect(problems(RECENT, { validation: { results: 'settled' } })).toMatch(
      /recent needs exact results/,
    );
    expect(problems({ ...RECENT, maxHold: '30m' })).toMatch(/30m is not longer than maxHold/);
    const without = parseSpecObject(aSpecInput({ spec: { cutover: RECENT } }));
    expect(JSON.stringify(without)).toMatch(/without a batch, there is no result/);
  });
});
