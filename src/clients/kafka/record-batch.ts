// Reads the records of Kafka record batches (magic 2) in a Fetch response. This code is synchronous
// and creates no object for each record, because folds read long topics with it.
import { Problem } from '../../domain/failure.js';
import { decompress } from './compression.js';
import { crc32c } from './crc32c.js';

export interface RecordVisitor {
  /**
   * Receives one record. The key and the value are ranges of `bytes`, so no object is created for
   * each record. A null key or value begins at -1. The visitor MUST copy bytes that it needs after
   * the call.
   */
  (
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

const HEADER_BYTES = 61;
const LENGTH_AT = 8;
const BEFORE_LENGTH = 12; // base offset and the length itself
const CRC_AT = 17;

/**
 * Tracks which producers are inside an aborted transaction while one answer is read in order. Their
 * records are skipped (read_committed).
 */
export class TransactionFilter {
  readonly #pending: AbortedTransaction[];
  readonly #aborted = new Set<bigint>();

  /** Creates a filter for the aborted transactions that an answer lists. */
  constructor(aborted: readonly AbortedTransaction[] = []) {
    this.#pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  isAborted(producerId: bigint, lastOffset: number): boolean {
    while (this.#pending[0] && this.#pending[0].firstOffset <= lastOffset)
      this.#aborted.add(this.#pending.shift()!.producerId);
    return this.#aborted.has(producerId);
  }

  markerSeen(producerId: bigint): void {
    this.#aborted.delete(producerId);
  }
}

/** A batch whose records must be read: the range of its body, and values from its header. */
export interface VisibleBatch {
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly codec: number;
  readonly count: number;
  readonly baseOffset: number;
}

/**
 * Returns the batches that contain committed records of `[from, to)`, and the next offset to fetch.
 * That offset is after all skipped control records and batches. A broker may cut off the last batch
 * of a response. The next fetch then returns the whole batch.
 */
export function visibleBatches(
  records: Buffer,
  from: number,
  to: number,
  filter: TransactionFilter,
): { batches: VisibleBatch[]; next: number } {
  const batches: VisibleBatch[] = [];
  let at = 0;
  let next = from;
  while (at + HEADER_BYTES <= records.length) {
    const baseOffset = Number(records.readBigInt64BE(at));
    const end = batchEnd(records, at);
    if (end > records.length) break;
    if (records.readInt8(at + 16) !== 2)
      throw new Problem(
        'unsupported',
        `a record batch at offset ${baseOffset} has an old, unsupported format (magic ${records.readInt8(at + 16)})`,
      );
    const attributes = records.readInt16BE(at + 21);
    const lastOffset = baseOffset + records.readInt32BE(at + 23);
    const producerId = records.readBigInt64BE(at + 43);
    const isTransactional = (attributes & 0x10) !== 0;
    if (baseOffset >= to) return { batches, next: Math.max(next, to) };
    if ((attributes & 0x20) !== 0) {
      if (filter.isAborted(producerId, lastOffset)) filter.markerSeen(producerId);
    } else if (!(isTransactional && filter.isAborted(producerId, lastOffset))) {
      batches.push({
        bodyStart: at + HEADER_BYTES,
        bodyEnd: end,
        codec: attributes & 0x07,
        count: records.readInt32BE(at + 57),
        baseOffset,
      });
    }
    next = Math.max(next, lastOffset + 1);
    at = end;
  }
  return { batches, next: Math.min(next, to) };
}

/**
 * Returns the position in `records` at which the batch ends. Throws Problem `unsupported` if the
 * batch's length is impossible, because the next batch could not be found.
 */
function batchEnd(records: Buffer, at: number): number {
  const length = records.readInt32BE(at + LENGTH_AT);
  if (length < HEADER_BYTES - BEFORE_LENGTH)
    throw damaged(Number(records.readBigInt64BE(at)), `its header says ${length} bytes`);
  return at + BEFORE_LENGTH + length;
}

const damaged = (offset: number, why: string): Problem =>
  new Problem(
    'unsupported',
    `the batch at offset ${offset} is damaged: ${why}`,
    'check the topic; no consumer can read this batch',
  );

/**
 * Visits the records of `[from, to)` in a batch of `records`. Throws Problem `unsupported` if the
 * batch is damaged. `checksum` may be a faster implementation of CRC-32C.
 */
export function walkBatch(
  records: Buffer,
  batch: VisibleBatch,
  from: number,
  to: number,
  visit: RecordVisitor,
  checksum: typeof crc32c = crc32c,
): void {
  const start = batch.bodyStart - HEADER_BYTES;
  const expected = records.readUInt32BE(start + CRC_AT);
  const found = checksum(records, start + CRC_AT + 4, batch.bodyEnd);
  if (found !== expected)
    throw damaged(batch.baseOffset, `its checksum is ${found}, but ${expected} was written`);
  walkRecords(
    decompress(records.subarray(batch.bodyStart, batch.bodyEnd), batch.codec, batch.baseOffset),
    batch.count,
    batch.baseOffset,
    from,
    to,
    visit,
  );
}

/**
 * Returns the offset after the last whole batch, at which the next fetch begins. Returns `from` if
 * there is no whole batch. Does not decode any batch.
 */
export function offsetBehind(records: Buffer, from: number): number {
  let next = from;
  for (let at = 0; at + HEADER_BYTES <= records.length;) {
    const end = batchEnd(records, at);
    if (end > records.length) break;
    next = Math.max(next, Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1);
    at = end;
  }
  return next;
}

function walkRecords(
  body: Buffer,
  count: number,
  baseOffset: number,
  from: number,
  to: number,
  visit: RecordVisitor,
): void {
  const cursor = { at: 0 };
  for (let index = 0; index < count; index += 1) {
    const length = varint(body, cursor);
    const end = cursor.at + length;
    if (!(length > 0 && end <= body.length))
      throw damaged(baseOffset, `the header of record ${index} says ${length} bytes`);
    cursor.at += 1; // attributes
    varint(body, cursor); // timestamp
    const offset = baseOffset + varint(body, cursor);
    const keyLength = varint(body, cursor);
    const keyStart = keyLength < 0 ? -1 : cursor.at;
    const keyEnd = cursor.at + Math.max(keyLength, 0);
    cursor.at = keyEnd;
    const valueLength = varint(body, cursor);
    const valueStart = valueLength < 0 ? -1 : cursor.at;
    if (keyEnd > end || cursor.at + valueLength > end)
      throw damaged(baseOffset, `record ${index} is longer than its header says`);
    if (offset >= from && offset < to)
      visit(offset, body, keyStart, keyEnd, valueStart, cursor.at + Math.max(valueLength, 0));
    cursor.at = end;
  }
}

/**
 * Returns the range as a view. Returns null if `start` is negative, which means a null key or
 * value.
 */
export const rangeOf = (bytes: Buffer, start: number, end: number): Buffer | null =>
  start < 0 ? null : bytes.subarray(start, end);

const MOST_SCALE = 2 ** 63; // ten bytes of seven bits

/** Reads a zig-zag varint. Exact up to 2^53, which is enough for lengths, deltas and timestamps. */
function varint(buffer: Buffer, cursor: { at: number }): number {
  const first = buffer[cursor.at];
  if (first !== undefined && first < 0x80) {
    cursor.at += 1;
    return (first >>> 1) ^ -(first & 1);
  }
  let result = 0;
  let scale = 1;
  for (;;) {
    const byte = buffer[cursor.at++];
    if (byte === undefined || scale > MOST_SCALE)
      throw damaged(-1, 'it contains a number without an end');
    result += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return result % 2 === 0 ? result / 2 : -(result + 1) / 2;
}
