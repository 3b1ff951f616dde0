// Tests how an attempt of an activity finds out that its process was suspended. Temporal may have
// begun another attempt in the meantime, so the suspended attempt must not act again.
import { describe, expect, it } from 'vitest';
import {
  Pulse,
  attemptBegins,
  refuseSuspended,
} from '../../src/activities/runtime/stale-attempt.js';

describe('a suspended attempt', () => {
  it('must never act again if the suspension lasted longer than 10 s', () => {
    let now = 0;
    const pulse = new Pulse(() => now);
    for (now = 0; now <= 60_000; now += 9000) pulse.check();
    now += 10_001;
    expect(() => pulse.check()).toThrow('was suspended for more than 10 s');
    expect(() => pulse.check()).toThrow('was suspended');
    pulse.stop();
  });
});

describe('an attempt in a process that was suspended', () => {
  let now = 0;
  const pulse = new Pulse(() => now);
  const wait = (ms: number): void => void (now += ms);

  it('must not act again, but an attempt that begins later may act', () => {
    const [before, after] = [{}, {}];
    attemptBegins(before, pulse);
    wait(9000);
    expect(() => refuseSuspended(before, pulse)).not.toThrow();
    wait(10_001);
    attemptBegins(after, pulse);
    expect(() => refuseSuspended(before, pulse)).toThrow('another attempt has taken over');
    expect(() => refuseSuspended(after, pulse)).not.toThrow();
    pulse.stop();
  });
});
