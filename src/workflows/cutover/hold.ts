// Runs the hold and undoes it. The hold lasts from the pause of the batch, directly before the
// fence, to the commit or the release. Its steps are pause, fence, drain, final window and, for a
// shared table, the pause of the sink. The recheck comes before the hold. At the end of the hold, a
// cut-over commits, and a rehearsal releases the fence.
import { CancellationScope, isCancellation, uuid4 } from '@temporalio/workflow';
import { ageOf, allowedAge, tooOld } from '../../domain/plan/final-result.js';
import { COMMIT_RESERVE_MS } from '../../domain/plan/predicted-hold.js';
import { durationMs } from '../../domain/values/duration.js';
import type { Lsn } from '../../domain/values/position.js';
import { readTrigger } from '../../domain/migration/trigger-names.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { call, callWithin } from '../call.js';
import { holdConnectors, resumeConnectors } from '../run/start-connectors.js';
import { BackToValidate } from '../run/interruptions.js';
import type { Run } from '../run/run.js';
import { begins } from './step-audit.js';
import { evidenceId } from '../run/gate-state.js';
import { runWindow } from '../windows/windows.js';
import { removeObject } from '../run/remove-object.js';

export type Evidence = Parameters<typeof call<'fence'>>[3];

/**
 * Starts an attempt, and returns its token, its number and its evidence. From this call on,
 * `undoHold` releases the fence of this attempt.
 */
export function beginAttempt(run: Run): Evidence {
  run.state.attempts += 1;
  const evidence = {
    ref: run.ref,
    token: uuid4(),
    attempt: run.state.attempts,
    epoch: run.state.epoch,
    evidenceId: evidenceId(run.state)!,
  };
  run.state.fenceToken = evidence.token;
  run.isHolding = true;
  return evidence;
}

/**
 * Runs the hold up to the commit. When it returns, the final window has passed under the fence.
 * `maxHold` is counted from the pause of the batch. The fence has its own limit: it expires
 * `maxHold` after its transaction began. Throws BackToValidate with the reason if the hold fails.
 * The caller then undoes the hold.
 */
export async function hold(run: Run, evidence: Evidence): Promise<void> {
  const { ref } = run;
  const holdMs = durationMs(run.spec.cutover.maxHold);
  const started = Date.parse(run.now());
  const left = (): number => started + holdMs - COMMIT_RESERVE_MS - Date.parse(run.now());
  begins(run, 'fence');
  const lsn = await pauseAndFence(run, evidence, started);
  begins(run, 'drain');
  const { reason, proofs } = await run.step(
    () =>
      callWithin(
        Math.max(1000, left()),
        'held',
        'drainTo',
        `Drain to ${lsn}`,
        ref,
        lsn,
        Math.max(1000, left()),
        evidence.token,
      ),
    false,
  );
  for (const proof of proofs) run.audit({ kind: 'proof', ...proof });
  if (reason) throw new BackToValidate(`not drained: ${reason}`);
  run.audit({ kind: 'drained', lsn });
  begins(run, 'final-window');
  const { number, verdict, matched, compared, witness } = await runWindow(
    run,
    'final window',
    Math.max(2000, left()),
  );
  if (verdict.verdict !== 'passed')
    throw new BackToValidate(`final window ${verdict.verdict}: ${verdict.reason}`);
  const rests = witness?.rested
    ? `, with the unchanged keys proven by the full pass of window ${run.state.ahead?.number}`
    : '';
  const holds = `final window ${number}: ${matched} of ${compared} keys matched${rests}${restedResults(run)}`;
  run.audit({ kind: 'proof', part: 'P6', holds });
  if (run.state.epoch !== evidence.epoch)
    throw new BackToValidate(`a new epoch (${run.state.epoch}) began while the batch was fenced`);
  begins(run, 'pause-sink');
  if (!run.plan.route.movesSink) return;
  holdConnectors(run, 'sink');
  await run.step(
    () => call('patient', 'pauseSink', 'Pause the sink before the table is switched', ref),
    false,
  );
}

/**
 * Pauses the batch, and then makes the fence. Returns the position that the drain must reach.
 * Throws BackToValidate if the fence is refused, or if both together take longer than `maxHold`. A
 * step may be blocked for hours. By then, the change window may have closed, and the pause of the
 * batch has ended.
 */
