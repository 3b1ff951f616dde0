// Computes the progress of each table from Debezium's snapshot notifications. If the snapshot
// restarts, the progress starts from zero.
import { parseTableName } from '../migration/names.js';
import type { TableProgress } from '../evidence/ledger-rows.js';

export interface SnapshotNotification {
  readonly aggregate_type: string;
  readonly type: string;
  readonly additional_data?: Readonly<Record<string, string>> | null;
}

export interface SnapshotProgress {
  readonly completed: boolean;
  readonly failure: string | null;
  readonly tables: TableProgress[];
}

/** Initial loads that the connector performs. */
export type ConnectorSnapshot = 'initial' | 'incremental';
const KINDS = { initial: 'Initial Snapshot', incremental: 'Incremental Snapshot' } as const;

/** Returns whether the connector has started a snapshot of this kind. */
export const hasStarted = (
  notifications: readonly SnapshotNotification[],
  snapshot: ConnectorSnapshot,
): boolean => notifications.some((n) => n.aggregate_type === KINDS[snapshot]);

/** Returns how often the connector has begun its own initial snapshot. */
export const scansOf = (notifications: readonly SnapshotNotification[]): number =>
  notifications.filter((n) => n.aggregate_type === KINDS.initial && n.type === 'STARTED').length;

/** Returns whether the connector has begun an incremental snapshot and has not ended it. */
export const isScanning = (notifications: readonly SnapshotNotification[]): boolean => {
  const ends = ['COMPLETED', 'ABORTED'];
  const steps = notifications.filter((n) => n.aggregate_type === KINDS.incremental);
  const begun = steps.findLastIndex(({ type }) => type === 'STARTED');
  return begun > steps.findLastIndex(({ type }) => ends.includes(type));
};

const ASK_AGAIN_MS = 20_000; // a connector that was still starting may have missed the request
const FORGOTTEN_MS = 60_000; // Debezium notifies after each chunk, which usually takes under 1 s

export interface SignalledSnapshot {
  readonly hasStarted: boolean;
  readonly hasFailed: boolean;
  readonly msSinceAsked: number;
  readonly msSinceNotified: number;
}

/**
 * Returns whether the connector must be asked for an incremental snapshot. A connector that stops
 * before it commits its offset forgets a started snapshot without a report. A long silence is
 * therefore a reason to ask again. A connector that was only slow then scans the tables a second
 * time.
 */
export function mustAsk(snapshot: SignalledSnapshot): boolean {
  const { hasStarted, hasFailed, msSinceAsked, msSinceNotified } = snapshot;
  if (!hasStarted || hasFailed) return msSinceAsked > ASK_AGAIN_MS;
  return Math.min(msSinceAsked, msSinceNotified) > FORGOTTEN_MS;
}

/**
 * Returns the progress of each table. `tables` are the spec's tables. `totals` are the row counts
 * of the tables in the baseline; they are shown but prove nothing.
 */
export function foldNotifications(
  notifications: readonly SnapshotNotification[],
  tables: readonly string[],
  totals: Readonly<Record<string, number>>,
  topicPrefix: string,
  snapshot: ConnectorSnapshot = 'initial',
): SnapshotProgress {
  const scanned = new Map<string, number>();
  let completed = false;
  let failure: string | null = null;
  for (const { aggregate_type: kind, type, additional_data: data } of notifications) {
    if (kind !== KINDS[snapshot]) continue;
    if (type === 'STARTED') {
      scanned.clear();
      completed = false;
      failure = null;
    } else if (type === 'TABLE_SCAN_COMPLETED') {
      const collection = data?.['scanned_collection'] ?? '';
      if (data?.['status'] !== 'SUCCEEDED' && data?.['status'] !== 'EMPTY')
        failure = `table scan of ${collection} ended as ${data?.['status']}`;
      else scanned.set(collection, Number(data['total_rows_scanned'] ?? 0));
    } else if (type === 'COMPLETED' || type === 'SKIPPED') {
      completed = true; // Debezium sends SKIPPED when it restarts after a completed snapshot
    }
  }
  const progress = tables.map((table) => ({
    table,
    rowsScanned: scannedRows(scanned, table, topicPrefix),
    rowsTotal: totals[table] ?? null,
  }));
  const unfinished = progress.filter((p) => p.rowsScanned === null).map((p) => p.table);
  if (completed && failure === null && unfinished.length > 0)
    failure = `the snapshot completed without a scan of ${unfinished.join(', ')}`;
  return { completed, failure, tables: progress };
}

/**
 * Returns the number of rows that the scan of a table read, or null if the scan has not ended.
 * Debezium writes the collection as `schema.table`, as `db.schema.table`, or with the topic prefix.
 */
function scannedRows(
  scanned: ReadonlyMap<string, number>,
  table: string,
  topicPrefix: string,
): number | null {
  const { schema, table: name } = parseTableName(table);
  for (const [collection, rows] of scanned) {
    const plain = collection.startsWith(`${topicPrefix}.`)
      ? collection.slice(topicPrefix.length + 1)
      : collection;
    if (plain === `${schema}.${name}` || plain.endsWith(`.${schema}.${name}`)) return rows;
  }
  return null;
}
