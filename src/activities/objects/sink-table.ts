// Creates and removes the table that the sink writes to. A new table gets the columns of the
// batch's query, with their types in the result table. The roles that may read the result table may
// also read the new table. If the user has created the table, Sluice uses it and never drops it.
import { readTable } from '../../clients/postgres/catalog.js';
import { transaction } from '../../clients/postgres/connection.js';
import { createSinkTable } from '../../clients/postgres/sink-table-sql.js';
import { parseTableName, qualified } from '../../domain/migration/names.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import {
  changingBoth,
  changingTarget,
  isThere,
  readingTarget,
  type Asking,
  type OwnedKind,
  type Site,
} from './owned-kind.js';

const exists = (asking: Asking, { name }: OwnedObject): Promise<boolean> =>
  readingTarget(asking, async (client) => (await readTable(client, name)) !== null);

export const sinkTable: OwnedKind = {
  exists,
  create: async (site, { name }) => {
    const { batch } = site.plan;
    if (!batch)
      throw new Error('a sink table is created like the table of the batch, and there is no batch');
    await changingBoth(site, (databases) =>
      transaction(databases.target, 'BEGIN', () => createSinkTable(databases, batch, name)),
    );
  },
  remove: async (site, { name }) => {
    await changingTarget(site, (client) =>
      client.query(`DROP TABLE ${qualified(parseTableName(name))}`),
    );
  },
  healthy: isThere(exists),
  /**
   * A table that already exists belongs to the user. Sluice will use it, so its name counts as
   * free.
   */
  nameCheck: null,
};

/** Returns true if the table exists and the ledger does not list it as ours. */
export async function isUsers(site: Site, object: OwnedObject): Promise<boolean> {
  const state = await site.ledger.objectState(site.ref, object);
  return (state === null || state === 'removed') && (await exists(site, object));
}
