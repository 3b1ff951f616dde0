// Tests when failures of a connector's task block the run. The run blocks soon if no restart can
// help, and later if a system may only be unreachable.
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
  it('blocks the run at the second failure, with its own remedy, if no restart can help', () => {
    expect(failedTrouble('c', failures(TOO_LARGE, [0]))).toBeNull();
    expect(failedTrouble('c', failures(TOO_LARGE, [0, 5]))).toMatchObject({
      code: 'connector-failed',
      detail: expect.stringContaining('RecordTooLargeException') as string,
      remedy: expect.stringContaining('too large for a message') as string,
      blocks: true,
    });
  });

  it('blocks the run only after many restarts if a system may just be unreachable', () => {
    const times = [0, 2, 4, 8, 12, 20, 40];
    expect(failedTrouble('c', failures('Connection refused', times))).toBeNull();
    expect(failedTrouble('c', failures('Connection refused', [...times, 75]))).not.toBeNull();
  });

  it('has its failures counted from one again if an hour passes between two of them', () => {
    expect(failures(TOO_LARGE, [0, 3600, 7200]).count).toBe(1);
  });
});
