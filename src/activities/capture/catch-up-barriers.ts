// Runs the barriers of the catch-up phase. Each barrier proves that everything up to a position of
// the source has passed the whole path to the sink. The cut-over's barrier is in
// cutover/drain-proof.ts.
import { withSource } from '../../clients/postgres/connection.js';
import { durationMs } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Deps } from '../runtime/deps.js';
import { pause } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { markSource, passedWholePath } from './source-mark.js';

export interface BarrierResult {
  readonly lsn: Lsn;
  readonly ms: number;
}

export function createBarrierActivities({ secret, systems }: Deps) {
  /**
   * Marks the source, and waits until everything up to the mark has passed connector, pipeline,
   * output and sink. A null `reason` means that the barrier is proven.
   */
  async function pass(
    run: Planned,
    limitMs: number,
  ): Promise<BarrierResult & { reason: string | null }> {
    const { plan } = run;
    return withSource(plan, secret, async (client) => {
      const started = Date.now();
      const limit = started + limitMs;
      const mark = await markSource({ systems }, run, {
        snapshot: client,
        side: client,
        token: 'barrier',
      });
      const reason = await passedWholePath(systems.kafka(plan), plan, mark, limit);
      return { lsn: mark.lsn, ms: Date.now() - started, reason };
    });
  }

  return withPlan({
    /**
     * Repeats the barrier until `catchUp.barriers` barriers in a row have passed, each within
     * `catchUp.within`. Throws Problem `catch-up-timeout` with the last reason if this takes longer
     * than `catchUp.timeout`.
     */
    async catchUp(run: Planned): Promise<BarrierResult> {
      const { barriers, within, timeout } = run.plan.spec.catchUp;
      const deadline = Date.now() + durationMs(timeout);
      let inARow = 0;
      let reason = '';
      for (;;) {
        const barrier = await pass(run, durationMs(within));
        inARow = barrier.reason === null ? inARow + 1 : 0;
        reason = barrier.reason ?? reason;
        if (inARow >= barriers) return { lsn: barrier.lsn, ms: barrier.ms };
        if (Date.now() > deadline)
          throw new Problem('catch-up-timeout', `not caught up after ${timeout}: ${reason}`);
        await pause(200, { phase: 'catch-up', inARow, needed: barriers, reason });
      }
    },
  });
}
