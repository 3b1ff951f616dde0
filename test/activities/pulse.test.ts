import { describe, expect, it } from 'vitest';
import { Pulse } from '../../src/activities/runtime/stale-attempt.js';

describe('a suspended attempt', () => {
  it('must never act again if the suspension lasted longer than its heartbeat timeout', () => {
    let now = 0;
    const pulse = new Pulse(() => now);
    for (now = 0; now <= 60_000; now += 9000) pulse.check();
    now += 10_001;
    expect(() => pulse.check()).toThrow('was suspended for more than 10 s');
    expect(() => pulse.check()).toThrow('was suspended');
    pulse.stop();
  });
});
