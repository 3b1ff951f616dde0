// Asks Temporal whether a workflow is open.
import type { Client } from '@temporalio/client';

/** Returns whether a workflow is open. A workflow that a person paused at Temporal is open, too. */
export async function isRunning(
  client: Pick<Client, 'workflow'>,
  workflowId: string,
): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if ((error as Error).name === 'WorkflowNotFoundError') return false;
    throw error;
  }
}
