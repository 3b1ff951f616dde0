// Asks Temporal whether a workflow is open, or has ended by itself.
import type { Client } from '@temporalio/client';

type Asked = Pick<Client, 'workflow'>;

/** Returns whether a workflow is open. A workflow that a person paused at Temporal is open, too. */
export async function isRunning(client: Asked, workflowId: string): Promise<boolean> {
  const status = await statusOf(client, workflowId);
  return status === 'RUNNING' || status === 'PAUSED';
}

/** Returns whether a workflow has returned its result. It did not fail, and was not terminated. */
export const hasCompleted = async (client: Asked, workflowId: string): Promise<boolean> =>
  (await statusOf(client, workflowId)) === 'COMPLETED';

/** Returns the status of a workflow. Returns null if Temporal does not know the workflow. */
async function statusOf(client: Asked, workflowId: string): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if ((error as Error).name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}
