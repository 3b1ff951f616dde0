// A sweep removes what a terminated or ended migration left behind. It checks again whether the
// migration is running. The command that starts a sweep checks this first, but that check may be
// old, or may have asked a different namespace.
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createLeftoverActivities } from '../../src/activities/objects/sweep-activities.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { aRef } from '../support/builders.js';

const HERE = { name: 'prod', id: 'id-1' };

/**
 * Opens a migration's run for a sweep. The migration's workflow has this status at Temporal. Null
 * means that Temporal does not know the workflow.
 */
function openRun(
  status: string | null,
  recordedId = HERE.id,
  outcome: string | null = null,
): Promise<{ objects: unknown[] }> {
  const { spec, workflowId, runKey, planHash } = aRef();
  const row = { iteration: 1, generation: 1, workflow_id: workflowId, run_key: runKey };
  const ledger = {
    query: () => Promise.resolve([{ ...row, plan_hash: planHash, spec }]),
    migrations: () => Promise.resolve([{ namespace: 'prod', namespace_id: recordedId, outcome }]),
    openObjects: () => Promise.resolve([{ kind: 'slot', name: 's', where: 'w' }]),
  };
  const describes = (): Promise<unknown> =>
    status === null
      ? Promise.reject(new WorkflowNotFoundError('gone', workflowId, undefined))
      : Promise.resolve({ status: { name: status } });
  const client = {
    withAbortSignal: (_signal: AbortSignal, use: () => unknown) => use(),
    workflow: { getHandle: () => ({ describe: describes }) },
  };
  const activities = createLeftoverActivities({ ledger, namespace: HERE } as unknown as Deps);
  return new MockActivityEnvironment({}, { client: client as unknown as Client }).run(() =>
    activities.openRun('bank'),
  );
}

describe('a sweep', () => {
  it.each(['RUNNING', 'PAUSED'])('refuses a migration whose workflow is %s', async (status) =>
    expect(openRun(status)).rejects.toThrow('bank is running, so it has no leftovers'),
  );
  it('refuses a migration of another Temporal server, because it cannot see the workflow', async () =>
    expect(openRun(null, 'id-2')).rejects.toThrow('belongs to namespace prod of another Temporal'));
  it('refuses a run that has completed if a restored ledger lacks its outcome', async () =>
    expect(openRun('COMPLETED')).rejects.toThrow('It may list objects that were handed over'));
  it('takes over the objects that a rollback has left and recorded', async () =>
    expect((await openRun('COMPLETED', HERE.id, 'rolled-back')).objects).toHaveLength(1));
  it.each(['TERMINATED', null])(
    'takes over the objects of a workflow whose status is %s (null: Temporal does not know it)',
    async (status) => expect((await openRun(status)).objects).toHaveLength(1),
  );
});
