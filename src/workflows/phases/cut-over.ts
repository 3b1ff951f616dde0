// cut-over: recheck → fence → drain → final window → commit → route → confirm. After the
// commit, only the way back or a sweep returns consumers to the batch. The file
// domain/plan/cutover-steps.ts lists the steps.
import { CancellationScope } from '@temporalio/workflow';
import { call } from '../call.js';
import { areStarted } from '../run/start-connectors.js';
import { BackToValidate } from '../run/interruptions.js';
import { beginAttempt, dropTriggers, hold, undoHold, type Evidence } from '../cutover/hold.js';
import { proveSlot, recheck, refuseLongHold, untilUnpaused } from '../cutover/recheck.js';
import { gateWaitsFor } from '../run/gate-state.js';
import { everyMs, type Run } from '../run/run.js';
import { keepPaused, markReaders } from '../cutover/batch-in-soak.js';
import { keepRoute } from '../cutover/on-stream.js';
import { begins } from '../cutover/step-audit.js';

export async function cutOver(run: Run): Promise<void> {
  if (!run.state.committedAt) await untilCommit(run);
  await confirm(run);
}

async function untilCommit(run: Run): Promise<void> {
  const { epoch } = run.state;
  await untilUnpaused(run, async () => {
    await recheck(run);
    await refuseLongHold(run);
    await proveSlot(run);
  });
  // the checks can wait for hours, for example for a run of the batch
  const closed = gateWaitsFor(run.state, run.now());
  if (closed)
    throw new BackToValidate(`the cut-over may no longer begin, because it waits for ${closed}`);
  if (run.state.epoch !== epoch)
    throw new BackToValidate(`a new epoch (${run.state.epoch}) voids the evidence`);
  const evidence = beginAttempt(run);
  try {
    await hold(run, evidence);
    await commit(run, evidence);
  } catch (error) {
    const committed = run.state.committedAt !== null || (await undoHold(run, error));
    // An attempt can delay a run of the batch. With `fence: source`, it also delays all writers. So
    // the next attempt starts no sooner than the next window would.
    if (!committed && error instanceof BackToValidate)
      run.state.nextAttemptAt = new Date(Date.parse(run.now()) + everyMs(run)).toISOString();
    // If a rollback was requested, the error must end this phase even after a commit. The phase
    // roll-back then returns consumers to the batch.
    if (!committed || run.state.wayBack) throw error;
  } finally {
    run.isHolding = false;
  }
}

/**
 * Commits. No cancellation interrupts the commit. Its result is read from the lease row, never
 * guessed.
 */
async function commit(run: Run, evidence: Evidence): Promise<void> {
  refuseOnWayBack(run);
  begins(run, 'commit');
  await CancellationScope.nonCancellable(async () => {
    const what = `Commit in one transaction: ${run.plan.route.words.commit}lease row`;
    const { refused, rows } = await run.step(() => {
      // a rollback may be requested while the commit is blocked
      refuseOnWayBack(run);
      return call('quick', 'commitCutover', what, evidence);
    }, false);
    if (refused) throw new BackToValidate(`commit refused: ${refused}`);
    run.state.committedAt = run.now();
    const { evidenceId } = evidence;
    run.audit({ kind: 'committed', evidenceId, rows: rows ?? null, after: null });
    run.show();
    void run.flush(); // consumers do not wait for the ledger
  });
}

function refuseOnWayBack({ state }: Run): void {
  if (state.wayBack) throw new BackToValidate('a rollback was requested before the commit');
}

async function confirm(run: Run): Promise<void> {
  const { ref } = run;
  const { route } = run.plan;
  begins(run, 'route');
  await dropTriggers(run, true);
  if (route.movesSink) {
    await run.step(() =>
      call('patient', 'moveSink', 'Move the sink to the table that the stream now owns', ref),
    );
    areStarted(run, 'sink');
  }
  begins(run, 'confirm');
  let isConfirmed = await switchRoute(run);
  if (route.refusesBatch) await keepPaused(run);
  else if (run.spec.batch?.pause)
    await run.ask(() =>
      call('quick', 'batchAction', 'Resume the batch, in shadow', ref, 'resume', null),
    );
  if (run.spec.batch) await markReaders(run);
  while (!isConfirmed) {
    const { side } = run.state.route!;
    const detail = `consumers read the ${side} side after the commit`;
    const remedy = `${route.words.unexpected}, then: sluice retry or sluice rollback`;
    await run.park({ code: 'route-unexpected', since: run.now(), detail, remedy }, true);
    isConfirmed = await switchRoute(run);
  }
  await run.unblock();
  run.state.soakFrom = run.now();
}

/**
 * If the route needs another system to switch consumers, asks that system to do so. Returns whether
 * consumers are observed on the stream side.
 */
async function switchRoute(run: Run): Promise<boolean> {
  const { ref, plan } = run;
  if (plan.route.asksOtherSystem)
    await run.ask(() => call('quick', 'orderRoute', 'Switch the route to the stream side', ref));
  const observed = await run.ask(() =>
    call('quick', 'observeRoute', 'Confirm what consumers read', ref),
  );
  keepRoute(run, observed);
  return observed.side === 'stream';
}
