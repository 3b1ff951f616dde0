// Finds the table that the sink connector writes to now, and builds the sink's configuration. If
// batch and stream share one table, the lease row in the target decides. Before the commit of the
// cut-over, the sink writes to a separate table, the staging table. After the commit, it writes to
// the shared table.
import type { SourceClient } from '../../../clients/postgres/connection.js';
import { withTarget } from '../../../clients/postgres/target-connection.js';
import { leaseTable, readLease } from '../../../clients/postgres/lease-row.js';
import { jdbcSinkConfig } from '../../../connectors/jdbc-sink.js';
import { tableOwner, type TableOwner } from '../../../domain/routes/table-owner.js';
import type { Deps } from '../../runtime/deps.js';
import type { Planned } from '../../runtime/with-plan.js';

/**
 * Returns the stream as the owner of the shared table if the lease row is `SWITCHED`. Returns null
 * if the batch owns the shared table, or if there is no shared table.
 */
async function streamOwner(
  client: SourceClient,
  { ref: { name, iteration }, plan }: Planned,
): Promise<TableOwner | null> {
  const { streamRole } = plan.route;
  if (streamRole === null) return null;
  const row = await readLease(client, leaseTable(plan), name);
  return row?.state === 'SWITCHED' ? tableOwner(streamRole, iteration, row.epoch) : null;
}

/** Returns the configuration that the sink must have now. */
export async function sinkConfig(
  { secret }: Pick<Deps, 'secret'>,
  run: Planned,
): Promise<Record<string, string>> {
  const { plan } = run;
  const owner = plan.route.movesSink
    ? await withTarget(plan, secret, (client) => streamOwner(client, run))
    : null;
  return jdbcSinkConfig(plan, owner);
}

/** Returns the table that the sink writes to now. `client` is a session on the target. */
export async function currentSinkTable(client: SourceClient, run: Planned): Promise<string> {
  const owner = await streamOwner(client, run);
  return run.plan.sink!.writes[owner ? 'stream' : 'batch'].text;
}
