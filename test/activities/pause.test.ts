// Tests `pause`, with which an activity sleeps. An activity that waits for weeks sleeps once a
// second, so a sleep must leave no listener behind.
import { getEventListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { pause } from '../../src/activities/runtime/poll-until.js';

describe('a pause of an activity', () => {
  it('leaves no listener on the promise or the signal of the cancellation', async () => {
    const waiters: string[] = [];
    await new MockActivityEnvironment().run(async () => {
      const { cancelled, cancellationSignal } = Context.current();
      for (const method of ['then', 'catch', 'finally'] as const)
        void Object.defineProperty(cancelled, method, { value: () => waiters.push(method) });
      for (let n = 0; n < 10; n += 1) await pause(0);
      expect(getEventListeners(cancellationSignal, 'abort')).toHaveLength(0);
    });
    expect(waiters).toEqual([]);
  });

  it('ends at once if the activity is cancelled before or during the pause', async () => {
    const environment = new MockActivityEnvironment();
    const paused = environment.run(() => pause(600_000));
    environment.cancel();
    await expect(paused).rejects.toBeInstanceOf(CancelledFailure);
    await expect(environment.run(() => pause(600_000))).rejects.toBeInstanceOf(CancelledFailure);
  });
});
