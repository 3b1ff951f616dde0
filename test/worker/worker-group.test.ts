// Tests that several Temporal workers in one process end together, and report the first error.
import { GracefulShutdownPeriodExpiredError } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { serve } from '../../src/wiring/worker-group.js';

/**
 * A worker that fails with `error` at once, or runs until it is shut down. In the second case, its
 * shutdown may end with the error `late`.
 */
function aWorker(log: string[], name: string, error?: Error, late?: Error) {
  let state: 'RUNNING' | 'STOPPED' = 'RUNNING';
  let end: () => void = () => undefined;
  return {
    getState: () => state,
    shutdown: () => {
      log.push(`${name} shuts down`);
      end();
    },
    run: async () => {
      if (!error) await new Promise<void>((resolve) => (end = resolve));
      state = 'STOPPED';
      log.push(`${name} ended`);
      if (error ?? late) throw error ?? late;
    },
  };
}
const expired = (): Error => new GracefulShutdownPeriodExpiredError('30 s');

describe('workers of one process', () => {
  it('all end before the first error is thrown, so that their connection is not closed too early', async () => {
    const log: string[] = [];
    const workers = [aWorker(log, 'a'), aWorker(log, 'b', new Error('lost'))];
    await expect(serve(workers, () => undefined)).rejects.toThrow('lost');
    expect(log).toEqual(['b ended', 'a shuts down', 'a ended']);
  });
  it("end without an error if activities outlast the shutdown's grace period", async () => {
    const said: string[] = [];
    const workers = [aWorker([], 'a', expired()), aWorker([], 'b', undefined, expired())];
    await serve(workers, (line) => said.push(line));
    expect(said.join()).toContain('Temporal starts them again');
  });
});
