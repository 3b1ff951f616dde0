// Creates and removes the lease row, which says whether consumers read the batch or the stream.
// The row is created long before the cut-over, so that every writer's snapshot includes the row
// when the fence's trigger reads it.
import { leaseStore, schemaExists } from '../ownership/lease-store.js';
import { askEach, isThere, readingTarget, type OwnedKind } from './owned-kind.js';

const exists: OwnedKind['exists'] = (site, { where }) => leaseStore(site, site, where).exists();

export const lease: OwnedKind = {
  exists,
  create: (site, { where }) => leaseStore(site, site, where).create(),
  remove: (site, { where }) => leaseStore(site, site, where).remove(),
  healthy: isThere(exists),
  /**
   * Checks only the schema in the target. In the ledger, the name of the migration is the key of
   * the row, so nothing else can occupy the row.
   */
  nameCheck: {
    check: 'source.names-free',
    taken: askEach(async (asking, { name, where }) =>
      where === 'ledger' ? false : readingTarget(asking, (client) => schemaExists(client, name)),
    ),
  },
};
