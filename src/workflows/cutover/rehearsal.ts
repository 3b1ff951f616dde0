// Rehearses the cut-over: runs its steps up to the commit, then releases the fence. It measures the
// hold from the pause of the batch to the moment at which a cut-over would commit. So, unlike a
// cut-over, it also begins if the predicted hold is longer than maxHold.
import { condition, isCancellation } from '@temporalio/workflow';
import type { Rehearsed } from '../../domain/evidence/ledger-rows.js';
import { beginAttempt, hold, undoHold } from './hold.js';
import { proveSlot, recheck, untilUnpaused } from './recheck.js';
import { BackToValidate } from '../run/interruptions.js';
import type { Run } from '../run/run.js';
import { blockedOf } from '../run/state.js';

/**
 * Handles the update that requests a rehearsal. Waits until the approve phase has run the rehearsal
 * or has ended.
 */
export async function askForRehearsal(run: Run, by: string): Promise<Rehearsed> {
  const refuse = (refused: string): Rehearsed => ({ refused, holdMs: null });
  const blocked = blockedOf(run.state);
  if (run.state.phase !== 'approve' || blocked || run.state.paused)
    return refuse(
      `a rehearsal needs evidence for approval (phase approve), but the run is ${run.state.paused ? 'paused' : blocked ? `blocked (${blocked.code})` : `in phase ${run.state.phase ?? 'start'}`}`,
    );
  if (run.rehearsal) return refuse('a rehearsal is already running');
  const asked: NonNullable<Run['rehearsal']> = { by, result: null };
  run.rehearsal = asked;
  await condition(() => asked.result !== null || run.state.phase !== 'approve');
  run.rehearsal = undefined;
  return asked.result ?? refuse(whyNone(run));
}

/** Returns why a rehearsal did not begin, after the run has left the phase approve. */
const whyNone = ({ state: { phase } }: Run): string =>
  phase === 'cut-over'
    ? 'the migration has been approved, so the cut-over itself has begun'
    : `nothing was rehearsed, because the run went to phase ${phase}`;

/**
 * Runs the requested rehearsal in phase approve. If a check or a step throws `BackToValidate`, the
 * run goes back to validate, as after a failed attempt at the cut-over.
 */
export async function rehearse(run: Run): Promise<void> {
  const asked = run.rehearsal!;
  const { epoch } = run.state;
  const started = Date.parse(run.now());
  run.audit({ kind: 'rehearsal', by: asked.by });
  try {
    await untilUnpaused(run, async () => {
      await recheck(run);
      await proveSlot(run);
    });
    // the checks can wait for hours, and an edit may have voided the evidence since then
    if (run.state.epoch !== epoch)
      throw new BackToValidate(`a new epoch (${run.state.epoch}) voids the evidence`);
    const evidence = beginAttempt(run);
    const began = Date.parse(run.now());
    let holdMs: number;
    try {
      await hold(run, evidence);
      holdMs = Date.parse(run.now()) - began;
      run.state.rehearsedHoldMs = holdMs;
    } finally {
      await undoHold(run, new Error('rehearsal over'));
      run.isHolding = false;
    }
    run.audit({ kind: 'rehearsed', holdMs });
    asked.result = { refused: null, holdMs };
  } catch (error) {
    asked.result = {
      refused: isCancellation(error) ? 'interrupted' : (error as Error).message,
      holdMs: Date.parse(run.now()) - started,
    };
    throw error;
  }
}
