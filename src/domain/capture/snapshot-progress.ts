// Folds Debezium's snapshot notifications into progress per table. A restarted snapshot resets the
// fold.
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

/** Initial loads that the connector makes. */
export type ConnectorSnapshot = 'initial' | 'incremental';
const KINDS = { initial: 'Initial Snapshot', incremental: 'Incremental Snapshot' } as const;

/** True when the connector has begun the snapshot that was requested. */
export const hasStarted = (
  notifications: readonly SnapshotNotification[],
  snapshot: ConnectorSnapshot,
): boolean => notifications.some((n) => n.aggregate_type === KINDS[snapshot]);

/**
 * `tables` as in the spec; `totals` are rows per table from the baseline (they inform, they prove
 * nothing).
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
      completed = true; // SKIPPED: a restart after a completed snapshot
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

/** Debezium writes the collection as `schema.table`, `db.schema.table` or with the topic prefix. */
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
