// What we make in and learn from the legacy database: lease, publication, slot, baseline. Undo beside do.
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { readTable } from '../../clients/postgres/catalog.js';
import { dropFenceFunctionSql } from '../../clients/postgres/fence-triggers.js';
import { dropKeptViewSql } from '../../clients/postgres/kept-view.js';
import { createLeaseTableSql } from '../../clients/postgres/lease-row.js';
import { dropSharedTableSql } from '../../clients/postgres/shared-table-sql.js';
import { transaction, withSource } from '../../clients/postgres/connection.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import {
  namesOf,
  parseTableName,
  qualified,
  quoteIdent,
  quoteLiteral,
} from '../../domain/migration/names.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Deps } from '../runtime/deps.js';
import { claim, ensureOwned, removeOwned } from './owned.js';
import { pollUntil } from '../runtime/poll-until.js';
import { creatingSlot } from './slot-wait.js';

export interface Baseline {
  readonly lsn: Lsn;
  readonly server: string;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly fingerprint: string;
  }[];
}

const SLOT_RELEASE_MS = 65_000; // wal_sender_timeout's default: how long a dead connection may hold a slot

export function createSourceActivities({ secret, ledger }: Deps) {
  const database = (ref: MigrationRef): string => ref.spec.spec.source.postgres.database;
  const within = <T>(ref: MigrationRef, use: (client: pg.Client) => Promise<T>): Promise<T> =>
    withSource(ref.spec, secret, use);
  const found = (ref: MigrationRef, sql: string): Promise<boolean> =>
    within(ref, async (client) => (await client.query(sql)).rows.length > 0);

  const lease = (ref: MigrationRef): OwnedObject => ({
    kind: 'lease',
    name: namesOf(ref.spec, 1).leaseSchema,
    where: ref.spec.spec.batch ? database(ref) : 'ledger',
  });
  const leaseExists = async (ref: MigrationRef): Promise<boolean> => {
    if (!ref.spec.spec.batch)
      return (
        (await ledger.query(`SELECT 1 FROM sluice.lease WHERE migration = $1`, [ref.name])).length >
        0
      );
    return found(
      ref,
      `SELECT 1 FROM pg_namespace WHERE nspname = ${quoteLiteral(lease(ref).name)}`,
    );
  };

  return {
    /** The one row that will decide who owns the result; made long before the fence, so that every later snapshot sees it. */
    async ensureLease(ref: MigrationRef): Promise<void> {
      await ensureOwned(ledger, ref, lease(ref), {
        exists: () => leaseExists(ref),
        create: async () => {
          if (!ref.spec.spec.batch) {
            await ledger.query(
              `INSERT INTO sluice.lease (migration, state, epoch) VALUES ($1, 'OPEN', 0) ON CONFLICT DO NOTHING`,
              [ref.name],
            );
            return;
          }
          const { name } = lease(ref);
          await within(ref, (client) =>
            transaction(client, 'BEGIN', async () => {
              await client.query(createLeaseTableSql(name));
              await client.query(
                `INSERT INTO ${quoteIdent(name)}.lease (migration, state, epoch) VALUES (${quoteLiteral(ref.name)}, 'OPEN', 0)`,
              );
            }),
          );
        },
      });
    },

    async removeLease(ref: MigrationRef, object: OwnedObject): Promise<void> {
      await removeOwned(
        ledger,
        ref,
        object,
        () => leaseExists(ref),
        async () => {
          if (object.where === 'ledger')
            await ledger.query(`DELETE FROM sluice.lease WHERE migration = $1`, [ref.name]);
          else
            await within(ref, (client) =>
              client.query(
                `${dropFenceFunctionSql(object.name)}; ${dropSharedTableSql(object.name)}; ${dropKeptViewSql(object.name)}; DROP TABLE IF EXISTS ${quoteIdent(object.name)}.lease; DROP SCHEMA ${quoteIdent(object.name)}`,
              ),
            );
        },
      );
    },

    /** Exactly the spec's tables; before the slot, or the slot would be poisoned for good. */
    async ensurePublication(ref: MigrationRef): Promise<void> {
      const { publication } = namesOf(ref.spec, ref.generation);
      const tables = ref.spec.spec.source.tables.map((t) => qualified(parseTableName(t)));
      await ensureOwned(
        ledger,
        ref,
        { kind: 'publication', name: publication, where: database(ref) },
        {
          exists: () =>
            found(ref, `SELECT 1 FROM pg_publication WHERE pubname = ${quoteLiteral(publication)}`),
          create: async () =>
            // A partitioned table is one topic, whatever leaves it has and gets.
            void (await within(ref, (client) =>
              client.query(
                `CREATE PUBLICATION ${quoteIdent(publication)} FOR TABLE ${tables.join(', ')} WITH (publish_via_partition_root = true)`,
              ),
            )),
        },
      );
    },

    async removePublication(ref: MigrationRef, object: OwnedObject): Promise<void> {
      await removeOwned(
        ledger,
        ref,
        object,
        () =>
          found(ref, `SELECT 1 FROM pg_publication WHERE pubname = ${quoteLiteral(object.name)}`),
        async () => {
          await within(ref, (client) =>
            client.query(`DROP PUBLICATION ${quoteIdent(object.name)}`),
          );
        },
      );
    },

    /** For `initial` the connector creates the slot itself: only then are its snapshot and its WAL position one. We claim the name first. */
    async claimSlot(ref: MigrationRef): Promise<void> {
      const { slot } = namesOf(ref.spec, ref.generation);
      await claim(ledger, ref, { kind: 'slot', name: slot, where: database(ref) }, () =>
        found(ref, `SELECT 1 FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`),
      );
    },

    /** For a snapshot in chunks the slot is ours, made before anything is read: what is written from here on comes through the log. */
    async ensureSlot(ref: MigrationRef): Promise<void> {
      const { slot } = namesOf(ref.spec, ref.generation);
      const ask = <T>(use: (client: pg.ClientBase) => Promise<T>): Promise<T> => within(ref, use);
      await ensureOwned(
        ledger,
        ref,
        { kind: 'slot', name: slot, where: database(ref) },
        {
          exists: () =>
            found(
              ref,
              `SELECT 1 FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`,
            ),
          create: async () =>
            void (await creatingSlot(slot, ask, () =>
              within(ref, (client) =>
                client.query(
                  `SELECT pg_create_logical_replication_slot(${quoteLiteral(slot)}, 'pgoutput')`,
                ),
              ),
            )),
        },
      );
    },

    /** The identity of the slot that the connector made: read back, and from now on watched. */
    async identifySlot(ref: MigrationRef): Promise<{ restartLsn: Lsn; confirmedLsn: Lsn }> {
      const { slot } = namesOf(ref.spec, ref.generation);
      return within(ref, async (client) => {
        const { rows } = await client.query<Record<string, string>>(
          `SELECT plugin, database, restart_lsn, confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`,
        );
        const row = rows[0];
        if (!row || row['plugin'] !== 'pgoutput' || row['database'] !== database(ref)) {
          throw new Problem(
            'slot-lost',
            row
              ? `slot ${slot} is ${row['plugin']} on ${row['database']}, not pgoutput on ${database(ref)}`
              : `the connector did not create slot ${slot}`,
          );
        }
        await ledger.setObjectState(
          ref,
          { kind: 'slot', name: slot, where: database(ref) },
          'created',
        );
        return {
          restartLsn: row['restart_lsn'] ?? '0/0',
          confirmedLsn: row['confirmed_flush_lsn'] ?? '0/0',
        };
      });
    },

    /** The connector MUST be gone: a slot in use cannot be dropped. Waits for a dying walsender, ends nobody else's connection. */
    async removeSlot(ref: MigrationRef, object: OwnedObject): Promise<void> {
      const row = (client: pg.Client) =>
        client.query<Record<string, string>>(
          `SELECT active FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(object.name)}`,
        );
      await removeOwned(
        ledger,
        ref,
        object,
        () => within(ref, async (client) => (await row(client)).rows.length > 0),
        () =>
          within(ref, async (client) => {
            const idle = await pollUntil(Date.now() + SLOT_RELEASE_MS, 200, async () =>
              (await row(client)).rows[0]?.['active'] === 't' ? null : true,
            );
            if (!idle)
              throw new Problem(
                'clean-up',
                `slot ${object.name} is still in use after ${SLOT_RELEASE_MS / 1000} s`,
              );
            await client.query(
              `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(object.name)}`,
            );
          }),
      );
    },

    /** Schema fingerprint, rows and size per table and the WAL position, in one snapshot. */
    async takeBaseline(ref: MigrationRef): Promise<Baseline> {
      return within(ref, (client) =>
        transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
          const position = (
            await client.query<Record<string, string>>(`SELECT pg_current_wal_insert_lsn() AS lsn`)
          ).rows[0]!;
          const tables: Baseline['tables'][number][] = [];
          for (const text of ref.spec.spec.source.tables) {
            const catalog = await readTable(client, text);
            if (!catalog) throw new Problem('preflight-failed', `table ${text} is gone`);
            const count = await client.query<Record<string, string>>(
              `SELECT count(*) AS n FROM ${qualified(catalog.name)}`,
            );
            const shape = JSON.stringify([catalog.columns, catalog.key, catalog.replicaIdentity]);
            tables.push({
              table: text,
              rows: Number(count.rows[0]!['n']),
              bytes: catalog.bytes,
              fingerprint: createHash('sha256').update(shape).digest('hex').slice(0, 16),
            });
          }
          return { lsn: position['lsn']!, server: await serverIdentity(client), tables };
        }),
      );
    },
  };
}

/**
 * System identifier and timeline: another server, or the same one after a failover, is another history. Empty where the role may not ask. A primary's timeline
 * is that of the WAL file it writes, for the control file names a new one only after the checkpoint that follows a promotion.
 */
export async function serverIdentity(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE') THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END AS id,
            CASE WHEN NOT pg_is_in_recovery() THEN ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int::text
                 WHEN has_function_privilege('pg_control_checkpoint()', 'EXECUTE') THEN (SELECT timeline_id::text FROM pg_control_checkpoint()) ELSE '' END AS timeline`,
  );
  return `${rows[0]!['id']}/${rows[0]!['timeline']}`;
}
