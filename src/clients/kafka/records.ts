// Reads records as objects. Code that reads whole topics into folds uses `KafkaPort.readRange` or
// `readBatches` instead, which do not create one object for each record.
import type { KafkaPort } from './kafka.js';
import { rangeOf } from './record-batch.js';

export interface KafkaRecord {
  readonly partition: number;
  readonly offset: number;
  /**
   * `key` and `value` are parts of a larger buffer. The visitor MUST copy bytes that it needs after
   * the call.
   */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** The offsets `[from, to)` of one partition. */
export interface RecordRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Visits every committed record of a range. Throws Problem `topic-lost` if records of the range
 * were deleted, except by compaction.
 */
export async function readRecords(
  kafka: Pick<KafkaPort, 'readRange'>,
  { topic, partition, from, to }: RecordRange,
  visit: (record: KafkaRecord) => void,
  onProgress?: () => void,
): Promise<void> {
  await kafka.readRange(
    topic,
    partition,
    from,
    to,
    (offset, bytes, keyStart, keyEnd, start, end) => {
      const key = rangeOf(bytes, keyStart, keyEnd);
      visit({ partition, offset, key, value: rangeOf(bytes, start, end) });
    },
    onProgress,
  );
}

/** Visits every committed record of a topic, one partition after another. */
export async function readTopic(
  kafka: Pick<KafkaPort, 'readRange' | 'offsets'>,
  topic: string,
  visit: (record: KafkaRecord) => void,
): Promise<void> {
  for (const { partition, low, committed } of await kafka.offsets(topic))
    await readRecords(kafka, { topic, partition, from: low, to: committed }, visit);
}
