// soak: the batch, or only its query, continues as a shadow, which windows compare with the stream.
// The soak ends when its time is over, enough windows in a row have passed, and consumers still
// read the stream. Two people can end it earlier. It checks what consumers read, because `complete`
// cannot be undone.
import type { WindowResult } from '../../activities/windows/window-activities.js';
import { FAILURES } from '../../domain/failure.js';
import { call } from '../call.js';
import { everyMs, type Run } from '../run/run.js';
import { keepPaused, markReaders } from '../cutover/batch-in-soak.js';
import { untilOnStream } from '../cutover/on-stream.js';
import { requestWayBack } from '../run/requests.js';
import { soakEnds } from '../run/state.js';
import { runWindow } from '../windows/windows.js';

export async function soak(run: Run): Promise<void> {
  do {
    await watchShadow(run);
    await nameReaders(run);
    // A person may extend the soak while the run is blocked by readers of the batch's table.
  } while ((await wasRouteLost(run)) || !isOver(run));
}

const endOf = (run: Run): number => Date.parse(soakEnds(run.state, run.spec.soak));

const hasPasses = ({ state, spec }: Run): boolean => state.shadowPasses >= spec.soak.passes;

/**
 * Returns true if two people asked for an early end, and the latest window has passed. If the
 * spec requires no passed windows, the early end needs none either.
 */
const isEarly = ({ state, spec }: Run): boolean =>
  state.completesEarly && state.shadowPasses >= Math.min(1, spec.soak.passes);

const isOver = (run: Run): boolean =>
  isEarly(run) || (hasPasses(run) && Date.parse(run.now()) >= endOf(run));

/**
 * Waits until the cut-over is in effect. Returns true if it was not in effect at some moment, or if
 * that was unknown. The soak then starts again.
 */
async function wasRouteLost(run: Run): Promise<boolean> {
  await untilOnStream(run, 'sluice retry or sluice rollback', () => loseRoute(run));
  return isRouteBack(run);
}

function loseRoute({ state }: Run): void {
  state.isRouteLost = true;
  state.shadowPasses = 0;
}

/** Starts the soak's time again if the route was lost. Returns whether it was lost. */
function isRouteBack(run: Run): boolean {
  const { state } = run;
  if (!state.isRouteLost) return false;
  state.isRouteLost = false;
  state.soakFrom = run.now();
  return true;
}

/**
 * Reports readers of the batch's table each time the soak could end. After `complete`, nothing
 * writes to that table, and a rollback is impossible.
 */
async function nameReaders(run: Run): Promise<void> {
  const readers = () =>
    run.step(() =>
      call(
        'quick',
        'readersOfBatch',
        "Look for readers of the batch's table",
        run.ref,
        run.state.readersSince,
      ),
    );
  const found = await readers();
  if (found.length === 0) return;
  const { remedy } = FAILURES['consumers-remain'];
  const detail = `${found.join(', ')} still read ${run.spec.batch!.result.table}`;
  // after a retry, only reads from now on count
  if (run.state.readersSince) await markReaders(run);
  await run.park({ code: 'consumers-remain', since: run.now(), detail, remedy }, false);
  const left = await readers();
  run.audit({ kind: 'readers', left });
}

/**
 * Runs a window that also observes the route. A replaced view or a dropped trigger blocks the soak
 * until a window finds the route restored. The soak then starts again, because consumers were not
 * on the stream side the whole time.
 */
async function shadowWindow(run: Run): Promise<WindowResult> {
  for (;;) {
    const result = await runWindow(run, 'shadow window');
    if (!result.routeProblem) {
      isRouteBack(run);
      return result;
    }
    loseRoute(run);
    await run.park({ ...result.routeProblem, since: run.now() }, true);
  }
}

async function watchShadow(run: Run): Promise<void> {
  const { state } = run;
  const isAwaited = (): boolean => isEarly(run) || run.isWindowDue;
  const untilNext = (): number =>
    hasPasses(run) ? Math.min(everyMs(run), endOf(run) - Date.parse(run.now())) : everyMs(run);
  let isDue = !hasPasses(run) && !run.isBetweenWindows; // the first window begins at once
  while (!isOver(run)) {
    if (!isDue) await run.wait(isAwaited, untilNext(), 'Soak: until the next window');
    if (isOver(run)) return;
    isDue = false;
    if (run.plan.route.refusesBatch) await keepPaused(run);
    const { verdict, restarted } = await shadowWindow(run);
    if (verdict.verdict === 'passed') state.shadowPasses += 1;
    else if (restarted === undefined) state.shadowPasses = 0;
    if (verdict.verdict === 'failed' && run.spec.rollback.automaticOn.includes('failed-window')) {
      requestWayBack(run, {
        outcome: 'rolled-back',
        by: 'automatic',
        reason: `shadow window ${state.windows} failed: ${verdict.reason}`,
      });
    }
    await run.edge();
  }
}
