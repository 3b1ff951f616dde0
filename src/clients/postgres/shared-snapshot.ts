// Exports snapshots of the source, so that several sessions can read the same state. This is either
// the current state, or the state at the position of a new slot.
import { isFailoverSlot } from '../../domain/capture/failover.js';
import { quoteIdent } from '../../domain/migration/names.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { openSource, type ResolveSecret, type SourceClient } from './connection.js';

/** A snapshot that other sessions can use (`SET TRANSACTION SNAPSHOT`) until it is closed. */
export interface SharedSnapshot {
  readonly name: string;
  readonly close: () => Promise<void>;
}

/**
 * Creates a logical slot, and exports the snapshot at exactly the slot's position. Waits until all
 * transactions that have written and are open at the call have ended.
 */
export async function createSlot(
  spec: MigrationSpec,
  secret: ResolveSecret,
  slot: string,
): Promise<SharedSnapshot> {
  const client = await openSource(spec, secret, { speaksReplication: true });
  const how = isFailoverSlot(spec) ? `(SNAPSHOT 'export', FAILOVER true)` : 'EXPORT_SNAPSHOT';
  return shared(client, `CREATE_REPLICATION_SLOT ${quoteIdent(slot)} LOGICAL pgoutput ${how}`);
}

/** Exports a snapshot of the current state. */
export async function shareSnapshot(
  spec: MigrationSpec,
  secret: ResolveSecret,
): Promise<SharedSnapshot> {
  const client = await openSource(spec, secret);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  return shared(client, 'SELECT pg_export_snapshot() AS snapshot_name');
}

async function shared(client: SourceClient, sql: string): Promise<SharedSnapshot> {
  const close = (): Promise<void> => client.end().catch(() => undefined);
  try {
    const { rows } = await client.query<Record<string, string>>(sql);
    return { name: rows[0]!['snapshot_name']!, close };
  } catch (error) {
    await close();
    throw error;
  }
}
