// Runs the guard alongside the main path, from snapshot to hand-over, even while the run is blocked
// or paused. The guard reports problems to the main path.
import { CancellationScope, ContinueAsNew, isCancellation } from '@temporalio/workflow';
import { FAILURES, type Blocked } from '../domain/failure.js';
import type { GuardReport } from '../activities/guard/guard-activities.js';
import { call } from './call.js';
import { bringBack } from './run/start-connectors.js';
import type { Run } from './run/run.js';

/**
 * Runs `main` with the guard alongside it. When `main` returns or throws, stops everything that
 * runs alongside, and waits for its end. Without this wait, a rollback could miss a connector that
 * is being created again at that moment. Before continue-as-new, it does not wait.
 */
export async function guarding(run: Run, main: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  const works: Promise<void>[] = [];
  const beside = (work: () => Promise<void>): void =>
    void works.push(
      scope.run(work).catch((error: unknown) => {
        if (!isCancellation(error))
          run.audit({ kind: 'guard', problem: (error as Error).message, startsAgain: false });
      }),
    );
  run.startGuard = () => {
    run.startGuard = () => undefined;
    run.stopGuard = () => scope.cancel();
    run.bringBack = () => beside(() => bringBack(run));
    beside(() => watch(run));
  };
  if (run.isBehind('prepare')) run.startGuard();
  let continuesAsNew = false;
  try {
    await main();
  } catch (error) {
    continuesAsNew = error instanceof ContinueAsNew;
    throw error;
  } finally {
    run.stopGuard();
    // Continue-as-new has already copied the state for the next run. A message that arrived during
    // this wait would be lost.
    if (!continuesAsNew) await CancellationScope.nonCancellable(() => Promise.all(works));
  }
}

async function watch(run: Run): Promise<void> {
  for (;;) {
    const once = new CancellationScope();
    let isRenewed = false;
    run.renewGuard = () => {
      isRenewed = true;
      once.cancel();
    };
    try {
      const report = await once.run(() => ask(run));
      if (report.kind === 'stood-down') break;
      react(run, report);
      if (report.kind === 'connectors') await run.flush();
    } catch (error) {
      if (isCancellation(error) && isRenewed) continue;
      if (isCancellation(error)) break;
      run.audit({ kind: 'guard', problem: (error as Error).message, startsAgain: true });
      await run.idle(10_000, 'Start the guard again');
    }
  }
  run.renewGuard = () => undefined;
}

function ask(run: Run): Promise<GuardReport> {
  const { slotIdentified, walAlarm } = run.state;
  const { restarts, troubles } = run.connectors;
  return call('endless', 'guard', 'Guard: watch connectors, slot and WAL', {
    ref: run.ref,
    restarts,
    slotExpected: slotIdentified,
    alarmed: walAlarm !== null,
    troubles,
  });
}

function react(run: Run, report: Exclude<GuardReport, { kind: 'stood-down' }>): void {
  const { state } = run;
  if (report.kind === 'restarted' || report.kind === 'gave-up') {
    const { kind, connector, cause } = report;
    if (kind === 'restarted') state.restarts[connector] = (state.restarts[connector] ?? 0) + 1;
    run.audit({ kind, connector, cause });
    const trouble = run.connectors.failed(connector, cause, run.now());
    if (trouble !== null) run.audit({ kind: 'connector', problem: trouble, isOver: false });
  } else if (report.kind === 'connectors') {
    const { begun, over } = run.connectors.take(report.troubles, run.now());
    for (const problem of begun) run.audit({ kind: 'connector', problem, isOver: false });
    for (const problem of over) run.audit({ kind: 'connector', problem, isOver: true });
  } else if (report.kind === 'resumed') {
    run.audit({ kind: 'pause-ended', connector: report.connector });
  } else if (report.kind === 'wal-budget' && !report.dropped) {
    state.walAlarm = report.detail;
    run.audit({ kind: 'wal-alarm', problem: report.detail });
  } else if (report.kind === 'wal-in-budget') {
    state.walAlarm = null;
    run.audit({ kind: 'wal-alarm', problem: report.detail });
  } else {
    const code = report.kind === 'slot-lost' ? 'slot-lost' : 'wal-budget';
    const problem: Blocked = {
      code,
      since: run.now(),
      detail: report.detail,
      remedy: FAILURES[code].remedy,
    };
    state.slotIdentified = false; // so that the guard reports the loss only once
    run.audit({ kind: code, problem: report.detail });
    run.loseGeneration(problem);
  }
  run.show();
}
