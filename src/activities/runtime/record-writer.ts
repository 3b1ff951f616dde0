// Writes rows as records. If a value cannot be written, the failure names its table and column, and
// what to do.
import { LineRecords } from '../../compare/copied/line-records.js';
import { Undecodable } from '../../compare/undecodable.js';
import { SnapshotWriter, type ReplayTable } from '../../compare/write-debezium-json.js';
import { Problem } from '../../domain/failure.js';

export type WriteRecord = SnapshotWriter['record'];

/**
 * Returns a function that turns a row into a record. Throws Problem `unsupported`, with the table
 * and the column, if a type cannot be written. The returned function throws the same Problem if a
 * value cannot be written. A retry would not help, because it would find the same row again.
 */
export function recordWriter(table: ReplayTable, remedy: string): WriteRecord {
  const attempt = attempts(table, remedy);
  const writer = attempt(() => new SnapshotWriter(table, Date.now()));
  return (values) => attempt(() => writer.record(values));
}

export interface LineWriter {
  /**
   * The last bytes of each record's value. They are the same for all rows, so `record` omits them.
   */
  readonly end: Buffer;
  /** Returns the record of a line, as bytes that are valid until the next call. */
  record(line: Buffer): LineRecords;
}

/** Works like `recordWriter` for lines of COPY's text format. */
export function lineWriter(table: ReplayTable, remedy: string): LineWriter {
  const attempt = attempts(table, remedy);
  const records = attempt(() => new LineRecords(table, Date.now()));
  return {
    end: records.end,
    record: (line) =>
      attempt(() => {
        records.write(line);
        return records;
      }),
  };
}

const attempts =
  ({ schema, table }: ReplayTable, remedy: string) =>
  <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      throw new Problem('unsupported', `${schema}.${table}: ${error.message}`, remedy);
    }
  };
