// Writes rows as records. If a row cannot be written, the failure says where and what to do.
import { Undecodable } from '../../compare/undecodable.js';
import { SnapshotWriter, type ReplayTable } from '../../compare/write-debezium-json.js';
import { Problem } from '../../domain/failure.js';

export type WriteRecord = SnapshotWriter['record'];

/**
 * Returns a function that turns a row into a record. If a type or a value cannot be written, this
 * function or the returned one throws Problem `unsupported`, which names the table and the column.
 * A retry of the activity would find the same row again.
 */
export function recordWriter(table: ReplayTable, remedy: string): WriteRecord {
  const attempt = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      throw new Problem('unsupported', `${table.schema}.${table.table}: ${error.message}`, remedy);
    }
  };
  const writer = attempt(() => new SnapshotWriter(table, Date.now()));
  return (values) => attempt(() => writer.record(values));
}
