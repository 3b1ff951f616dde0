// Tests what a window must prove before its verdict is `passed`.
import { describe, expect, it } from 'vitest';
import {
  worst,
  judgeComparison,
  provenEarlierOf,
  rowsReadOf,
  type Proofs,
} from '../../src/domain/evidence/verdict.js';
import { NO_COUNTS } from '../../src/domain/evidence/counts.js';

const PROVEN: Proofs = {
  barrier: null,
  countedRows: 3,
  readRows: 3,
  canaryPlanted: 2,
  canaryFound: 2,
};

describe('the verdict of a window', () => {
  it('is passed if every condition is proven and no key differs', () => {
    expect(judgeComparison({ ...NO_COUNTS, matched: 3 }, PROVEN)).toEqual({
      verdict: 'passed',
      reason: '0 differences in 3 keys',
    });
  });
  it('can be passed if an earlier window proved the unread rows, which are counted separately', () => {
    const incremental: Proofs = { ...PROVEN, readRows: 1, provenEarlier: 2 };
    expect(judgeComparison({ ...NO_COUNTS, matched: 3 }, incremental).verdict).toBe('passed');
    expect([rowsReadOf(incremental), provenEarlierOf(incremental)]).toEqual([1, 2]);
    // this window itself read the walked rows, in short snapshots before its own snapshot
    const walked: Proofs = { ...incremental, walkedRows: 3 };
    expect([rowsReadOf(walked), provenEarlierOf(walked)]).toEqual([4, 0]);
  });
  it('can be passed without an independent count of rows', () => {
    expect(
      judgeComparison({ ...NO_COUNTS, matched: 3 }, { ...PROVEN, countedRows: null }).verdict,
    ).toBe('passed');
  });
  it.each([
    [
      'a difference',
      { ...NO_COUNTS, matched: 2, mismatched: 1 },
      PROVEN,
      'failed',
      'mismatched 1 rows > 0 allowed',
    ],
    ['a missing row', { ...NO_COUNTS, missing: 3 }, PROVEN, 'failed', 'missing 3 rows > 0 allowed'],
    [
      'an unknown key',
      { ...NO_COUNTS, matched: 2, unknown: 1 },
      PROVEN,
      'inconclusive',
      'unknown 1 keys > 0 allowed',
    ],
    [
      'a key that changed in every round',
      { ...NO_COUNTS, matched: 2, unstable: 1 },
      PROVEN,
      'inconclusive',
      'unstable 1 keys > 0',
    ],
    [
      'an unproven barrier',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, barrier: 'barrier: 1 < 2' },
      'inconclusive',
      'barrier: 1 < 2',
    ],
    [
      'rows that were not read',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, readRows: 2 },
      'errored',
      '2 rows were read, but the same snapshot has 3 rows',
    ],
    [
      'rows that were not read because earlier rows differed',
      { ...NO_COUNTS, mismatched: 2 },
      { ...PROVEN, readRows: 2, isStopped: true },
      'failed',
      'stopped after 2 of 3 rows',
    ],
    [
      'rows that were not read because earlier rows are unknown',
      { ...NO_COUNTS, unknown: 2 },
      { ...PROVEN, readRows: 2, isStopped: true },
      'inconclusive',
      'unknown 2 keys',
    ],
    [
      'rows that were neither read nor proven earlier',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, readRows: 1, provenEarlier: 1 },
      'errored',
      '1 rows were read and 1 were proven earlier, but the same snapshot has 3 rows',
    ],
    [
      'a pass that stopped early although no row differs',
      { ...NO_COUNTS, matched: 2 },
      { ...PROVEN, readRows: 2, isStopped: true },
      'inconclusive',
      'stopped after 2',
    ],
    [
      'a comparator that misses a planted corruption',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, canaryFound: 1 },
      'errored',
      'canary found 1 of 2 planted corruptions',
    ],
  ] as const)('is not passed with %s', (_case, counts, proofs, verdict, reason) => {
    const assessed = judgeComparison(counts, proofs);
    expect(assessed.verdict).toBe(verdict);
    expect(assessed.reason).toContain(reason);
  });
  it('is errored if a canary is not found, regardless of the differences that the comparator reports', () => {
    expect(
      judgeComparison({ ...NO_COUNTS, missing: 1 }, { ...PROVEN, canaryFound: 0 }).verdict,
    ).toBe('errored');
  });
});

describe('the overall verdict', () => {
  it('is the worst one: failed outranks errored, and inconclusive outranks passed', () => {
    const of = (verdict: 'passed' | 'failed' | 'inconclusive' | 'errored') => ({
      verdict,
      reason: verdict,
    });
    expect(worst([of('passed'), of('errored'), of('failed')]).verdict).toBe('failed');
    expect(worst([of('passed'), of('inconclusive')]).verdict).toBe('inconclusive');
    expect(worst([of('passed'), of('passed')]).verdict).toBe('passed');
  });
  it('is inconclusive if there are no verdicts', () =>
    expect(worst([]).verdict).toBe('inconclusive'));
});
