// Runs the main path. A rollback, a reject, a cancellation or a failed soak interrupts it. Then the
// roll-back phase runs, which nothing can interrupt.
import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Outcome } from '../../domain/migration/phase.js';
import { GenerationLost, RunRefused } from './interruptions.js';
import { requestWayBack } from './requests.js';
import type { PhaseBody, Run } from './run.js';

export interface MigrationResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly iteration: number;
  readonly leftovers: readonly { readonly kind: string; readonly name: string }[];
}

/** Runs the main path, and the roll-back phase if something interrupted the main path. */
export async function withRollBack(
  run: Run,
  rollBack: PhaseBody,
  forward: () => Promise<void>,
): Promise<void> {
  if (!run.isBehind('roll-back') && !run.state.wayBack) await goForward(run, forward);
  if (run.state.wayBack)
    await CancellationScope.nonCancellable(() => run.enter('roll-back', rollBack)).catch(
      failIfRefused,
    );
}

/** Ends the run as Failed if its spec or name was refused. Throws any other error unchanged. */
function failIfRefused(error: unknown): never {
  throw error instanceof RunRefused
    ? ApplicationFailure.nonRetryable(error.message, 'refused')
    : error;
}

async function goForward(run: Run, forward: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  run.interrupt = () => scope.cancel();
  let isAsked = false;
  const askForWayBack = (): void => {
    if (run.state.wayBack || isAsked) return;
    isAsked = true;
    const reason = 'the workflow was cancelled';
    requestWayBack(run, { outcome: 'aborted', by: 'cancel', reason });
  };
  // The commit and the undo of a hold are not cancelled. They look for a requested rollback in the
  // state, so the request must be in the state at once.
  scope.cancelRequested.catch(askForWayBack);
  try {
    await scope.run(forward);
  } catch (error) {
    if (error instanceof RunRefused) failIfRefused(error);
    const isLostOnTheWay = error instanceof GenerationLost && run.state.wayBack !== null;
    if (!isCancellation(error) && !isLostOnTheWay) throw error;
    askForWayBack();
    // the rollback was refused, so the run finishes the main path
    if (!run.state.wayBack) await CancellationScope.nonCancellable(forward);
  } finally {
    run.interrupt = undefined;
  }
}

/**
 * Returns the workflow's result. The last phase sets the outcome after it has verified its
 * clean-up.
 */
export function finish(run: Run): Promise<MigrationResult> {
  const { outcome, iteration, leftovers } = run.state;
  if (!outcome) throw new Error('a run ended without an outcome');
  return Promise.resolve({ name: run.status().name, outcome, iteration, leftovers });
}
