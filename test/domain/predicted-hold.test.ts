// Tests the prediction of the hold: the time for which a cut-over keeps the batch paused.
import { describe, expect, it } from 'vitest';
import { predictedHoldMs } from '../../src/domain/plan/predicted-hold.js';

const measured = { fullWindowMs: 61_000, tablesMs: 60_000, lagMs: 500, rehearsedHoldMs: null };

const UNDER_FENCE = { tables: false, results: false };
const WITNESSED = { tables: true, results: false };

describe('predictedHoldMs', () => {
  it('counts the whole window, the lag and a reserve if the final window rests on no earlier one', () => {
    expect(predictedHoldMs(measured, UNDER_FENCE)).toBe(66_500);
  });

  it('counts a fixed time for reading the changed rows, not the whole tables, if there is a witness', () => {
    expect(predictedHoldMs(measured, WITNESSED)).toBe(8500);
    expect(predictedHoldMs({ ...measured, fullWindowMs: null }, WITNESSED)).toBe(7500);
  });

  it('does not count the results if the final window rests on an earlier comparison of them', () => {
    expect(predictedHoldMs(measured, { tables: false, results: true })).toBe(65_500);
    expect(predictedHoldMs(measured, { tables: true, results: true })).toBe(7500);
  });

  it('is never shorter than the hold that the rehearsal measured', () => {
    expect(predictedHoldMs({ ...measured, rehearsedHoldMs: 90_000 }, WITNESSED)).toBe(95_000);
    expect(predictedHoldMs({ ...measured, rehearsedHoldMs: 10 }, WITNESSED)).toBe(8500);
  });
});
