// Implements the capture `debezium-postgres`. Its mark is a position in the WAL. The connector has
// passed the mark when it has read the WAL up to this position. The facts, on which evidence
// depends, describe the publication, the slot, and the walsender that serves the slot.
import type { SourceClient } from '../../clients/postgres/connection.js';
import { readSlot } from '../../clients/postgres/slots.js';
import { readPublication } from '../../clients/postgres/captured-catalog.js';
import {
  POSTGRES_SOURCE_CLASS,
  debeziumPostgresConfig,
} from '../../connectors/debezium-postgres.js';
import type { LogPlan } from '../../domain/capture/capture.js';
import {
  captureProblem,
  publicationFacts,
  type CapturedTable,
} from '../../domain/capture/captured-set.js';
import { NOT_RUNNING, type Facts } from '../../domain/evidence/epoch.js';
import { taskFact } from '../../domain/evidence/fact-rules.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { connectorAcknowledged, emitMarker } from '../barrier/connector-acknowledged.js';
import type { CaptureAdapter, CaptureState } from './capture-adapter.js';
import { stoppedConnectors } from './connectors/describe-stopped-connectors.js';

export const logCapture: CaptureAdapter<LogPlan> = {
  checks: () => Promise.resolve([]),

  connectors: (_deps, plan) =>
    Promise.resolve([
      {
        name: plan.names.connector,
        connectorClass: POSTGRES_SOURCE_CLASS,
        config: debeziumPostgresConfig(plan),
      },
    ]),

  async mark({ systems }, { plan }, { side, from, token }) {
    // the caller took its snapshot before, so all changes that the snapshot sees have a lower LSN
    const lsn = from ?? (await insertLsn(side));
    await emitMarker(side, plan, token);
    const rest = systems.connect(plan);
    return {
      lsn,
      async reached(deadline, note) {
        const why = await connectorAcknowledged(side, plan, lsn, deadline, note);
        return why === null
          ? null
          : `${why}${await stoppedConnectors(rest, plan.sourceConnectors)}`;
      },
    };
  },

  state: (client, plan, tables) => logState(client, plan, tables, ''),

  settled: () => Promise.resolve([]),
  whyMissing: () => Promise.resolve(null),
};

/**
 * Reads the state of publication and slot. `part` is the name of an adopted connector, which
 * becomes a part of the name of its fact. It is empty for Sluice's own connector.
 */
export async function logState(
  client: SourceClient,
  plan: ResolvedPlan,
  tables: readonly (CapturedTable | null)[],
  part: string,
): Promise<CaptureState> {
  const { publication: name } = plan.names;
  const planned = plan.tables.map(({ text }) => text);
  const publication = await readPublication(client, name, planned);
  return {
    facts: { ...(await slotFacts(client, plan, part)), ...publicationFacts(name, publication) },
    problem: captureProblem(planned, tables, publication, name),
  };
}

/**
 * Returns two facts. One identifies the walsender that serves the slot. A different walsender means
 * that the connector's task has restarted. The other fact describes the slot. A missing or
 * different slot does not count as a restart.
 */
async function slotFacts(
  client: SourceClient,
  { names }: ResolvedPlan,
  part: string,
): Promise<Facts> {
  const found = await readSlot(client, names.slot);
  const pid = found?.activePid ?? null;
  return {
    [taskFact(part)]: pid === null ? NOT_RUNNING : `walsender ${pid}`,
    slot: found ? `${found.plugin} of ${found.database}` : 'missing',
  };
}
