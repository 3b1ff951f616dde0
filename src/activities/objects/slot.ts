// Creates and removes the replication slot. If the connector or the initial load `copy` creates the
// slot, Sluice claims the slot's name first.
import { createPlainSlot, dropSlot, readSlot } from '../../clients/postgres/slots.js';
import { isFailoverSlot } from '../../domain/capture/failover.js';
import { Problem } from '../../domain/failure.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { Lsn } from '../../domain/values/position.js';
import { pollUntil, stopIfCancelled } from '../runtime/poll-until.js';
import {
  changing,
  askEach,
  reading,
  type Asking,
  type OwnedKind,
  type Site,
} from './owned-kind.js';
import { creatingSlot } from '../capture/load/slot-wait.js';

// A dead connection keeps its slot until wal_sender_timeout, which is 60 s by default. So this time
// is longer.
const RELEASE_MS = 65_000;

const exists = async (asking: Asking, { name }: OwnedObject): Promise<boolean> =>
  (await reading(asking, (client) => readSlot(client, name))) !== null;

export const slot: OwnedKind = {
  exists,
  create: (site, { name }) =>
    creatingSlot(
      name,
      (use) => reading(site, use),
      () =>
        changing(site, (client) =>
          createPlainSlot(client, name, { isFailover: isFailoverSlot(site.plan) }),
        ),
    ),
  /**
   * Drops the slot. The connector MUST be gone, because a slot in use cannot be dropped. This
   * function waits for a walsender that is closing, and never ends other connections.
   */
  remove: (site, { name }) =>
    changing(site, async (client) => {
      const idle = await pollUntil(Date.now() + RELEASE_MS, 200, async () =>
        (await readSlot(client, name))?.activePid == null ? true : null,
      );
      if (!idle)
        throw new Problem('clean-up', `slot ${name} is still in use after ${RELEASE_MS / 1000} s`);
      stopIfCancelled(); // the attempt may have been cancelled during the wait
      await dropSlot(client, name);
    }),
  healthy: async (site, { name }) => {
    const found = await reading(site, (client) => readSlot(client, name));
    if (!found) return 'is gone';
    return found.activePid === null ? 'is not in use' : null;
  },
  nameCheck: { check: 'source.names-free', taken: askEach(exists) },
};

/**
 * Reads the slot after the connector, or Sluice itself, has created it. From then on, a missing
 * slot counts as lost.
 */
export async function identifySlot(
  site: Site,
  object: OwnedObject,
): Promise<{ restartLsn: Lsn; confirmedLsn: Lsn }> {
  const { name } = object;
  const { database } = site.plan;
  const found = await reading(site, (client) => readSlot(client, name));
  if (!found || found.plugin !== 'pgoutput' || found.database !== database)
    throw new Problem(
      'slot-lost',
      found
        ? `slot ${name} is ${found.plugin} on ${found.database}, not pgoutput on ${database}`
        : `slot ${name} does not exist`,
    );
  await site.ledger.setObjectState(site.ref, object, 'created');
  return { restartLsn: found.restartLsn ?? '0/0', confirmedLsn: found.confirmedLsn ?? '0/0' };
}
