// The initial load of the source connectors, watched until it is complete, and the connector's
// reconfiguration at the hand-over.
import { handedOverConfig } from '../../connectors/debezium-postgres.js';
import type { TableProgress } from '../../domain/evidence/ledger-rows.js';
import { reconfigure } from '../objects/connector-state.js';
import type { Deps } from '../runtime/deps.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { watchLog } from './log-load.js';
import { watchPolling } from './polling-load.js';

type Totals = Readonly<Record<string, number>>;

export function createConnectActivities(deps: Deps) {
  return withPlan({
    /** Waits until the scan of every table is reported SUCCEEDED. Heartbeats progress; safe to repeat. */
    watchSnapshot: (run: Planned, totals: Totals): Promise<TableProgress[]> =>
      watchLog(deps, run, totals),

    /** As `watchSnapshot`, for tables that are polled. */
    watchPolled: (run: Planned, totals: Totals): Promise<TableProgress[]> =>
      watchPolling(deps, run, totals),

    /**
     * Reconfigures the connector at `complete` without the scaffolding topics. An old task's next
     * commit would create the signal group again. Idempotent.
     */
    async handOverConnector({ plan }: Planned): Promise<void> {
      await reconfigure(deps.systems.connect(plan), plan.names.connector, handedOverConfig(plan));
    },
  });
}
