// Waits for the answer of a workflow, but only while a worker can give it. Otherwise, a command of
// `sluice` could wait forever.
import {
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcCancelledError,
  isGrpcDeadlineError,
  type Client,
} from '@temporalio/client';
import { obstacleOf } from '../../domain/migration/run-standing.js';
import { lookAtWorkflow } from './ask-run-state.js';
import { CliError, EXIT } from './output.js';

/** After this time without an answer, Temporal is asked whether the workflow can answer. */
const LOOK_MS = 10_000;

/**
 * A busy Temporal server may answer one call too late. Temporal counts as unreachable only after
 * this many unanswered calls in a row.
 */
const LOOKS = 3;

/**
 * Returns whether a call reached its deadline. Either the client or the server ends such a call
 * first, and each of them uses a different error code.
 */
const isOverdue = (error: unknown): boolean =>
  error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
  isGrpcDeadlineError(error) ||
  isGrpcCancelledError(error);

/**
 * Calls `ask` until it answers. `ask` MUST be safe to repeat. Throws an error with exit code 4 and
 * the reason if no worker can answer. The error comes at most about 80 s after the last worker
 * died, or after about 40 s if Temporal does not answer. `what` names the request.
 */
export async function whileServed<T>(
  client: Client,
  workflowId: string,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  for (let missed = 0; ;) {
    try {
      return await client.withDeadline(Date.now() + LOOK_MS, ask);
    } catch (error) {
      if (!isOverdue(error)) throw error;
      const { seen } = await lookAtWorkflow(workflowId, client, '', false);
      missed = seen.kind === 'unreachable' ? missed + 1 : 0;
      const obstacle = obstacleOf(seen);
      if (!obstacle || (missed > 0 && missed < LOOKS)) continue;
      throw new CliError(
        EXIT.unreachable,
        'no-answer',
        `${what} was sent to ${workflowId} but not answered: ${obstacle.problem}. It may still take effect when a worker runs`,
        obstacle.remedy,
      );
    }
  }
}
