// Compares WAL positions as Postgres prints them (`16/B374D848`). Also says which transactions a
// snapshot sees. Temporal's payloads are JSON, which has no BigInt, so positions are strings there.

export type Lsn = string;

export function lsnToBigInt(lsn: Lsn): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(lsn);
  if (!match) throw new Error(`"${lsn}" is not an LSN like 16/B374D848`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function lsnFromBigInt(value: bigint): Lsn {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}`;
}

export function compareLsn(a: Lsn, b: Lsn): -1 | 0 | 1 {
  const [left, right] = [lsnToBigInt(a), lsnToBigInt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Returns the bytes of WAL from `from` to `to`, and 0 if `to` is earlier. */
export function lsnDistance(from: Lsn, to: Lsn): number {
  const distance = lsnToBigInt(to) - lsnToBigInt(from);
  return distance > 0n ? Number(distance) : 0;
}

/**
 * The content of `pg_current_snapshot()`: `xmin:xmax:xip,xip,…`. Transaction ids have 64 bits; a
 * double holds them exactly below 2^53.
 */
export interface SnapshotVisibility {
  readonly xmin: number;
  readonly xmax: number;
  readonly inProgress: ReadonlySet<number>;
  /**
   * A limit from the source's transaction counter. Sluice reads it after it has read the topic's
   * end offsets, so every transaction in the topic up to these offsets has a smaller id. Absent if
   * the limit is not known.
   */
  readonly before?: number;
}

export function parseSnapshot(text: string): SnapshotVisibility {
  const match = /^(\d+):(\d+):([\d,]*)$/.exec(text);
  if (!match) throw new Error(`"${text}" is not a snapshot like 10:20:11,14`);
  const inProgress = match[3] === '' ? [] : match[3]!.split(',').map(Number);
  return { xmin: Number(match[1]), xmax: Number(match[2]), inProgress: new Set(inProgress) };
}

const EPOCH = 2 ** 32;

/**
 * Returns a 64-bit id above the id of every record's transaction. No transaction stays open while
 * 2^31 others begin, so `xmax` + 2^31 is enough.
 */
export const idsEnd = ({ xmax, before }: SnapshotVisibility): number => before ?? xmax + EPOCH / 2;

/**
 * Widens Debezium's 32-bit transaction id to the latest 64-bit id that has the same lower half and
 * that a record of the topic can have. The record may belong to an older transaction with the same
 * lower half. That transaction ended long ago, so every snapshot that sees the widened id sees it
 * too. Ids that already have 64 bits stay unchanged.
 */
export function widened(txId: number, snapshot: SnapshotVisibility): number {
  if (txId >= EPOCH) return txId;
  const last = idsEnd(snapshot) - 1;
  const wide = Math.floor(last / EPOCH) * EPOCH + txId;
  return wide > last ? wide - EPOCH : wide;
}

/** Returns whether a snapshot sees the transaction. The id may be Debezium's 32-bit form. */
export function isVisible(txId: number, snapshot: SnapshotVisibility): boolean {
  const wide = widened(txId, snapshot);
  if (wide < snapshot.xmin) return true;
  return wide < snapshot.xmax && !snapshot.inProgress.has(wide);
}

/**
 * Returns whether a row that a connector's snapshot read can be newer than `snapshot`. `txId` is
 * the transaction of the connector's snapshot, or 0 if it is not known. A transaction that began
 * before `snapshot` reads only what `snapshot` sees too. Without the limit `before`, an old id can
 * look like a new one, so the row counts as seen.
 */
export function isReadLater(txId: number, snapshot: SnapshotVisibility): boolean {
  if (txId === 0 || snapshot.before === undefined) return false;
  return widened(txId, snapshot) >= snapshot.xmax;
}

/** Returns whether the later snapshot sees every transaction that the earlier one sees. */
export function seesAll(later: SnapshotVisibility, earlier: SnapshotVisibility): boolean {
  if (later.xmax < earlier.xmax) return false;
  const { xmin, xmax, inProgress } = earlier;
  for (const id of later.inProgress)
    if (id < xmin || (id < xmax && !inProgress.has(id))) return false;
  return true;
}
