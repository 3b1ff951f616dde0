// A person can pause or reset an activity at Temporal. The SDK reports both to the attempt like a
// cancellation, but the run still needs the activity.
import { MockActivityEnvironment } from '@temporalio/testing';
import { CancelledFailure } from '@temporalio/activity';
import {
  ActivityCancellationDetails,
  ActivityFailure,
  ApplicationFailure,
  RetryState,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { classifying } from '../../src/activities/runtime/interceptor.js';
import { attempt } from '../../src/activities/runtime/make-finding.js';
import { pause, stopIfCancelled } from '../../src/activities/runtime/poll-until.js';
import { Problem } from '../../src/domain/failure.js';
import { problemOf } from '../../src/workflows/run/interruptions.js';

/**
 * Runs `work` as an activity. `pressed` interrupts the activity, as if a person had pressed a
 * button of Temporal's Web UI. The SDK gets `button` as the reason.
 */
function underButton<T>(
  button: ConstructorParameters<typeof ActivityCancellationDetails>[0],
  work: (pressed: () => void) => Promise<T>,
): Promise<T> {
  const environment = new MockActivityEnvironment(
    { activityType: 'preflight' },
    { interceptors: [() => ({ inbound: classifying({ renew: () => undefined }) })] },
  );
  const pressed = (): void =>
    environment.cancel('CANCELLED', new ActivityCancellationDetails(button));
  return environment.run(() => work(pressed));
}
const findsNothing = async (pressed: () => void): Promise<unknown> => {
  pressed();
  return attempt('batch.query', () => {
    stopIfCancelled();
    return Promise.resolve('connected');
  });
};

describe.each([['paused'], ['reset']])('an attempt whose activity is %s', (button) => {
  const press = { [button]: true };
  it('does not return an answer that the interruption may have changed', () =>
    expect(underButton(press, findsNothing)).rejects.toBeInstanceOf(CancelledFailure));
  it('does not report its own failure, which could count as final', () =>
    expect(
      underButton(press, (pressed) => {
        pressed();
        return Promise.reject(new Problem('slot-lost', 'the connection was closed'));
      }),
    ).rejects.toBeInstanceOf(CancelledFailure));
  it('ends its wait at once', () =>
    expect(
      underButton(press, async (pressed) => {
        setTimeout(pressed, 5);
        await pause(60_000).catch(() => undefined);
        return 'as if the wait were over';
      }),
    ).rejects.toBeInstanceOf(CancelledFailure));
  it('keeps the answer of work that was done before the interruption was noticed', async () =>
    expect(
      await underButton(press, (pressed) => {
        pressed();
        return Promise.resolve('committed');
      }),
    ).toBe('committed'));
});

describe('an attempt whose run is cancelled', () => {
  it('reports its own failure', () =>
    expect(
      underButton({ cancelRequested: true }, (pressed) => {
        pressed();
        return Promise.reject(new Problem('slot-lost', 'the connection was closed'));
      }),
    ).rejects.toMatchObject({ type: 'slot-lost' }));
});

describe('a run whose step was paused or reset during its last attempt', () => {
  it.each([['ActivityPause'], ['ActivityReset']])('is blocked, and says why (%s)', (type) => {
    const cause = new ApplicationFailure('Activity paused', type);
    const failure = new ActivityFailure(
      'failed',
      'catchUp',
      '7',
      RetryState.MAXIMUM_ATTEMPTS_REACHED,
      'worker',
      cause,
    );
    expect(problemOf(failure, '2026-01-01T00:00:00.000Z')).toMatchObject({
      code: 'unreachable',
      detail: 'a person paused or reset catchUp during its last attempt',
    });
  });
});
