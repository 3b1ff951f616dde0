// Defines errors that change the course of the main path. Phases throw them, and the loops of Run
// (`eachGeneration` and `untilCommitted`) catch most of them. Also describes the failures of
// activities for a person.
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { FAILURES, isFailureCode, type Blocked } from '../../domain/failure.js';

/** Thrown before the commit: the run releases the fence and validates again. */
export class BackToValidate extends Error {}

/** Thrown if the capture was lost, so that changes are missing. This ends the generation. */
export class GenerationLost extends Error {
  readonly problem: Blocked;
  constructor(problem: Blocked) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * Thrown for a wrong spec or a refused name. Only this error ends a run as Failed. Nothing has been
 * created at that point.
 */
export class RunRefused extends Error {}

/** The types of the SDK's failures if a person pauses or resets an activity during an attempt. */
const SET_ASIDE = ['ActivityPause', 'ActivityReset'];

/** Returns true if an activity did not start in time, because no worker had a free slot. */
export const foundNoSlot = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof TimeoutFailure &&
  error.cause.timeoutType === 'SCHEDULE_TO_START';

/**
 * Describes an activity's failure for a person. Returns null for any other error, which is a defect
 * and must fail the workflow task visibly.
 */
export function problemOf(error: unknown, now: string): Blocked | null {
  if (!(error instanceof ActivityFailure)) return null;
  const { cause } = error;
  if (cause instanceof ApplicationFailure && SET_ASIDE.includes(cause.type ?? ''))
    return {
      code: 'unreachable',
      since: now,
      detail: `a person paused or reset ${error.activityType} during its last attempt`,
      remedy: 'sluice retry',
    };
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as { remedy?: string } | undefined;
    const code = cause.type && isFailureCode(cause.type) ? cause.type : 'unexpected';
    return {
      code,
      since: now,
      detail: cause.message,
      remedy: details?.remedy ?? FAILURES[code].remedy,
    };
  }
  if (foundNoSlot(error))
    return {
      code: 'unreachable',
      since: now,
      detail: `no worker had a free slot for ${error.activityType}`,
      remedy:
        'wait for the cut-overs of other migrations, or start another worker. The run tries again by itself',
    };
  if (cause instanceof TimeoutFailure)
    return {
      code: 'unreachable',
      since: now,
      detail: `${error.activityType} did not answer in time (${cause.message})`,
      remedy:
        'check that a worker is running. The run tries again by itself, or at once with: sluice retry',
    };
  return {
    code: 'unexpected',
    since: now,
    detail: `${error.activityType}: ${cause?.message ?? error.message}`,
    remedy: FAILURES.unexpected.remedy,
  };
}
