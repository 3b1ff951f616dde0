// Starts a workflow whose id an earlier run may still use for a moment.
import type { Client } from '@temporalio/client';
import type { Status } from '../../domain/evidence/ledger-rows.js';
import { within } from './ask-run-state.js';

/**
 * The time limit (ms) for the end of a run that has its outcome. Such a run stays open only until
 * its last events are in the ledger.
 */
const END_MS = 30_000;

/**
 * Calls `start`. If a run of this workflow id already has its outcome, waits until it has closed
 * and calls `start` again. Returns null if a run of this id is still open.
 */
export async function startWhenFree<T>(
  client: Client,
  workflowId: string,
  start: () => Promise<T>,
): Promise<T | null> {
  const started = await unlessRunning(start);
  if (started !== null) return started;
  const handle = client.workflow.getHandle(workflowId);
  const status = await within(client, () => handle.query<Status>('status')).catch(() => null);
  if (status === null || status.outcome === null) return null;
  await client.withDeadline(Date.now() + END_MS, () => handle.result()).catch(() => undefined);
  return unlessRunning(start);
}

async function unlessRunning<T>(start: () => Promise<T>): Promise<T | null> {
  try {
    return await start();
  } catch (error) {
    if ((error as Error).name === 'WorkflowExecutionAlreadyStartedError') return null;
    throw error;
  }
}
