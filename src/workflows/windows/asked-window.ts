// Runs a window that a person asks for. The main path runs it at its next safe point. With `waits`,
// the handler of the update waits until the window is recorded.
import { condition } from '@temporalio/workflow';
import type { AskedWindow, WindowAnswer } from '../../domain/evidence/ledger-rows.js';
import { WINDOW_PHASES } from '../../domain/migration/phase.js';
import type { Run } from '../run/run.js';
import { blockedOf } from '../run/state.js';

const refuse = (refused: string): WindowAnswer => ({ refused, window: null });

/**
 * Handles the update runWindow. Refuses during a hold, if the phase runs no windows, or if the run
 * is blocked, paused or has ended. Without `waits`, the handler answers at once.
 */
export async function askForWindow(run: Run, asked: AskedWindow): Promise<WindowAnswer> {
  const { by, isFull, waits } = asked;
  const closed = closedFor(run);
  if (closed !== null) {
    run.audit({ kind: 'ignored', message: 'window', by, reason: closed });
    return refuse(closed);
  }
  const { state } = run;
  state.wantedWindow = { isFull: isFull || (state.wantedWindow?.isFull ?? false) };
  run.audit({ kind: 'window-asked', by, isFull });
  if (!waits) return { refused: null, window: null };
  const waiter: Run['askers'][number] = { answer: null };
  run.askers.push(waiter);
  await condition(() => waiter.answer !== null || closedFor(run) !== null);
  run.askers.splice(0, run.askers.length, ...run.askers.filter((other) => other !== waiter));
  return waiter.answer ?? refuse(closedFor(run)!);
}

/** Returns why no window runs now, or null. */
function closedFor(run: Run): string | null {
  const { state } = run;
  if (state.outcome !== null) return `the migration has ended: ${state.outcome}`;
  if (state.phase === null || !WINDOW_PHASES.includes(state.phase) || run.isHolding)
    return `windows run in ${WINDOW_PHASES.join(', ')}; the phase is ${state.phase ?? 'start'}`;
  const blocked = blockedOf(state);
  if (blocked) return `the run is blocked (${blocked.code}); fix it, then: sluice retry`;
  return state.paused ? 'the run is paused; continue with: sluice resume' : null;
}
