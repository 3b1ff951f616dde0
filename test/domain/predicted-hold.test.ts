// Tests the prediction of a hold.
import { describe, expect, it } from 'vitest';
import { predictedHoldMs } from '../../src/domain/plan/predicted-hold.js';

const measured = { fullWindowMs: 61_000, tablesMs: 60_000, lagMs: 500, rehearsedHoldMs: null };

describe('predictedHoldMs', () => {
  it('counts the whole window, the lag and the reserve of the commit', () => {
    expect(predictedHoldMs(measured, false)).toBe(66_500);
  });

  it('counts only what is left to read, and not the tables, if there is a witness', () => {
    expect(predictedHoldMs(measured, true)).toBe(8500);
    expect(predictedHoldMs({ ...measured, fullWindowMs: null }, true)).toBe(7500);
  });

  it('is never shorter than the rehearsal', () => {
    expect(predictedHoldMs({ ...measured, rehearsedHoldMs: 90_000 }, true)).toBe(95_000);
    expect(predictedHoldMs({ ...measured, rehearsedHoldMs: 10 }, true)).toBe(8500);
  });
});
