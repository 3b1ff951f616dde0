// Runs one window, and updates the streak, the coverage (the kinds of day on which windows passed)
// and the epoch. The phases validate, approve, cut-over and soak call `runWindow`.
import type { WindowResult } from '../../activities/windows/window-activities.js';
import type { StandsStill, WitnessRole } from '../../activities/windows/session.js';
import type { CaptureProblem } from '../../domain/capture/captured-set.js';
import { coverageOf } from '../../domain/evidence/streak.js';
import { allowedAge, type RecentResult } from '../../domain/plan/final-result.js';
import { predictedHoldMs, type Measured } from '../../domain/plan/predicted-hold.js';
import { durationMs } from '../../domain/values/duration.js';
import { call, callWithin } from '../call.js';
import { rolesOf, startConnectors } from '../run/start-connectors.js';
import type { Run } from '../run/run.js';

const ROUNDS_MS = 45_000;

type Purpose = 'window' | 'window before the fence' | 'final window' | 'shadow window';

/**
 * Returns how a window reaches a still point, a moment at which no side of the comparison changes.
 * While the source tables are fenced, no connector has to be paused. After the commit, a paused
 * connector would delay consumers, because they read the stream.
 */
function standsStill({ plan, spec }: Run, purpose: Purpose): StandsStill {
  if (purpose === 'final window' && plan.fence.kind === 'source') return 'fenced';
  return purpose === 'shadow window' && !spec.validation.stillPoint.inSoak ? 'unpaused' : 'paused';
}

/**
 * Returns how a window uses a witness, which shows the rows that changed since an earlier window.
 */
function witnessRole(run: Run, purpose: Purpose): { witness?: WitnessRole } {
  if (purpose === 'window before the fence') return { witness: 'begin' };
  const { ahead } = run.state;
  const isKept = run.spec.validation.laterWindows === 'witness';
  if (purpose !== 'final window' && isKept) return { witness: 'keep' };
  if (purpose !== 'final window' || !ahead || ahead.refused !== null) return {};
  const orReadsAll = holdOf(run, false) <= durationMs(run.spec.cutover.maxHold);
  return { witness: { after: ahead.number, orReadsAll } };
}

/** Returns the measurements from which the hold is predicted. */
export const measuredIn = ({ state }: Run): Measured => ({
  fullWindowMs: state.fullWindowMs,
  tablesMs: state.tablesCost?.ms ?? null,
  lagMs: state.lag.ms,
  rehearsedHoldMs: state.rehearsedHoldMs,
});

/** Returns the predicted hold in ms, with or without a witness. */
export const holdOf = (run: Run, isWitnessed: boolean): number =>
  predictedHoldMs(measuredIn(run), { tables: isWitnessed, results: allowedAge(run.plan) !== null });

/**
 * Returns the earlier window whose comparison of the results a final window uses. Returns an empty
 * object if the window uses none.
 */
function restsOn(run: Run, purpose: Purpose): { restsOn?: RecentResult } {
  const { recentResult } = run.state;
  return purpose === 'final window' && recentResult && allowedAge(run.plan) !== null
    ? { restsOn: recentResult }
    : {};
}

export async function runWindow(
  run: Run,
  purpose: Purpose,
  roundsMs = ROUNDS_MS,
): Promise<WindowResult> {
  run.state.windows += 1;
  const { isFull: isAskedFull, askers } = run.beginWindow();
  const number = run.state.windows;
  const { brokenGlass, evidenceEdits } = run.state;
  // a window is full if it is the first of a streak, follows a restart or belongs to a cut-over, or
  // if a person asked for a full one
  const isFull =
    purpose === 'final window' ||
    purpose === 'window before the fence' ||
    isAskedFull ||
    mustBeFull(run.state);
  const input = {
    ref: run.ref,
    number,
    roundsMs,
    isFull,
    since: run.state.facts,
    ...(brokenGlass ? { brokenGlass } : {}),
    still: standsStill(run, purpose),
    ...(purpose === 'shadow window' ? { watchesRoute: true } : {}),
    ...witnessRole(run, purpose),
    ...restsOn(run, purpose),
  };
  const began = run.now();
  const summary = `Validation: ${purpose} ${number}`;
  const found =
    purpose === 'final window'
      ? await run.ask(() => callWithin(roundsMs, 'held', 'runWindow', summary, input), false)
      : await run.ask(() => call('heavy', 'runWindow', summary, input));
  const isCounted = run.state.evidenceEdits === evidenceEdits;
  const at = plausible(found.at, began, run.now());
  const result = { ...(isCounted ? found : withoutProof(found)), at };
  run.isBetweenWindows = false;
  // a final window that used a witness or earlier results does not show how long a full window
  // takes
  const isPartial = input.restsOn !== undefined;
  const wasFull = isFull && !isPartial && result.witness?.rested !== true;
  if (isCounted) {
    absorb(run, result, wasFull, isPartial);
    noteResults(run, result, began);
  } else setAside(run, result);
  const { reason, verdict } = result.verdict;
  for (const asker of askers)
    asker.answer = { refused: null, window: { number: result.number, verdict, reason } };
  if (!result.captureProblem && !result.routeProblem) await run.unblock();
  // Under the fence, the run does not wait for the capture. After a final window that did not pass,
  // it releases the fence instead.
  if (result.captureProblem && purpose !== 'final window')
    await waitForCapture(run, result.captureProblem);
  if (wasFull && result.verdict.verdict === 'passed') {
    run.state.fullWindowMs = Math.max(0, result.tookMs - result.foldMs);
    run.state.tablesCost = result.tables;
  }
  return result;
}

