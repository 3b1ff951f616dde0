// Tests when a connector is asked for its incremental snapshot.
import { describe, expect, it } from 'vitest';
import { mustAsk } from '../../src/domain/capture/snapshot-progress.js';

const running = {
  hasStarted: true,
  hasFailed: false,
  msSinceAsked: 300_000,
  msSinceNotified: 5_000,
};

describe('a connector', () => {
  it('is not asked again while it reports chunks', () => {
    expect(mustAsk(running)).toBe(false);
  });

  it('is asked again after a long silence, because it may have forgotten the snapshot', () => {
    expect(mustAsk({ ...running, msSinceNotified: 61_000 })).toBe(true);
    expect(mustAsk({ ...running, msSinceNotified: 61_000, msSinceAsked: 30_000 })).toBe(false);
  });

  it('is asked again soon if the snapshot has not started or has failed', () => {
    for (const state of [{ hasStarted: false }, { hasFailed: true }]) {
      expect(mustAsk({ ...running, ...state, msSinceAsked: 21_000 })).toBe(true);
      expect(mustAsk({ ...running, ...state, msSinceAsked: 19_000 })).toBe(false);
    }
  });
});
