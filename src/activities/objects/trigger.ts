// Finds and removes the triggers that refuse writes if the lease row says so. The fence creates
// these triggers in its own transaction (cutover/fence.ts), in the database of the lease row.
import { dropTrigger, triggerExists } from '../../clients/postgres/trigger-sql.js';
import { readTrigger } from '../../domain/migration/trigger-names.js';
import { changingTarget, isThere, readingTarget, type OwnedKind, type Site } from './owned-kind.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';

const exists = (site: Site, { name }: OwnedObject): Promise<boolean> => {
  const { role, table } = readTrigger(site.plan.names, name);
  return readingTarget(site, (client) => triggerExists(client, site.plan, role, table));
};

export const trigger: OwnedKind = {
  exists,
  create: null,
  remove: (site, { name }) => {
    const { role, table } = readTrigger(site.plan.names, name);
    return changingTarget(site, (client) => dropTrigger(client, site.plan, role, table));
  },
  healthy: isThere(exists),
  nameCheck: null,
};
