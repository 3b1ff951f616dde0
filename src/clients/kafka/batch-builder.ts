// Builds one Kafka record batch (magic 2). It encodes each record directly into the buffer of the
// batch, and creates no object per record.
import { advanced, afterZeros, type SharedBytes } from './crc32c.js';

const HEADER_BYTES = 61;
const CRC_FROM = 21; // the checksum covers the attributes and everything after them
const PER_RECORD = 32; // the maximum size of a record's lengths, deltas and attributes

/**
 * The identity of an idempotent producer. With it, the broker recognizes a batch that it already
 * has, and does not write the batch twice.
 */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
}

/** A record whose key and value are ranges of `bytes`. */
export interface RecordBytes {
  readonly bytes: Buffer;
  readonly keyFrom: number;
  readonly keyTo: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

export class BatchBuilder {
  #bytes: Buffer;
  #at = HEADER_BYTES;
  /** The checksum state of the records so far. It starts at 0; `finish` adds the header's part. */
  #checked = 0;
  records = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get size(): number {
    return this.#at;
  }

  /** Adds a record. A null value is a tombstone. */
  add(key: string | Buffer, value: string | Buffer | null): void {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = value === null ? -1 : Buffer.byteLength(value);
    const start = this.#begin(keyBytes, valueBytes);
    this.#put(key);
    this.#varint(valueBytes);
    if (value !== null) this.#put(value);
    this.#checked = advanced(this.#checked, this.#bytes, start, this.#at);
    this.#end();
  }

  /** Adds a record, and copies its bytes. The bytes of `end` are appended to its value. */
  addBytes({ bytes, keyFrom, keyTo, valueFrom, valueTo }: RecordBytes, end: SharedBytes): void {
    const valueBytes = valueTo - valueFrom + end.bytes.length;
    const start = this.#begin(keyTo - keyFrom, valueBytes);
    this.#at += bytes.copy(this.#bytes, this.#at, keyFrom, keyTo);
    this.#varint(valueBytes);
    this.#at += bytes.copy(this.#bytes, this.#at, valueFrom, valueTo);
    this.#checked = end.advance(advanced(this.#checked, this.#bytes, start, this.#at));
    this.#bytes.set(end.bytes, this.#at);
    this.#at += end.bytes.length;
    this.#end();
  }

  /** Completes the batch and returns its bytes. The builder MUST NOT be used afterwards. */
  finish({ producerId, epoch }: ProducerIdentity, sequence: number, timestampMs: number): Buffer {
    const bytes = this.#bytes;
    bytes.writeBigInt64BE(0n, 0); // base offset: the broker sets it
    bytes.writeInt32BE(this.#at - 12, 8);
    bytes.writeInt32BE(-1, 12); // leader epoch
    bytes.writeInt8(2, 16); // magic
    bytes.writeInt16BE(0, 21); // attributes: no compression, no transaction
    bytes.writeInt32BE(this.records - 1, 23);
    bytes.writeBigInt64BE(BigInt(timestampMs), 27);
    bytes.writeBigInt64BE(BigInt(timestampMs), 35);
    bytes.writeBigInt64BE(producerId, 43);
    bytes.writeInt16BE(epoch, 51);
    bytes.writeInt32BE(sequence, 53);
    bytes.writeInt32BE(this.records, 57);
    // The header comes before the records, but is known only now. A CRC is linear. Therefore the
    // states of the header and of the records can be computed separately and then combined.
    const header = advanced(-1, bytes, CRC_FROM, HEADER_BYTES);
    const state = afterZeros(header, this.#at - HEADER_BYTES) ^ this.#checked;
    bytes.writeUInt32BE((state ^ -1) >>> 0, 17);
    return bytes.subarray(0, this.#at);
  }

  /**
   * Writes the part of a record that comes before the key. Returns the offset at which the record
   * begins. `valueBytes` is -1 for a null value.
   */
  #begin(keyBytes: number, valueBytes: number): number {
    this.#reserve(keyBytes + Math.max(0, valueBytes) + PER_RECORD);
    const start = this.#at;
    const delta = this.records;
    const body =
      1 +
      1 +
      varintSize(delta) +
      varintSize(keyBytes) +
      keyBytes +
      varintSize(valueBytes) +
      Math.max(0, valueBytes) +
      1;
    this.#varint(body);
    this.#bytes[this.#at++] = 0; // attributes
    this.#varint(0); // timestamp: the same as the batch's
    this.#varint(delta);
    this.#varint(keyBytes);
    return start;
  }

  #put(content: string | Buffer): void {
    this.#at +=
      typeof content === 'string'
        ? this.#bytes.write(content, this.#at, 'utf8')
        : content.copy(this.#bytes, this.#at);
  }

  #end(): void {
    this.#bytes[this.#at] = 0; // the record has no headers
    this.#checked = advanced(this.#checked, this.#bytes, this.#at, this.#at + 1);
    this.#at += 1;
    this.records += 1;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  /** Writes a zig-zag varint. */
  #varint(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }
}

function varintSize(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let size = 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) size += 1;
  return size;
}
