// approve: waits for a quorum of approvals of the current evidence, and for the change window.
// Windows continue during the wait. The run goes back to validate if a window or a rehearsal fails,
// if a new epoch begins, or if the cut-over cannot begin in time.
import { stopRule } from '../../domain/evidence/streak.js';
import { durationMs } from '../../domain/values/duration.js';
import { rulesChangeIn } from '../../domain/decisions/cosign.js';
import { BackToValidate } from '../run/interruptions.js';
import { findsItselfCommitted } from '../cutover/hold.js';
import { rehearse } from '../cutover/rehearsal.js';
import { everyMs, type Run } from '../run/run.js';
import { gateWaitsFor } from '../run/gate-state.js';
import { streakOf } from '../run/state.js';
import { troubleOf } from '../run/watched-connectors.js';
import { runWindow } from '../windows/windows.js';

const isWanted = (run: Run): boolean => run.rehearsal?.result === null;

export async function approve(run: Run): Promise<void> {
  const { state } = run;
  // After the commit, a person can reset a run to the middle of validate or to this phase. Then no
  // approval can decide anything.
  if (await findsItselfCommitted(run)) return;
  const { epoch } = state;
  const requireEpoch = (): void => {
    if (state.epoch !== epoch)
      throw new BackToValidate(`a new epoch (${state.epoch}) voids the evidence`);
  };
  const askForApproval = !state.needsApproval;
  const open = askForApproval ? stopRule(streakOf(state), run.spec.validation) : null;
  if (open !== null)
    throw new BackToValidate(`the evidence was voided, and new evidence needs ${open}`);
  state.needsApproval = true;
  state.approvalSince ??= run.now();
  if (askForApproval) run.audit({ kind: 'needs-approval', epoch: state.epoch });
  run.show();
  await run.flush();
  const untilNextAttempt = (): number => {
    const left =
      state.nextAttemptAt === null ? 0 : Date.parse(state.nextAttemptAt) - Date.parse(run.now());
    return left > 0 ? left : Infinity;
  };
  const mayGo = (): boolean =>
    !state.paused &&
    troubleOf(state.watched) === null &&
    untilNextAttempt() === Infinity &&
    gateWaitsFor(state, run.now()) === null;
  let dueAt = Date.parse(run.now()) + everyMs(run);
  for (;;) {
    requireEpoch(); // an edit may have begun a new epoch
    const { approval } = run.spec.cutover; // an edit may have changed these rules
    const expiresIn =
      Date.parse(state.approvalSince) + durationMs(approval.expires) - Date.parse(run.now());
    if (expiresIn <= 0)
      throw new BackToValidate(`no cut-over within ${approval.expires}: ${stillWaits(run)}`);
    await run.wait(
      () => mayGo() || isWanted(run) || run.isWindowDue || state.epoch !== epoch,
      Math.min(
        dueAt - Date.parse(run.now()),
        expiresIn,
        untilNextAttempt(),
        rulesChangeIn(state.brokenGlass, approval, run.now()),
      ),
      'Wait for approval, or until the next window',
    );
    requireEpoch();
    if (mayGo()) break;
    if (isWanted(run)) {
      await rehearse(run);
      continue;
    }
    // the wait can end before a window is due, for example when the change window opens
    if (Date.parse(run.now()) < dueAt && !run.isWindowDue) continue;
    if (await findsItselfCommitted(run)) break;
    const { verdict } = await runWindow(run, 'window');
    if (verdict.verdict === 'failed')
      throw new BackToValidate(`window ${state.windows} failed: ${verdict.reason}`);
    requireEpoch();
    await run.edge();
    dueAt = Date.parse(run.now()) + everyMs(run);
  }
  // Either the cut-over now uses the approval, or the run has found that it had committed before a
  // reset. In both cases, the run needs no further approval.
  state.needsApproval = false;
  await run.flush();
}

/** Says what the run waits for at the end of the time for an approval. */
function stillWaits(run: Run): string {
  const { state } = run;
  const gate = gateWaitsFor(state, run.now());
  if (gate !== null) return `the run still waits for ${gate}`;
  if (state.paused) return 'the run is paused';
  const trouble = troubleOf(state.watched);
  if (trouble !== null) return trouble.detail;
  const { nextAttemptAt } = state;
  return nextAttemptAt !== null && Date.parse(nextAttemptAt) > Date.parse(run.now())
    ? 'the next attempt is not due'
    : 'a window or a rehearsal ended only after that time';
}
