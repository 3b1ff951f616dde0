// Writes many records to topics as idempotent record batches, over kafkajs' connections. It is used
// by `sluice prove` and by the initial loads `copy` and `incremental`. It is also used for signals
// to Debezium and for comparisons in Flink.
import { BatchBuilder, type ProducerIdentity, type RecordBytes } from './batch-builder.js';
import type { SharedBytes } from './crc32c.js';

/** A record as text or as bytes. A null value is a tombstone. */
export interface OutRecord {
  readonly key: string | Buffer;
  readonly value: string | Buffer | null;
}

/** The part of the cluster that the writer uses. */
export interface ProduceTarget {
  partitions(topic: string): Promise<number>;
  /**
   * Requests a new identity. Any broker can issue an identity. This request goes to the leader of
   * the topic's first partition.
   */
  identify(topic: string): Promise<ProducerIdentity>;
  /** Returns the partition that Kafka's own producers choose for a key. */
  partitionOf(key: Buffer, partitions: number): number;
  /**
   * Resolves when all in-sync replicas have the batch. A batch whose sequence number the broker
   * already has is not written twice.
   */
  produce(topic: string, partition: number, batch: Buffer): Promise<void>;
}

const BATCH_BYTES = 900 * 1024; // stays below the broker's default limit for one batch
/**
 * If more batches than this wait for the broker, a caller waits until the earlier batches of its
 * partition are written.
 */
const MOST_PENDING = 4;

/** The number of sequence numbers that Kafka has, from 0 to the largest 32-bit integer. */
const SEQUENCES = 2 ** 31;

/** The maximum number of UTF-8 bytes for one UTF-16 code unit of a string. */
const MOST_UTF8 = 3;

interface Lane {
  readonly topic: string;
  readonly partition: number;
  filling: BatchBuilder;
  sequence: number;
  /**
   * Resolves when all batches of the partition that were sent so far are written. They are sent one
   * after the other: kafkajs uses several connections, so a later batch could otherwise arrive
   * first and be refused.
   */
  flying: Promise<void> | undefined;
}

/**
 * Fills one batch for each partition. Sends each full batch while it fills the next one. Several
 * callers may write at the same time.
 */
export class BulkWriter {
  readonly #target: ProduceTarget;
  #identity: ProducerIdentity | undefined;
  readonly #topics = new Map<string, Lane[]>();
  #pending = 0;
  records = 0;
  bytes = 0;

  constructor(target: ProduceTarget) {
    this.#target = target;
  }

  /** Writes a record. If it returns a promise, the caller MUST await it before the next record. */
  write(topic: string, record: OutRecord): Promise<void> | undefined {
    const lanes = this.#topics.get(topic);
    if (!lanes) return this.open(topic).then(() => this.write(topic, record));
    const lane =
      lanes.length === 1
        ? lanes[0]!
        : lanes[this.#target.partitionOf(bytesOf(record.key), lanes.length)]!;
    const full = this.#sendIfFull(lane, sizeOf(record.key) + sizeOf(record.value));
    lane.filling.add(record.key, record.value);
    return both(full, this.#added(lane));
  }

  /**
   * Writes a record, and copies its bytes before the call returns. Its value consists of the value
   * bytes of `record`, followed by the bytes of `end`. The caller MUST open the topic before the
   * first record. Returns the same as `write`.
   */
  writeBytes(topic: string, record: RecordBytes, end: SharedBytes): Promise<void> | undefined {
    const lanes = this.#topics.get(topic)!;
    const { bytes, keyFrom, keyTo } = record;
    const lane =
      lanes.length === 1
        ? lanes[0]!
        : lanes[this.#target.partitionOf(bytes.subarray(keyFrom, keyTo), lanes.length)]!;
    const size = keyTo - keyFrom + record.valueTo - record.valueFrom + end.bytes.length;
    const full = this.#sendIfFull(lane, size);
    lane.filling.addBytes(record, end);
    return both(full, this.#added(lane));
  }

  /**
   * Sends the batches that are not full. When it returns, all in-sync replicas have acknowledged
   * every record.
   */
  async flush(): Promise<void> {
    const lanes = [...this.#topics.values()].flat();
    await Promise.all(
      lanes.filter((lane) => lane.filling.records > 0).map((lane) => this.#send(lane)),
    );
    for (const lane of lanes) await lane.flying;
  }

  /** Finds the partitions of a topic, so that records can be written to it. */
  async open(topic: string): Promise<void> {
    if (this.#topics.has(topic)) return;
    const partitions = await this.#target.partitions(topic);
    const identity = await this.#target.identify(topic);
    this.#identity ??= identity;
    if (this.#topics.has(topic)) return; // a concurrent call has opened the topic and written
    this.#topics.set(
      topic,
      Array.from({ length: partitions }, (_, partition) => ({
        topic,
        partition,
        filling: aBatch(),
        sequence: 0,
        flying: undefined,
      })),
    );
  }

  /** Sends the batch if it would exceed BATCH_BYTES with another record of this size. */
  #sendIfFull(lane: Lane, more: number): Promise<void> | undefined {
    const { filling } = lane;
    if (filling.records === 0 || filling.size + more <= BATCH_BYTES) return undefined;
    return this.#send(lane);
  }

  #added(lane: Lane): Promise<void> | undefined {
    this.records += 1;
    return lane.filling.size >= BATCH_BYTES ? this.#send(lane) : undefined;
  }

  async #send(lane: Lane): Promise<void> {
    const batch = lane.filling.finish(this.#identity!, lane.sequence, Date.now());
    lane.sequence = nextSequence(lane.sequence, lane.filling.records);
    lane.filling = aBatch();
    this.bytes += batch.length;
    const before = lane.flying;
    this.#pending += 1;
    lane.flying = (before ?? Promise.resolve())
      .then(() => this.#target.produce(lane.topic, lane.partition, batch))
      .finally(() => (this.#pending -= 1));
    lane.flying.catch(() => undefined); // errors surface where this promise is awaited
    if (this.#pending > MOST_PENDING) await before;
  }
}

/**
 * Returns the sequence number of the first record after a batch. After the largest 32-bit integer,
 * Kafka continues with 0.
 */
export const nextSequence = (sequence: number, records: number): number =>
  (sequence + records) % SEQUENCES;

const aBatch = (): BatchBuilder => new BatchBuilder(BATCH_BYTES + 64 * 1024);

const both = (
  one: Promise<void> | undefined,
  other: Promise<void> | undefined,
): Promise<void> | undefined =>
  one && other ? Promise.all([one, other]).then(() => undefined) : (one ?? other);

/** Returns an upper limit of the size in bytes. */
const sizeOf = (text: string | Buffer | null): number =>
  text === null ? 0 : typeof text === 'string' ? text.length * MOST_UTF8 : text.length;

const bytesOf = (text: string | Buffer): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : text;
