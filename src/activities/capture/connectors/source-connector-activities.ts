// Defines activities for source connectors. They watch the initial load until it is complete, and
// repeat the changes that it overwrote in the topics. They also reconfigure the connector at the
// hand-over, when Sluice's ownership ends.
import { withSource } from '../../../clients/postgres/connection.js';
import { handedOverConfig } from '../../../connectors/debezium-postgres.js';
import type { TableProgress } from '../../../domain/evidence/ledger-rows.js';
import { emitMarker } from '../../barrier/connector-acknowledged.js';
import { reconfigure } from './connector-state.js';
import type { Deps } from '../../runtime/deps.js';
import { withPlan, type Planned } from '../../runtime/with-plan.js';
import { watchLog } from '../load/log-load.js';
import { watchPolling } from '../load/polling-load.js';
import { repeatOverwritten } from '../load/repeat-overwritten.js';

type Totals = Readonly<Record<string, number>>;

export function createConnectActivities(deps: Deps) {
  return withPlan({
    /**
     * Waits until the connector has reported every table's scan as SUCCEEDED, and has acknowledged
     * a later position. The activity's heartbeats to Temporal report the progress. Safe to repeat.
     */
    watchSnapshot: (run: Planned, totals: Totals): Promise<TableProgress[]> =>
      watchLog(deps, run, totals),

    /**
     * Writes again the changes that an initial load in chunks overwrote in the topics. Returns how
     * many rows had such a change. Stops the connector meanwhile. Safe to repeat.
     */
    repeatOverwritten: (run: Planned): Promise<number> => repeatOverwritten(deps, run),

    /**
     * Waits until polling connectors have read up to the newest rows that exist now. The activity's
     * heartbeats to Temporal report the progress. Safe to repeat.
     */
    watchPolled: (run: Planned, totals: Totals): Promise<TableProgress[]> =>
      watchPolling(deps, run, totals),

    /**
     * Removes the scaffolding topics from the connector's configuration at `complete`. Otherwise,
     * when the connector's task next commits offsets, it would create the consumer group of the
     * signal topic again. The change restarts the task. In a quiet database, the task acknowledges
     * WAL only with Debezium's heartbeats, and sends no heartbeat until it has read a change or a
     * marker. Therefore this activity writes a marker. Otherwise, the slot would retain WAL for as
     * long as the database stays quiet. Idempotent.
     */
    async handOverConnector({ plan }: Planned): Promise<void> {
      await reconfigure(deps.systems.connect(plan), plan.names.connector, handedOverConfig(plan));
      await withSource(plan, deps.secret, (client) => emitMarker(client, plan, 'handed over'));
    },
  });
}
