// Finds rows that were deleted between two scans of an initial load. If the connector restarts
// during the load, it scans the tables again, and then reads the WAL from the second scan on. The
// topic keeps a row of the first scan that was deleted in between, and gets no record of its
// deletion.
import { KeyHash } from './enc/key-hash.js';
import { KeyTable } from './enc/key-table.js';
import { loadEnvelope } from './load-envelope.js';

/** Receives the records of all partitions of a table's topic, each partition in its order. */
export class VanishedRows {
  /** The keys whose last record is a row of the load, with the number of its scan. */
  readonly #keys = new KeyTable(4);
  /** For each scan, its WAL position, and how many keys it has in `#keys`. */
  readonly #scans: { readonly position: bigint; keys: number }[] = [];
  readonly #hash = new KeyHash();

  /** Receives a record with key and value as JSON. Records without a key are ignored. */
  add(key: Buffer | null, value: Buffer | null): void {
    if (key === null) return;
    const hash = this.#hash.of(key);
    const slot = this.#keys.find(hash);
    if (slot >= 0) this.#scans[this.#keys.rowOf(slot)[0]]!.keys -= 1;
    const position = value === null ? null : positionOf(value);
    if (position !== null) {
      const scan = this.#numberOf(position);
      this.#keys.set(hash, scan, 0);
      this.#scans[scan]!.keys += 1;
    } else if (slot >= 0) this.#keys.delete(hash);
  }

  /** The WAL position of the newest scan. 0 if the topic has no row of a scan. */
  get newest(): bigint {
    return this.#scans.reduce(
      (newest, { position }) => (position > newest ? position : newest),
      0n,
    );
  }

  /**
   * Returns how many rows of the topic were last read by a scan whose WAL position is less than
   * `position`, and have no newer record.
   */
  before(position: bigint): number {
    const older = this.#scans.filter((scan) => scan.position < position);
    return older.reduce((sum, { keys }) => sum + keys, 0);
  }

  #numberOf(position: bigint): number {
    const known = this.#scans.findIndex((scan) => scan.position === position);
    return known >= 0 ? known : this.#scans.push({ position, keys: 0 }) - 1;
  }
}

/** Returns the WAL position of the scan that read this row. Null if the record is a change. */
function positionOf(value: Buffer): bigint | null {
  const record = loadEnvelope(value);
  return record?.op === 'r' ? record.position : null;
}
