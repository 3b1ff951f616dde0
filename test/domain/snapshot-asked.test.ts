// Tests when Sluice sends a connector the signal for its incremental snapshot.
import { describe, expect, it } from 'vitest';
import { mustAsk } from '../../src/domain/capture/snapshot-progress.js';

const running = {
  hasStarted: true,
  hasFailed: false,
  msSinceAsked: 300_000,
  msSinceNotified: 5_000,
};

describe('a connector with an incremental snapshot', () => {
  it('gets no second signal while it reports the progress of its chunks', () => {
    expect(mustAsk(running)).toBe(false);
  });

  it('gets a second signal after a long silence, because it may have forgotten the snapshot', () => {
    expect(mustAsk({ ...running, msSinceNotified: 61_000 })).toBe(true);
    expect(mustAsk({ ...running, msSinceNotified: 61_000, msSinceAsked: 30_000 })).toBe(false);
  });

  it('gets a second signal soon if the snapshot has not started or has failed', () => {
    for (const state of [{ hasStarted: false }, { hasFailed: true }]) {
      expect(mustAsk({ ...running, ...state, msSinceAsked: 21_000 })).toBe(true);
      expect(mustAsk({ ...running, ...state, msSinceAsked: 19_000 })).toBe(false);
    }
  });
});
