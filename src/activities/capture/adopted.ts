// Implements the capture of `adopt: true`: a connector that already runs. A barrier waits for a
// mark. Here, the mark is only a position in the WAL, because Sluice writes no marker for an
// adopted connector. The facts, on which evidence depends, are the same as in log.ts.
import { POSTGRES_SOURCE_CLASS } from '../../connectors/debezium-postgres.js';
import { unfit } from '../../connectors/existing-connector.js';
import type { AdoptedPlan } from '../../domain/capture/capture.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { slotAcknowledged } from '../barrier/connector-acknowledged.js';
import { inspectAdopted } from './adopted-objects.js';
import type { CaptureAdapter } from './capture-adapter.js';
import { stoppedConnectors } from './connectors/describe-stopped-connectors.js';
import { logState } from './log.js';

export const adoptedCapture: CaptureAdapter<AdoptedPlan> = {
  checks: async (deps, plan) => (await inspectAdopted(deps, plan)).checks,

  connectors: (_deps, plan) =>
    Promise.resolve(
      plan.sourceConnectors.map((name) => ({
        name,
        connectorClass: POSTGRES_SOURCE_CLASS,
        config: {},
        unfit: (stored) => unfit(plan, stored),
      })),
    ),

  async mark({ systems }, { plan }, { side, from }) {
    // the LSN is read after the snapshot, so everything that the snapshot sees has a lower LSN
    const lsn = from ?? (await insertLsn(side));
    const rest = systems.connect(plan);
    return {
      lsn,
      async reached(deadline, note) {
        const why = await slotAcknowledged(side, plan, lsn, deadline, note);
        return why === null
          ? null
          : `${why}${await stoppedConnectors(rest, plan.sourceConnectors)}`;
      },
    };
  },

  state: (client, plan, tables) => logState(client, plan, tables, plan.sourceConnectors[0]!),
  settled: () => Promise.resolve([]),
  whyMissing: () => Promise.resolve(null),
};
