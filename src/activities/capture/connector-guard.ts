// The guard: runs beside every phase from snapshot to hand-over, also while blocked or paused. Restarts failed tasks within bounds; watches slot and WAL.
import { Context } from '@temporalio/activity';
import { leaseTable, readLease } from '../../clients/postgres/lease-row.js';
import { withSource } from '../../clients/postgres/connection.js';
import { formatBytes, sizeBytes } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { namesOf, quoteLiteral, sourceConnectors } from '../../domain/migration/names.js';
import { pollingOf } from '../../domain/migration/polling.js';
import { resolve } from '../../domain/plan/resolve.js';
import { lsnDistance } from '../../domain/values/position.js';
import { taskFailure } from '../objects/connector-state.js';
import type { Deps } from '../runtime/deps.js';
import { pause } from '../runtime/poll-until.js';
import { insertLsn } from '../barrier/marker.js';

export type GuardReport =
  /** Nothing of this migration is ours any more: nothing to watch. */
  | { readonly kind: 'stood-down' }
  | { readonly kind: 'restarted'; readonly connector: string; readonly cause: string }
  | {
      readonly kind: 'gave-up';
      readonly connector: string;
      readonly cause: string;
      readonly restarts: number;
    }
  | { readonly kind: 'slot-lost'; readonly detail: string }
  | { readonly kind: 'wal-budget'; readonly detail: string; readonly dropped: boolean };

export interface GuardInput {
  readonly ref: MigrationRef;
  /** Restarts per connector so far. */
  readonly restarts: Readonly<Record<string, number>>;
  /** Slot identity known: from then on its absence is a loss, not a beginning. */
  readonly slotExpected: boolean;
  readonly alarmed: boolean;
}

const POLL_MS = 1000;
const WAL_POLL_EVERY = 5;
const MAX_RESTARTS = 30;

export function createGuardActivities({ secret, ledger, systems }: Deps) {
  return {
    /** Watches until something must be told, then returns it. Trouble in reaching a system is not news here: barriers show it. */
    async guard({ ref, restarts, slotExpected, alarmed }: GuardInput): Promise<GuardReport> {
      const names = namesOf(ref.spec, ref.generation);
      const rest = systems.connect(ref.spec);
      const connectors = [
        ...sourceConnectors(ref.spec, ref.generation),
        ...(ref.spec.spec.sink ? [names.sinkConnector] : []),
      ];
      const givenUp = new Set<string>();
      for (let round = 0; ; round += 1) {
        for (const connector of connectors) {
          const cause = await taskFailure(rest, connector).catch(() => null);
          if (cause === null || givenUp.has(connector)) continue;
          const count = restarts[connector] ?? 0;
          if (count >= MAX_RESTARTS) {
            givenUp.add(connector);
            if (count === MAX_RESTARTS)
              return { kind: 'gave-up', connector, cause, restarts: count };
            continue;
          }
          await pause(Math.min(30_000, 250 * 2 ** Math.min(count, 7))); // back-off grows with every restart of the run
          await rest.restartFailed(connector).catch(() => undefined);
          return { kind: 'restarted', connector, cause };
        }
        if (round % WAL_POLL_EVERY === 0) {
          const open = await ledger.openObjects(ref.name).catch(() => null);
          if (open?.length === 0) return { kind: 'stood-down' };
          const report = pollingOf(ref.spec)
            ? null
            : await watchSlot(ref, slotExpected, alarmed).catch((error: unknown) =>
                error instanceof Problem && error.code === 'slot-lost'
                  ? { kind: 'slot-lost' as const, detail: error.message }
                  : null,
              );
          if (report) return report;
        }
        await pause(POLL_MS);
      }
    },
  };

  async function watchSlot(
    ref: MigrationRef,
    slotExpected: boolean,
    alarmed: boolean,
  ): Promise<GuardReport | null> {
    const { slot } = namesOf(ref.spec, ref.generation);
    return withSource(ref.spec, secret, async (client) => {
      const { rows } = await client.query<Record<string, string | null>>(
        `SELECT restart_lsn, wal_status FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`,
      );
      const row = rows[0];
      if (!row)
        return slotExpected
          ? { kind: 'slot-lost', detail: `replication slot ${slot} does not exist any more` }
          : null;
      if (row['wal_status'] === 'lost' || (slotExpected && !row['restart_lsn']))
        return {
          kind: 'slot-lost',
          detail: `replication slot ${slot} was invalidated (wal_status ${row['wal_status']})`,
        };
      if (!row['restart_lsn']) return null;
      const retained = lsnDistance(row['restart_lsn'], await insertLsn(client));
      Context.current().heartbeat({ retainedBytes: retained });
      const { bytes, onExhaustion } = ref.spec.spec.source.walBudget;
      if (retained <= sizeBytes(bytes)) return null;
      const detail = `slot ${slot} retains ${formatBytes(retained)} of WAL > walBudget ${bytes}`;
      const committed = await isCommitted(ref);
      if (onExhaustion === 'block' || committed)
        return alarmed ? null : { kind: 'wal-budget', detail, dropped: false };
      await dropSlot(ref, slot);
      return {
        kind: 'wal-budget',
        detail: `${detail}: slot dropped, the source's health outranks the migration`,
        dropped: true,
      };
    });
  }

  async function isCommitted(ref: MigrationRef): Promise<boolean> {
    const read = async (client: Parameters<typeof readLease>[0]): Promise<boolean> =>
      (await readLease(client, leaseTable(resolve(ref)), ref.name))?.state === 'SWITCHED';
    return ref.spec.spec.batch ? withSource(ref.spec, secret, read) : ledger.transaction(read);
  }

  async function dropSlot(ref: MigrationRef, slot: string): Promise<void> {
    const owned = await ledger.objectState(ref.name, {
      kind: 'slot',
      name: slot,
      where: ref.spec.spec.source.postgres.database,
    });
    if (owned !== 'created' && owned !== 'registered') return;
    await systems
      .connect(ref.spec)
      .stop(namesOf(ref.spec, ref.generation).connector)
      .catch(() => undefined);
    await withSource(ref.spec, secret, async (client) => {
      for (let attempt = 0; attempt < 100; attempt += 1) {
        const { rows } = await client.query<Record<string, string>>(
          `SELECT active FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`,
        );
        if (!rows[0]) return;
        if (rows[0]['active'] === 'f')
          return void (await client.query(
            `SELECT pg_drop_replication_slot(${quoteLiteral(slot)})`,
          ));
        await pause(500);
      }
    });
  }
}
