// When failures of a connector's task hold the run up: soon where no restart helps, later where a system may only be away.
import { describe, expect, it } from 'vitest';
import {
  countFailure,
  failedTrouble,
  type Failing,
} from '../../src/domain/capture/connector-trouble.js';

const TOO_LARGE =
  'org.apache.kafka.common.errors.RecordTooLargeException: The message is 3200700 bytes when serialized';
const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
const failures = (cause: string, times: readonly number[]): Failing =>
  times.reduce<Failing | undefined>(
    (before, time) => countFailure(before, cause, at(time)),
    undefined,
  )!;

describe('a task that fails', () => {
  it('for a cause that no restart removes holds the run up at the second failure, with its own remedy', () => {
    expect(failedTrouble('c', failures(TOO_LARGE, [0]))).toBeNull();
    expect(failedTrouble('c', failures(TOO_LARGE, [0, 5]))).toMatchObject({
      code: 'connector-failed',
      detail: expect.stringContaining('RecordTooLargeException') as string,
      remedy: expect.stringContaining('too large for a message') as string,
      blocks: true,
    });
  });

  it('because a system was away does not hold the run up until restarts have gone on for a while', () => {
    const times = [0, 2, 4, 8, 12, 20, 40];
    expect(failedTrouble('c', failures('Connection refused', times))).toBeNull();
    expect(failedTrouble('c', failures('Connection refused', [...times, 75]))).not.toBeNull();
  });

  it('now and then, with hours between, is counted from one', () => {
    expect(failures(TOO_LARGE, [0, 3600, 7200]).count).toBe(1);
  });
});
