// Tests the statements that keep an idle session alive.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepAwake } from '../../src/clients/postgres/keep-awake.js';

describe('a session that is kept awake', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gets a statement at each interval, until the caller stops it', async () => {
    const query = vi.fn(() => Promise.resolve());
    const stop = keepAwake({ query } as never, 1000);
    await vi.advanceTimersByTimeAsync(3500);
    expect(query).toHaveBeenCalledTimes(3);
    stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(query).toHaveBeenCalledTimes(3);
  });

  it('has at most one unanswered statement, and gets the next one after a failure', async () => {
    let answer: (error: Error) => void = () => undefined;
    const query = vi.fn(() => new Promise<void>((_, reject) => (answer = reject)));
    const stop = keepAwake({ query } as never, 1000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(query).toHaveBeenCalledTimes(1);
    answer(new Error('the session has ended'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(query).toHaveBeenCalledTimes(2);
    stop();
  });
});
