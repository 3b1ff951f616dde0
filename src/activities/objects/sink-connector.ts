// The sink connector's current configuration, its pause before a shared table is switched, and its move
// to that table.
import { withSource, type SourceClient } from '../../clients/postgres/connection.js';
import { leaseTable, readLease } from '../../clients/postgres/lease-row.js';
import { jdbcSinkConfig } from '../../connectors/jdbc-sink.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { resolve } from '../../domain/plan/resolve.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { tableOwner, type TableOwner } from '../../domain/routes/shared-table.js';
import type { Deps } from '../runtime/deps.js';
import { pollUntil } from '../runtime/poll-until.js';
import { reconfigure, taskFailure } from '../capture/connector-state.js';
import type { Site } from './owned-kind.js';

const PAUSE_MS = 20_000; // writers wait during this time

/**
 * Returns the stream as owner of the shared table, if the lease row says so. Null means that the batch
 * owns it, or that the table is not shared.
 */
async function streamOwner(
  client: SourceClient,
  { name, iteration }: MigrationRef,
  plan: ResolvedPlan,
): Promise<TableOwner | null> {
  const { streamRole } = plan.route;
  if (streamRole === null) return null;
  const row = await readLease(client, leaseTable(plan), name);
  return row?.state === 'SWITCHED' ? tableOwner(streamRole, iteration, row.epoch) : null;
}

/** Returns the configuration that the sink must have now. */
export async function sinkConfig(
  { secret }: Pick<Deps, 'secret'>,
  ref: MigrationRef,
): Promise<Record<string, string>> {
  const plan = resolve(ref);
  const owner = plan.route.movesSink
    ? await withSource(plan, secret, (client) => streamOwner(client, ref, plan))
    : null;
  return jdbcSinkConfig(plan, owner);
}

/** Returns the table that the sink writes now. */
export async function currentSinkTable(client: SourceClient, ref: MigrationRef): Promise<string> {
  const plan = resolve(ref);
  const owner = await streamOwner(client, ref, plan);
  return plan.sink!.writes[owner ? 'stream' : 'batch'].text;
}

/**
 * Pauses the sink before a shared table is switched, so that its staging table does not change.
 * `resumeConnector` undoes it.
 */
export async function pauseSink({ systems, plan }: Site): Promise<void> {
  const rest = systems.connect(plan);
  const { connector } = plan.sink!;
  await rest.pause(connector);
  // A failed task has records that it did not write. It never becomes PAUSED, so this throws.
  const paused = await pollUntil(Date.now() + PAUSE_MS, 100, async () => {
    const status = await rest.status(connector);
    return status &&
      status.tasks.length > 0 &&
      [status.connector, ...status.tasks].every((part) => part.state === 'PAUSED')
      ? true
      : null;
  });
  if (!paused)
    throw new Problem(
      'connector-failed',
      `${connector} does not pause: ${(await taskFailure(rest, connector)) ?? 'no answer'}`,
    );
}

/**
 * Moves the sink to the shared table after the commit. It continues where it paused. The lease row
 * decides the configuration. Idempotent.
 */
export async function moveSink(site: Site): Promise<void> {
  const { systems, plan, ref } = site;
  await reconfigure(systems.connect(plan), plan.sink!.connector, await sinkConfig(site, ref));
}
