// Makes the checks before a hold. They require that nothing has changed since the evidence was
// collected, that no run of the batch is active, that the hold fits into maxHold, and that a worker
// has a free slot for the final window.
import { isCancellation } from '@temporalio/workflow';
import { durationMs } from '../../domain/values/duration.js';
import { FAILURES } from '../../domain/failure.js';
import { awaitsFullWindow } from '../../domain/evidence/streak.js';
import type { FactsSeen } from '../../domain/evidence/epoch.js';
import { call, callWithin } from '../call.js';
import { BackToValidate } from '../run/interruptions.js';
import { everyMs, type Run } from '../run/run.js';
import { holdOf, measuredIn, runWindow } from '../windows/windows.js';
import { allowedAge, recommendedAge } from '../../domain/plan/final-result.js';
import { resultMode } from '../../domain/plan/planned-subjects.js';
import { COMMIT_RESERVE_MS, resultsMs } from '../../domain/plan/predicted-hold.js';
import { passAhead, resultsProblem } from './ahead.js';
import { findsItselfCommitted } from './hold.js';
import { begins } from './step-audit.js';

const SLOT_PATIENCE_MS = 10_000;
const COMMITTED = 'the lease row says that the cut-over has already happened';

/**
 * Checks that nothing has changed since the evidence was collected, and that no run of the batch is
 * active. After a wait for an active run, it checks everything again. Then it makes the full pass
 * (it compares every row), if the final window can use one.
 */
export async function recheck(run: Run): Promise<void> {
  begins(run, 'recheck');
  await untilReady(run);
  // a full pass can take a long time, so everything is checked again after it
  if (await passAhead(run)) await untilReady(run);
  const problem = resultsProblem(run);
  if (problem === null) return;
  // The approvals still count. Without this delay, the next attempt would begin as soon as enough
  // windows have passed.
  run.state.nextAttemptAt = new Date(Date.parse(run.now()) + everyMs(run)).toISOString();
  throw new BackToValidate(problem);
}

/**
 * Runs the checks before a hold. Runs them again after a pause that began during the last check,
 * because no hold may begin while the run is paused.
 */
export async function untilUnpaused(run: Run, check: () => Promise<void>): Promise<void> {
  do {
    await run.edge();
    await check();
  } while (run.state.paused);
}

async function untilReady(run: Run): Promise<void> {
  for (;;) {
    await recheckEvidence(run);
    const active = await run.step(() =>
      call('quick', 'activeBatchRun', 'Recheck that no run of the batch is active', run.ref),
    );
    if (!active) return;
    run.audit({ kind: 'waiting', for: active });
    await run.step(() => call('long', 'untilNoBatchRun', `Wait: ${active}`.slice(0, 120), run.ref));
  }
}

async function recheckEvidence(run: Run): Promise<void> {
  if (await findsItselfCommitted(run)) throw new BackToValidate(COMMITTED);
  const { change } = await readFacts(run);
  if (change?.epoch) {
    run.newEpoch(change.epoch);
    throw new BackToValidate(`changed since the evidence was collected: ${change.epoch}`);
  }
  if (run.state.restart !== null) await proveAfterRestart(run, run.state.restart);
  if (run.plan.route.isTried) await run.step(() => proveRoute(run));
}

/**
 * Proves that the route can be switched. If the proof fails, the commit may have switched the route
 * already: a run that was reset to a moment after it read the lease row does not know this. So the
 * row is read again.
 */
async function proveRoute({ ref }: Run): Promise<void> {
  const what = 'Prove that the view can be switched and restored for all of its readers';
  try {
    await call('quick', 'proveRoute', what, ref);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const asked = 'Read the lease row: did the cut-over happen?';
    if (await call('quick', 'isSwitched', asked, ref, true)) throw new BackToValidate(COMMITTED);
    throw error;
  }
}

/**
 * Reads the facts. Repeats this until every connector task and consumer group in the facts is
 * running, or until a change of the facts requires a new epoch.
 */
