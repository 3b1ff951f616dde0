// Handles people's requests to a run: a rollback, a pause, a longer soak, or a retry. The audit
// records each request, even if it is refused. Only a repeated pause or resume is not recorded.
import type { AuditEntry } from '../../domain/audit.js';
import type { Run } from './run.js';
import { blockedOf, type WayBack } from './state.js';

/**
 * Interrupts the main path, so that the roll-back phase runs. The first request wins. A blocked
 * step that is not cancelled, such as the commit, gets another attempt at once, and can then give
 * up.
 */
export function requestWayBack(run: Run, wayBack: WayBack): void {
  const { state } = run;
  const { outcome, by, reason } = wayBack;
  const ignored = (why: string): AuditEntry => ({
    kind: 'ignored',
    message: 'roll back',
    by,
    reason: why,
  });
  if (state.outcome || state.wayBack || state.phase === 'roll-back')
    return run.audit(ignored('the run is already rolling back, or has ended'));
  if (
    state.done.includes('complete') ||
    (state.phase === 'complete' && state.done.includes('soak'))
  )
    return run.audit(ignored('the batch is being retired, so a rollback is no longer possible'));
  state.wayBack = wayBack;
  run.audit({ kind: 'way-back', outcome, by, reason });
  setPaused(run, false);
  run.interrupt?.();
  run.retry();
}

/**
 * Pauses or resumes the run. A pause never delays a rollback: requesting a rollback ends the pause,
 * and no pause begins during a rollback.
 */
export function setPaused(run: Run, paused: boolean): void {
  if (paused && run.state.wayBack)
    return run.audit({
      kind: 'ignored',
      message: 'pause',
      by: null,
      reason: 'a rollback is never paused',
    });
  if (run.state.paused === paused) return;
  run.state.paused = paused;
  run.audit({ kind: paused ? 'paused' : 'resumed' });
  run.show();
}

/** Extends the soak. The request may come before or during the soak. It never shortens the soak. */
export function extendSoak(run: Run, by: string, ms: number): void {
  const { state } = run;
  if (state.outcome || state.wayBack || run.isBehind('soak'))
    return run.audit({ kind: 'ignored', message: 'extend', by, reason: 'the soak is over' });
  const until = new Date(Date.parse(run.now()) + ms).toISOString();
  if (state.soakUntil === null || until > state.soakUntil) state.soakUntil = until;
  run.audit({ kind: 'extended', by, until: state.soakUntil });
  run.show();
}

export function requestRetry(run: Run): void {
  const { blocked, phase } = run.state;
  run.audit({ kind: 'retry', code: blockedOf(run.state)?.code ?? null });
  run.connectors.forgive();
  run.renewGuard();
  run.retry();
  // The phases connect and catch-up have no windows, but their steps need the connector. In other
  // phases, the next window creates a deleted connector again. A step may find the deletion before
  // the guard reports it.
  const isWithoutWindows = phase === 'connect' || phase === 'catch-up';
  const isFoundGone = blocked?.code === 'connector-gone';
  if (isWithoutWindows && (!blocked || run.connectors.takeAskedBack() || isFoundGone))
    run.bringBack();
  run.show();
}
