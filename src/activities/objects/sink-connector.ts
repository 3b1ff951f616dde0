// The sink's connector: its configuration now, its pause before a shared table changes hands, and
// its move to that table. Undo beside do.
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
import { reconfigure, taskFailure } from './connector-state.js';
import type { Site } from './owned-kind.js';

const PAUSE_MS = 20_000; // this time is part of the hold

/**
 * Returns the owner of the shared table by the lease row. Null means the batch, or that the table
 * is not shared.
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

/** The sink's configuration as it must be now. */
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

/** The table that the sink writes now. */
export async function currentSinkTable(client: SourceClient, ref: MigrationRef): Promise<string> {
  const plan = resolve(ref);
  const owner = await streamOwner(client, ref, plan);
  return plan.sink!.writes[owner ? 'stream' : 'batch'].text;
}

/**
 * Pauses the sink before a shared table is switched, so that its staging table does not change.
 * Undo: `resumeConnector`.
 */
export async function pauseSink({ systems, plan }: Site): Promise<void> {
  const rest = systems.connect(plan);
  const { connector } = plan.sink!;
  await rest.pause(connector);
  // A task that failed has left records behind: it never shows PAUSED.
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
 * Moves the sink after the commit. It continues from where it paused, and writes the shared table
 * as its owner. Idempotent; by the lease row.
 */
export async function moveSink(site: Site): Promise<void> {
  const { systems, plan, ref } = site;
  await reconfigure(systems.connect(plan), plan.sink!.connector, await sinkConfig(site, ref));
}
