// Tests when enough windows have passed for an approval.
import { describe, expect, it } from 'vitest';
import { coverageOf, stopRule } from '../../src/domain/evidence/streak.js';

describe('the rule for enough windows', () => {
  it('requires passes in a row and on requested days, enough keys, and a full window after a restart', () => {
    const streak = {
      passesInARow: 3,
      covered: ['weekday' as const],
      compared: 30_000,
      restart: null,
    };
    expect(stopRule({ ...streak, passesInARow: 2 }, { passesInARow: 3, coverage: [] })).toBe(
      'windows that pass in a row (2 of 3 so far)',
    );
    expect(stopRule(streak, { passesInARow: 3, coverage: ['weekday', 'month-end'] })).toBe(
      'a passed window on month-end',
    );
    expect(stopRule(streak, { passesInARow: 3, coverage: ['weekday'] })).toBeNull();
    expect(
      stopRule({ ...streak, restart: 'a pod' }, { passesInARow: 3, coverage: ['weekday'] }),
    ).toBe('a full window after a restart (a pod)');
    expect(
      stopRule(streak, { passesInARow: 3, coverage: [], maxMismatchRate: '0.0001' }),
    ).toBeNull();
    expect(stopRule(streak, { passesInARow: 3, coverage: [], maxMismatchRate: '0.00001' })).toBe(
      'more comparisons, because 30000 prove only that at most 0.00010 of the keys are wrong, and 0.00001 is allowed',
    );
  });
  it('recognizes weekends, month ends, and days on which the clocks change', () => {
    expect(coverageOf('2026-11-22T10:00:00Z')).toEqual(['weekend']);
    expect(coverageOf('2026-11-30T10:00:00Z')).toEqual(['weekday', 'month-end']);
    expect(coverageOf('2026-10-25T10:00:00Z')).toEqual(['weekend', 'dst-day']);
  });
});
