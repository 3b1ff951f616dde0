// Asks Temporal about a workflow: whether it is open, whether it has completed, which of its
// activities a person has paused, and why its guard cannot run.
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { PausedActivity } from '../domain/migration/run-standing.js';

type Asked = Pick<Client, 'workflow'>;

/** Returns whether a workflow is open. A workflow that a person paused at Temporal is open, too. */
export async function isRunning(client: Asked, workflowId: string): Promise<boolean> {
  const status = await statusOf(client, workflowId);
  return status === 'RUNNING' || status === 'PAUSED';
}

/**
 * Returns whether a workflow has ended with a result. A workflow that failed or was terminated has
 * no result.
 */
export const hasCompleted = async (client: Asked, workflowId: string): Promise<boolean> =>
  (await statusOf(client, workflowId)) === 'COMPLETED';

/** Returns whether the error says that a workflow does not exist, or that it no longer runs. */
export const isUnknownWorkflow = (error: unknown): boolean =>
  (error as Error).name === 'WorkflowNotFoundError';

/** Returns the status of a workflow. Returns null if Temporal does not know the workflow. */
async function statusOf(client: Asked, workflowId: string): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (isUnknownWorkflow(error)) return null;
    throw error;
  }
}

/**
 * Returns which activities of a running workflow a person has paused. An attempt that was already
 * running may still finish. Returns no activities if the workflow is not running.
 */
export const pausedActivities = ({
  workflowId,
  status,
  raw,
}: Pick<WorkflowExecutionDescription, 'workflowId' | 'status' | 'raw'>): PausedActivity[] =>
  status.name !== 'RUNNING'
    ? []
    : (raw.pendingActivities ?? [])
        .filter(({ paused }) => paused === true)
        .map(({ activityId, activityType }) => ({
          workflowId,
          id: activityId ?? '',
          name: activityType?.name ?? 'activity',
        }));

/** The state of a workflow that is running, but whose guard a person has paused. */
export const GUARD_PAUSED = 'guard paused';

/**
 * Returns why the guard of a workflow cannot watch the replication slot, such as `terminated` or
 * GUARD_PAUSED. Returns null if the guard can run.
 */
export function unguardedState(
  description: Pick<WorkflowExecutionDescription, 'workflowId' | 'status' | 'raw'>,
): string | null {
  const { status } = description;
  if (status.name !== 'RUNNING') return status.name.toLowerCase().replace('_', ' ');
  return pausedActivities(description).some(({ name }) => name === 'guard') ? GUARD_PAUSED : null;
}