/**
 * Returns the time of a window. The time is from the worker's clock, which may be wrong. So it is
 * limited to the interval from the window's beginning to the arrival of its result, by Temporal's
 * clock. Otherwise evidence could look too new, or cover a kind of day, such as a weekend, that has
 * not come.
 */
function plausible(at: string, began: string, arrived: string): string {
  if (at < began) return began;
  return at > arrived ? arrived : at;
}

/**
 * Remembers the last passed window that compared all results exactly. A change of the facts makes
 * the run forget earlier windows.
 */
function noteResults({ state }: Run, result: WindowResult, began: string): void {
  if (result.facts?.change) state.recentResult = null;
  if (result.verdict.verdict === 'passed' && result.areResultsExact)
    state.recentResult = { number: result.number, began };
}

const mustBeFull = ({ passesInARow, restart }: Run['state']): boolean =>
  passesInARow === 0 || restart !== null;

/**
 * Blocks the run until the capture is as planned again. A deleted connector is created again only
 * after `retry`, because a person may have deleted it on purpose.
 */
async function waitForCapture(run: Run, problem: CaptureProblem): Promise<void> {
  const isGone = problem.code === 'connector-gone';
  if (!isGone || !run.connectors.takeAskedBack())
    await run.park({ ...problem, since: run.now() }, !isGone);
  run.wake(); // otherwise the run stays blocked until the next window, which may be hours away
  if (!isGone) return;
  for (const role of rolesOf(run)) {
    const what = `the ${role} connector if it was deleted`;
    await run.step(() => call('patient', 'ensureConnector', `Create ${what}`, run.ref, role));
    await startConnectors(run, role, `Start ${what}`);
  }
}

/**
 * Returns the result of a window that began before an edit of a field that evidence depends on.
 * Such a window proves nothing after the edit.
 */
const withoutProof = (found: WindowResult): WindowResult => ({
  ...found,
  verdict: {
    verdict: 'inconclusive',
    reason: 'the spec was edited during the window, so the window does not count',
  },
});

/** Reports a window that does not count. */
function setAside(run: Run, { number, at, verdict: { verdict, reason } }: WindowResult): void {
  run.state.windows = number;
  run.audit({ kind: 'window', number, verdict, reason });
  run.state.lastWindow = { number, verdict, reason, at, durationMs: 0 };
  run.show();
}

/**
 * Updates the state after a window. A passed window that did not compare the results (`isPartial`)
 * adds nothing to the evidence, because the evidence also covers results.
 */
function absorb(run: Run, result: WindowResult, wasFull: boolean, isPartial: boolean): void {
  const { state } = run;
  const { verdict, reason } = result.verdict;
  // the number is higher than requested if the run was reset after it had used the requested number
  state.windows = result.number;
  state.lastWindow = {
    number: result.number,
    verdict,
    reason: reason.slice(0, 300),
    at: result.at,
    durationMs: result.tookMs,
  };
  state.lag = { ...result.lag, ms: result.lag.ms ?? state.lag.ms };
  state.matchRatio = result.compared === 0 ? null : result.matched / result.compared;
  if (result.facts) {
    const { digest, change } = result.facts;
    state.facts = digest;
    if (change?.epoch) run.newEpoch(change.epoch);
    if (change?.fullWindow)
      run.audit({ kind: 'full-window', number: result.number, reason: change.fullWindow });
    if (change?.restart && !change.epoch) run.sawRestart(change.restart);
  }
  if (result.restarted !== undefined && state.restart === null) run.sawRestart(result.restarted);
  run.audit({ kind: 'window', number: result.number, verdict, reason });
  if (verdict === 'failed') run.newEpoch(`window ${result.number} failed`, true);
  if (!isPartial || verdict !== 'passed') count(run, result, wasFull);
  run.show();
}

/** Counts the window for streak and coverage. */
function count(run: Run, result: WindowResult, wasFull: boolean): void {
  const { state } = run;
  if (result.verdict.verdict === 'passed') {
    // a window looks for changed facts before it reads rows; if it found one, it read every row
    if (wasFull || result.facts?.change) state.restart = null;
    state.isCoverageOnTrial = false;
    state.passesInARow += 1;
    state.comparedInARow =
      (state.passesInARow === 1 ? 0 : state.comparedInARow) + result.comparedNow;
    state.evidenceAt = result.at;
    state.covered = [...new Set([...state.covered, ...coverageOf(result.at)])];
  } else if (result.restarted === undefined) {
    state.passesInARow = 0;
    if (result.verdict.verdict !== 'failed' && state.isCoverageOnTrial) run.loseCoverage();
  }
}