async function readFacts(run: Run): Promise<FactsSeen> {
  for (;;) {
    const seen = await run.ask(() =>
      call(
        'patient',
        'readFacts',
        'Recheck the facts that the evidence depends on',
        run.ref,
        run.state.facts,
      ),
    );
    // A change may require a full window. For the tables, the final window is full, so it covers
    // the change. An earlier comparison of the results does not cover it.
    run.state.facts = seen.digest;
    if (seen.change) run.state.recentResult = null;
    // The next reading of the facts no longer shows this change, so a restart is recorded now.
    if (seen.change?.restart && !seen.change.epoch) run.sawRestart(seen.change.restart);
    if (seen.stopped === undefined || seen.change?.epoch) {
      await run.unblock();
      return seen;
    }
    const remedy = 'start it; the run tries again by itself, or at once with: sluice retry';
    await run.park({ code: 'unreachable', since: run.now(), detail: seen.stopped, remedy }, true);
  }
}

/**
 * Runs the full window that is required after a restart. The window runs at once, so that the
 * cut-over does not miss its change window.
 */
async function proveAfterRestart(run: Run, restart: string): Promise<void> {
  const { epoch } = run.state;
  const { number, verdict } = await runWindow(run, 'window');
  if (run.state.epoch !== epoch)
    throw new BackToValidate(`window ${number} voids the evidence: ${verdict.reason}`);
  if (run.state.restart !== null)
    throw new BackToValidate(
      `${awaitsFullWindow(restart)}, and window ${number} is ${verdict.verdict}: ${verdict.reason}`,
    );
}

/**
 * Refuses a hold that would be longer than maxHold. Its fence would expire before the commit, so
 * the batch would be paused for nothing.
 */
export async function refuseLongHold(run: Run): Promise<void> {
  const { fullWindowMs, tablesCost, ahead, rehearsedHoldMs } = run.state;
  const predicted = holdOf(run, ahead !== null && ahead.refused === null);
  const allowed = durationMs(run.spec.cutover.maxHold);
  if (predicted <= allowed) return;
  const seconds = (ms: number | null): number => Math.ceil((ms ?? 0) / 1000);
  const unwitnessed = ahead?.refused ?? tablesCost?.unwitnessed;
  await run.park(
    {
      code: 'hold-too-long',
      since: run.now(),
      detail: `the predicted hold of ${seconds(predicted)} s is longer than maxHold (${allowed / 1000} s): the last full window took ${seconds(fullWindowMs)} s${rehearsedHoldMs === null ? '' : `, the rehearsal held for ${seconds(rehearsedHoldMs)} s`}${unwitnessed ? `; the final window would have to read every row, because ${unwitnessed}` : ''}${recommendation(run)}`,
      remedy: FAILURES['hold-too-long'].remedy,
    },
    false,
  );
  // The measured time of a rehearsal would make the next prediction as long again. Without it, only
  // the measurements of windows count.
  run.state.rehearsedHoldMs = null;
  throw new BackToValidate('the predicted hold was longer than maxHold, so it is measured again');
}

/** Recommends `finalResult: recent` if the comparison of the results makes the hold too long. */
function recommendation(run: Run): string {
  const tookMs = resultsMs(measuredIn(run));
  const isLong = tookMs + COMMIT_RESERVE_MS > durationMs(run.spec.cutover.maxHold);
  if (!isLong || allowedAge(run.plan) !== null || resultMode(run.plan) !== 'exact') return '';
  return `; comparing the results took ${Math.ceil(tookMs / 1000)} s of that window; with cutover.finalResult: { recent: ${recommendedAge(tookMs)} }, the final window would use an earlier exact comparison of the results`;
}

/**
 * Proves that a worker has a free slot for the final window. Otherwise, the hold could become long
 * because the final window waits for the final windows of other migrations.
 */
export async function proveSlot(run: Run): Promise<void> {
  await run.step(() =>
    callWithin(
      SLOT_PATIENCE_MS,
      'held',
      'findHoldSlot',
      'Check that a worker has a slot free for the final window',
    ),
  );
}
