// Tests the start of a migration while an earlier run of the same name is still open.
import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { startWhenFree } from '../../src/cli/support/start-when-free.js';
import type { Outcome } from '../../src/domain/migration/phase.js';
import { aStatus } from '../support/status.js';

/**
 * Starts a migration on a server that has an open run with this outcome. The run closes when the
 * client waits for its result.
 */
function aServer(outcome: Outcome | null) {
  let isOpen = true;
  const handle = {
    query: () => Promise.resolve(aStatus({ outcome })),
    result: () => Promise.resolve(void (isOpen = false)),
  };
  const client = {
    withDeadline: (_deadline: number, ask: () => unknown) => ask(),
    workflow: { getHandle: () => handle },
  } as unknown as Client;
  const start = (): Promise<string> =>
    isOpen
      ? Promise.reject(
          Object.assign(new Error('open'), { name: 'WorkflowExecutionAlreadyStartedError' }),
        )
      : Promise.resolve('started');
  return startWhenFree(client, 'migration-a', start);
}

describe('a start while a run of the same name is open', () => {
  it('waits for the end of a run that has its outcome, and then starts', async () =>
    expect(await aServer('rolled-back')).toBe('started'));

  it('starts nothing while the run continues', async () => expect(await aServer(null)).toBeNull());

  it('fails with any error except that of the open run', async () => {
    const refused = () => Promise.reject(new Error('no such namespace'));
    await expect(startWhenFree({} as Client, 'migration-a', refused)).rejects.toThrow('namespace');
  });
});
