// The guard runs beside the main path from snapshot to hand-over, also while blocked or paused, and speaks up when something must be known.
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { FAILURES, type Blocked } from '../domain/failure.js';
import type { GuardReport } from '../activities/capture/connector-guard.js';
import { call } from './call.js';
import type { Run } from './run/run.js';

/** Runs `main` with the guard beside it; the guard ends when `main` does, however it does. */
export async function guarding(run: Run, main: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  run.startGuard = () => {
    run.startGuard = () => undefined;
    run.stopGuard = () => scope.cancel();
    void scope.run(() => watch(run)).catch(() => undefined);
  };
  if (run.isBehind('prepare')) run.startGuard();
  try {
    await main();
  } finally {
    run.stopGuard();
  }
}

async function watch(run: Run): Promise<void> {
  for (;;) {
    try {
      const { restarts, slotIdentified, walAlarm } = run.state;
      const input = {
        ref: run.ref,
        restarts,
        slotExpected: slotIdentified,
        alarmed: walAlarm !== null,
      };
      const report = await call(
        'long',
        'guard',
        'Guard: restart failed tasks, watch slot and WAL',
        input,
      );
      if (report.kind === 'stood-down') return;
      react(run, report);
    } catch (error) {
      if (isCancellation(error)) return;
      run.audit('guard', `will be started again: ${(error as Error).message}`);
      await run.idle(10_000, 'Start the guard again');
    }
  }
}

function react(run: Run, report: Exclude<GuardReport, { kind: 'stood-down' }>): void {
  const { state } = run;
  if (report.kind === 'restarted' || report.kind === 'gave-up') {
    state.restarts[report.connector] = (state.restarts[report.connector] ?? 0) + 1;
    run.audit(report.kind, `${report.connector}: ${report.cause}`);
  } else if (report.kind === 'wal-budget' && !report.dropped) {
    state.walAlarm = report.detail;
    run.audit('wal-alarm', report.detail);
  } else {
    const code = report.kind === 'slot-lost' ? 'slot-lost' : 'wal-budget';
    const problem: Blocked = {
      code,
      since: run.now(),
      detail: report.detail,
      remedy: FAILURES[code].remedy,
    };
    state.slotIdentified = false; // told once
    run.audit(code, report.detail);
    run.loseGeneration(problem);
  }
  run.show();
}
