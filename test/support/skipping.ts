// Skips the time that code waits for. The test MUST use vitest's fake timers.
import { vi } from 'vitest';

/** Runs all timers until `work` ends, and returns its result. */
export async function skipping<T>(work: Promise<T>): Promise<T> {
  const ended = work.finally(() => undefined);
  ended.catch(() => undefined); // the work may fail before a caller awaits it
  await vi.runAllTimersAsync();
  return ended;
}
