// Reads, counts, creates and drops replication slots, and decides when a slot is lost.
import type pg from 'pg';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { Lsn } from '../../domain/values/position.js';

export interface Slot {
  readonly plugin: string | null;
  readonly database: string | null;
  /** The process that reads the slot. Null if no process reads it. */
  readonly activePid: string | null;
  /** Null for a slot that is being created, or whose WAL was removed. */
  readonly restartLsn: Lsn | null;
  readonly confirmedLsn: Lsn | null;
  readonly walStatus: string | null;
  /** The server's reason for the invalidation of the slot. Always null before PostgreSQL 17. */
  readonly reason: string | null;
}

/** Reads a slot. Returns null if no slot has that name. */
export async function readSlot(client: pg.ClientBase, name: string): Promise<Slot | null> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT plugin, database, active_pid::text, restart_lsn::text, confirmed_flush_lsn::text, wal_status, to_jsonb(s) ->> 'invalidation_reason' AS reason
       FROM pg_replication_slots s WHERE slot_name = ${quoteLiteral(name)}`,
  );
  const row = rows[0];
  if (!row) return null;
  return {
    plugin: row['plugin'] ?? null,
    database: row['database'] ?? null,
    activePid: row['active_pid'] ?? null,
    restartLsn: row['restart_lsn'] ?? null,
    confirmedLsn: row['confirmed_flush_lsn'] ?? null,
    walStatus: row['wal_status'] ?? null,
    reason: row['reason'] ?? null,
  };
}

/**
 * Returns the reason why a connector cannot continue from this slot. Returns null if the connector
 * can continue. With `isBeginning`, the capture has just begun, so the slot may still be missing or
 * incomplete.
 */
export function lossOf(
  name: string,
  slot: Slot | null,
  { isBeginning = false } = {},
): string | null {
  if (!slot) return isBeginning ? null : `replication slot ${name} no longer exists`;
  const isLost = slot.walStatus === 'lost' || (slot.restartLsn === null && !isBeginning);
  return isLost
    ? `replication slot ${name} was invalidated (wal_status ${slot.walStatus}${slot.reason === null ? '' : `, ${slot.reason}`}), so WAL that the connector had not read is lost`
    : null;
}

/**
 * Creates the slot without an exported snapshot. Waits for the end of all writing
 * transactions that are open at the call. A server before version 17 refuses to create a failover slot.
 */
export async function createPlainSlot(
  client: pg.ClientBase,
  name: string,
  { isFailover }: { readonly isFailover: boolean },
): Promise<void> {
  const more = isFailover ? ', temporary => false, twophase => false, failover => true' : '';
  await client.query(
    `SELECT pg_create_logical_replication_slot(${quoteLiteral(name)}, 'pgoutput'${more})`,
  );
}

/**
 * Drops a slot. Does nothing if the slot does not exist. The server refuses to drop a slot that a
 * process is reading.
 */
export async function dropSlot(client: pg.ClientBase, name: string): Promise<void> {
  await client.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(name)}`,
  );
}

/** Returns the number of the server's slots, and their limit. */
export async function slotUse(client: pg.ClientBase): Promise<{ used: number; most: number }> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT current_setting('max_replication_slots') AS most, (SELECT count(*) FROM pg_replication_slots)::text AS used`,
  );
  return { used: Number(rows[0]!['used']), most: Number(rows[0]!['most']) };
}