async function pauseAndFence(run: Run, evidence: Evidence, started: number): Promise<Lsn> {
  const { maxHold } = run.spec.cutover;
  const ends = started + durationMs(maxHold);
  const refuseLate = (): void => {
    const now = Date.parse(run.now());
    if (now < ends) return;
    const took = Math.round((now - started) / 1000);
    throw new BackToValidate(`the hold began ${took} s ago, which is longer than maxHold`);
  };
  const until = new Date(ends).toISOString();
  const what = 'Pause the batch; the pause ends by itself';
  await run.step(() => call('quick', 'batchAction', what, run.ref, 'pause', until), false);
  refuseLate();
  run.willMake(...KINDS.trigger.planned(run.plan));
  const { refused, lsn, attempt } = await run.step(
    () => call('quick', 'fence', `Fence the result for at most ${maxHold}`, evidence),
    false,
  );
  // A run that was reset has forgotten its later attempts, but the lease row has the number of the
  // newest. The next attempt needs a higher number.
  if (attempt !== undefined) run.state.attempts = Math.max(run.state.attempts, attempt);
  if (refused) throw new BackToValidate(`fence refused: ${refused}`);
  run.audit({ kind: 'fenced', lsn });
  refuseLate();
  return lsn;
}

/**
 * Returns a text that names the earlier window that proved the results. The text is empty if the
 * final window compared the results itself. Throws BackToValidate if the earlier window is now too
 * old.
 */
function restedResults(run: Run): string {
  const allowed = allowedAge(run.plan);
  if (allowed === null) return '';
  const { recentResult } = run.state;
  const problem = tooOld(allowed, recentResult, run.now());
  if (problem !== null || recentResult === null) throw new BackToValidate(problem!);
  const age = Math.ceil(ageOf(recentResult, run.now()) / 1000);
  return ` (tables only); the results were compared by window ${recentResult.number}, which began ${age} s earlier, and what the pipeline wrote since then was not compared`;
}

/**
 * Returns whether the lease row says that this migration's commit has happened. After a reset to an
 * earlier point, the run itself does not know about the commit. Blocks the run if it had ended, or
 * had begun a newer generation, before the reset.
 */
export async function findsItselfCommitted(run: Run): Promise<boolean> {
  if (run.state.committedAt) return true;
  if (
    !(await run.step(
      () =>
        call('quick', 'isSwitched', 'Read the lease row: did the cut-over happen?', run.ref, true),
      false,
    ))
  )
    return false;
  run.state.committedAt = run.now();
  run.audit({ kind: 'committed', evidenceId: null, rows: null, after: null });
  run.show();
  return true;
}

/**
 * Releases the fence, and then resumes the sink, drops the triggers and resumes the batch. A
 * cancellation does not interrupt this. But after a rollback was requested, the steps that follow
 * the release are left to the roll-back phase, so that it does not wait for a blocked step. Returns
 * true if the lease row says that the commit happened.
 */
export async function undoHold(run: Run, cause: unknown): Promise<boolean> {
  const { fenceToken: token, attempts: attempt } = run.state;
  if (!token) return false;
  return CancellationScope.nonCancellable(async () => {
    const released = await run.step(
      () => call('quick', 'releaseFence', 'Release the fence', { ref: run.ref, token, attempt }),
      false,
    );
    if (released.committed) {
      run.state.committedAt = run.now();
      const after = (cause as Error).message;
      run.audit({ kind: 'committed', evidenceId: null, rows: null, after });
      return true;
    }
    run.state.fenceToken = null;
    if (run.plan.route.movesSink)
      await unlessBack(run, () => resumeConnectors(run, 'sink', 'Resume the sink'));
    await dropTriggers(run);
    await unlessBack(run, () =>
      call('quick', 'batchAction', 'Resume the batch', run.ref, 'resume', null),
    );
    run.audit({
      kind: 'released',
      cause: isCancellation(cause) ? 'interrupted' : (cause as Error).message,
    });
    return false;
  });
}

/**
 * Drops the triggers that the fence created. After the release or the commit, the fence triggers
 * block nothing, but would still slow down every write. After the commit, the owner trigger of a
 * shared table stays until `complete`, because it limits who may write to the table.
 */
export async function dropTriggers(run: Run, isCommitted = false): Promise<void> {
  const over = (name: string): boolean =>
    !isCommitted || readTrigger(run.plan.names, name).role === 'fence';
  for (const trigger of run.state.undo.filter((o) => o.kind === 'trigger' && over(o.name))) {
    if (!(await unlessBack(run, () => removeObject(run.ref, trigger)))) return;
    run.state.undo = run.state.undo.filter((o) => o !== trigger);
  }
}

/**
 * Runs a step that undoes a part of the hold, unless a rollback was requested or is requested while
 * the step is blocked. Returns whether the step was done.
 */
const unlessBack = (run: Run, act: () => Promise<unknown>): Promise<boolean> =>
  run.step(async () => {
    if (run.state.wayBack) return false;
    await act();
    return true;
  }, false);
