// Tests what `sluice prove` and `doctor --leftovers --remove` say, and their exit codes, if their
// workflow fails. It also tests that `sluice prove` asks a person to stop the
// pipeline, and which number the workflow ID of a proof ends with.
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
} from '@temporalio/client';
import { RetryState, TimeoutType } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { whyStopped } from '../../src/cli/doctor-leftovers.js';
import { saidOf, startNext, whyFailed } from '../../src/cli/prove.js';
import { fail } from '../../src/cli/support/output.js';
import { aSpec } from '../support/builders.js';
import { failure } from '../support/fake-activities.js';

beforeAll(() => void vi.spyOn(process.stderr, 'write').mockReturnValue(true));
afterAll(() => void vi.restoreAllMocks());

type Cause = ApplicationFailure | CancelledFailure | TimeoutFailure;

/** A workflow that failed because its activity did. */
const failedIn = (activity: string, cause: Cause): WorkflowFailedError =>
  new WorkflowFailedError(
    'Workflow execution failed',
    new ActivityFailure('failed', activity, '1', RetryState.MAXIMUM_ATTEMPTS_REACHED, '', cause),
    RetryState.RETRY_POLICY_NOT_SET,
  );
const ended = (cause: Error): WorkflowFailedError =>
  new WorkflowFailedError('Workflow execution ended', cause, RetryState.NON_RETRYABLE_FAILURE);
const late = new TimeoutFailure(
  'activity StartToClose timeout',
  undefined,
  TimeoutType.START_TO_CLOSE,
);

describe('the exit code of a proof without a result', () => {
  it.each([
    ['spec-invalid', 2],
    ['unreachable', 4],
    ['permission-denied', 4],
    ['unexpected', 1],
  ] as const)('after the problem %s is %i', (code, exit) =>
    expect(fail(whyFailed(failedIn('openProof', failure(code, 'why'))), 'text')).toBe(exit),
  );
  it('is 4 if an activity did not end in time, and the message names that activity', () => {
    const error = whyFailed(failedIn('openProof', late));
    expect(fail(error, 'text')).toBe(4);
    expect(error.message).toContain('openProof');
  });
  it('is 130 after Ctrl-C, and 1 if another person terminated the proof', () => {
    expect(fail(whyFailed(ended(new CancelledFailure('cancelled'))), 'text')).toBe(130);
    expect(fail(whyFailed(ended(new TerminatedFailure('terminated'))), 'text')).toBe(1);
  });
});

describe('the remedy of a proof without a result', () => {
  it('is to correct the spec or to run the proof again, because `sluice retry` is only for migrations', () => {
    const of = (code: 'spec-invalid' | 'unreachable') =>
      whyFailed(failedIn('openProof', failure(code, 'why')));
    expect(of('spec-invalid')).toMatchObject({ message: 'why', remedy: 'fix it' });
    expect(of('unreachable')).toMatchObject({
      remedy: 'correct what the message names, then run sluice prove again',
    });
  });
});

it('a proof without --run asks the person to stop the pipeline', () => {
  expect(saidOf('stop-pipeline', false)).toMatch(/^stop your pipeline now/);
  expect(saidOf('stop-pipeline', true)).toBe('stopping the pipeline');
});

it('a proof takes the next number if Temporal knows its workflow ID, but the ledger does not', async () => {
  const started: string[] = [];
  const start = (type: string, { workflowId }: { workflowId: string }) => {
    started.push(workflowId);
    return started.length < 3
      ? Promise.reject(new WorkflowExecutionAlreadyStartedError('known', workflowId, type))
      : Promise.resolve({ workflowId });
  };
  const client = { workflow: { start } } as unknown as Client;
  const input = { slice: 'id = 1', stage: null, runs: 0, by: 'ann', patienceMs: 1 };
  let number = 0;
  const handle = await startNext(client, { spec: aSpec(), ...input }, () =>
    Promise.resolve(`proof-bank-${(number += 1)}`),
  );
  expect([handle.workflowId, started.length]).toEqual(['proof-bank-3', 3]);
});

describe('a sweep that fails', () => {
  const slot = failure('clean-up', 'slot a is still in use after 65 s');
  it('does not say that it removed nothing, because it may have removed some objects', () => {
    const error = whyStopped('bank', failedIn('removeSlot', slot));
    expect(error.message).toMatch(/may have removed some objects: slot a is still in use/);
    expect(error).toMatchObject({
      remedy: 'correct what the message names, then: sluice doctor --leftovers --remove',
    });
    expect(fail(error, 'text')).toBe(1);
  });
  it('ends with exit 4 if a system did not answer', () =>
    expect(
      fail(whyStopped('bank', failedIn('removeTopic', failure('unreachable', 'away'))), 'text'),
    ).toBe(4));
  it('says that it removed nothing, and gives the remedy of the refusal, if the name is refused', () =>
    expect(
      whyStopped('bank', failedIn('openRun', failure('name-refused', 'bank is running'))),
    ).toMatchObject({
      exitCode: 1,
      message: 'bank: bank is running; no object was removed',
      next: ['fix it'],
    }));
});
