// The sink: the table it writes, and, where that table is shared with the batch, its move from the staging table to the shared one. Undo beside do.
import { readTable } from '../../clients/postgres/catalog.js';
import { leaseTable, readLease } from '../../clients/postgres/lease-row.js';
import { createSinkTable } from '../../clients/postgres/sink-table-sql.js';
import { transaction, withSource, type SourceClient } from '../../clients/postgres/connection.js';
import { jdbcSinkConfig } from '../../connectors/jdbc-sink.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { namesOf, parseTableName, qualified } from '../../domain/migration/names.js';
import { resolve } from '../../domain/plan/resolve.js';
import {
  sharedTableOf,
  sinkTable,
  tableOwner,
  type TableOwner,
} from '../../domain/routes/shared-table.js';
import { reconfigure, taskFailure } from './connector-state.js';
import type { Deps } from '../runtime/deps.js';
import { ensureOwned, removeOwned } from './owned.js';
import { pollUntil } from '../runtime/poll-until.js';

const PAUSE_MS = 20_000; // of the hold

/** Who owns the table that the sink shares with the batch, by the lease row; null = the batch, or the table is not shared. */
async function streamOwner(client: SourceClient, ref: MigrationRef): Promise<TableOwner | null> {
  const { name, iteration, spec } = ref;
  const shared = sharedTableOf(spec);
  const row = shared && (await readLease(client, leaseTable(resolve(ref)), name));
  return shared && row?.state === 'SWITCHED' ? tableOwner(shared, iteration, row.epoch) : null;
}

/** The sink's configuration as it must be now. */
export async function sinkConfig(
  { secret }: Pick<Deps, 'secret'>,
  ref: MigrationRef,
): Promise<Record<string, string>> {
  const owner = sharedTableOf(ref.spec)
    ? await withSource(ref.spec, secret, (client) => streamOwner(client, ref))
    : null;
  return jdbcSinkConfig(resolve(ref), owner);
}

/** The table that the sink writes now. */
export async function currentSinkTable(client: SourceClient, ref: MigrationRef): Promise<string> {
  return sinkTable(ref.spec, (await streamOwner(client, ref)) ? 'stream' : 'batch');
}

export function createSinkActivities(deps: Deps) {
  const { secret, ledger, systems } = deps;
  const exists = (ref: MigrationRef, table: string): Promise<boolean> =>
    withSource(ref.spec, secret, async (client) => (await readTable(client, table)) !== null);

  /** Never ours, or given back when our own create failed: then it is the user's. */
  async function isForeign(ref: MigrationRef, object: OwnedObject): Promise<boolean> {
    const state = await ledger.objectState(ref.name, object);
    return (state === null || state === 'removed') && (await exists(ref, object.name));
  }

  return {
    /** The sink's table, made like the result table when it is not there. A table of the user's is used, never dropped. */
    async ensureSinkTable(ref: MigrationRef): Promise<OwnedObject | null> {
      const { sink, batch, source } = ref.spec.spec;
      if (!sink || !batch) return null;
      const name = sinkTable(ref.spec, 'batch');
      const object: OwnedObject = { kind: 'sink', name, where: source.postgres.database };
      if (await isForeign(ref, object)) return null;
      await ensureOwned(ledger, ref, object, {
        exists: () => exists(ref, name),
        create: () =>
          withSource(ref.spec, secret, (client) =>
            transaction(client, 'BEGIN', () => createSinkTable(client, batch, name)),
          ),
      });
      return object;
    },

    async removeSinkTable(ref: MigrationRef, object: OwnedObject): Promise<void> {
      await removeOwned(
        ledger,
        ref,
        object,
        () => exists(ref, object.name),
        async () =>
          void (await withSource(ref.spec, secret, (client) =>
            client.query(`DROP TABLE ${qualified(parseTableName(object.name))}`),
          )),
      );
    },

    /** Before a shared table changes hands: the sink writes nothing until it is resumed or moved, so that its staging table holds still. Undo: `resumeConnector`. */
    async pauseSink(ref: MigrationRef): Promise<void> {
      const rest = systems.connect(ref.spec);
      const { sinkConnector } = namesOf(ref.spec, ref.generation);
      await rest.pause(sinkConnector);
      // A task that failed has left records behind: it never shows PAUSED.
      const paused = await pollUntil(Date.now() + PAUSE_MS, 100, async () => {
        const status = await rest.status(sinkConnector);
        return status &&
          status.tasks.length > 0 &&
          [status.connector, ...status.tasks].every((part) => part.state === 'PAUSED')
          ? true
          : null;
      });
      if (!paused)
        throw new Problem(
          'connector-failed',
          `${sinkConnector} does not pause: ${(await taskFailure(rest, sinkConnector)) ?? 'no answer'}`,
        );
    },

    /** After the commit: the sink reads on from where it paused, and writes the shared table as its owner. Idempotent; by the lease row. */
    async moveSink(ref: MigrationRef): Promise<void> {
      await reconfigure(
        systems.connect(ref.spec),
        namesOf(ref.spec, ref.generation).sinkConnector,
        await sinkConfig(deps, ref),
      );
    },
  };
}
