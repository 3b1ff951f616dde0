// Tests that a verb does not wait forever for the answer of a workflow. If no worker polls the task
// queue, the verb ends and says so.
import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { isRunning } from '../../src/clients/running-workflow.js';
import { whileServed } from '../../src/cli/support/ask-while-served.js';

const [CANCELLED, DEADLINE_EXCEEDED] = [1, 4]; // codes of gRPC

class Overdue extends Error {
  readonly details = 'the call ended';
  readonly metadata = {};
  readonly code: number | undefined;

  constructor(code = DEADLINE_EXCEEDED) {
    super();
    this.code = code;
  }
}

/** A client for a task queue that a worker last polled this many milliseconds ago. Null: never. */
function aClient(polledMsAgo: number | null, status = 'RUNNING'): Client {
  const pollers =
    polledMsAgo === null
      ? []
      : [{ lastAccessTime: { seconds: Math.floor((Date.now() - polledMsAgo) / 1000) } }];
  const description = { status: { name: status }, taskQueue: 'migrations', runId: 'r', raw: {} };
  return {
    options: { namespace: 'default' },
    withDeadline: (_deadline: number, ask: () => Promise<unknown>) => ask(),
    workflow: { getHandle: () => ({ describe: () => Promise.resolve(description) }) },
    workflowService: { describeTaskQueue: () => Promise.resolve({ pollers }) },
  } as unknown as Client;
}
const never = (): Promise<never> => Promise.reject(new Overdue());

describe('a request to a workflow', () => {
  it('ends with exit 4 and the remedy if no worker polls the queue', async () => {
    const asked = whileServed(aClient(null), 'migration-a', 'The decision', never);
    await expect(asked).rejects.toMatchObject({
      exitCode: 4,
      next: ['sluice worker'],
      message: expect.stringMatching(
        /^The decision was sent to migration-a but not answered: no worker polls task queue/,
      ) as string,
    });
  });
  it('ends if its workflow is terminated in the meantime', async () =>
    expect(whileServed(aClient(0, 'TERMINATED'), 'migration-a', 'It', never)).rejects.toThrow(
      'its workflow was terminated',
    ));
  it('is repeated as long as a worker polls, because that worker may be busy', async () => {
    let asked = 0;
    const ask = (): Promise<string> =>
      (asked += 1) < 4 ? Promise.reject(new Overdue()) : Promise.resolve('accepted');
    expect(await whileServed(aClient(5000), 'migration-a', 'It', ask)).toBe('accepted');
  });
  it('is repeated if the server cancelled the call at its deadline', async () => {
    let asked = 0;
    const ask = (): Promise<string> =>
      (asked += 1) < 2 ? Promise.reject(new Overdue(CANCELLED)) : Promise.resolve('accepted');
    expect(await whileServed(aClient(5000), 'migration-a', 'It', ask)).toBe('accepted');
  });
  it.each([
    ['is repeated if Temporal fails to describe the workflow twice in a row', 2, 'accepted'],
    ['ends with exit 4 if Temporal fails to describe the workflow three times in a row', 3, 4],
  ])('%s', async (_what, misses, end) => {
    const client = aClient(5000);
    const handle = client.workflow.getHandle('migration-a');
    let [asked, looks] = [0, 0];
    const missing = (): Promise<unknown> =>
      (looks += 1) <= misses ? Promise.reject(new Overdue()) : handle.describe();
    Object.assign(client.workflow, { getHandle: () => ({ describe: missing }) });
    const ask = (): Promise<string> =>
      (asked += 1) < 4 ? Promise.reject(new Overdue()) : Promise.resolve('accepted');
    const answer = await whileServed(client, 'migration-a', 'It', ask).catch(
      (error: unknown) => (error as { exitCode: number }).exitCode,
    );
    expect(answer).toBe(end);
  });
  it('fails at once with any error except a timeout or a cancelled call', async () =>
    expect(
      whileServed(aClient(0), 'migration-a', 'It', () => Promise.reject(new Error('refused'))),
    ).rejects.toThrow('refused'));
});

describe('the status of a workflow at Temporal', () => {
  it.each([
    ['PAUSED', true],
    ['RUNNING', true],
    ['TERMINATED', false],
  ])('says whether it is still open and owns its objects: %s means %s', async (status, isOpen) =>
    expect(await isRunning(aClient(0, status), 'migration-a')).toBe(isOpen),
  );
});
