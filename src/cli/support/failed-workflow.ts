// Explains why a workflow failed, with the problem that one of its activities reported.
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  type WorkflowFailedError,
} from '@temporalio/client';
import { Problem, isFailureCode } from '../../domain/failure.js';

/**
 * Returns the problem of the activity that ended the workflow. Returns null if no activity ended
 * it, for example because the workflow was cancelled or terminated.
 */
export function problemOf({ cause: failed }: WorkflowFailedError): Problem | null {
  if (!(failed instanceof ActivityFailure)) return null;
  const { activityType, cause } = failed;
  if (cause instanceof CancelledFailure) return null;
  if (!(cause instanceof ApplicationFailure))
    return new Problem(
      'unreachable',
      `${activityType} did not end: ${cause?.message ?? failed.message}`,
    );
  const code = cause.type && isFailureCode(cause.type) ? cause.type : 'unexpected';
  const details = cause.details?.[0] as { readonly remedy?: string } | undefined;
  return new Problem(code, cause.message, details?.remedy);
}
