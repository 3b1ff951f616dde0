// Reads a range of one partition batch by batch. The next answer is fetched while the caller works
// on the current one.
import { Problem } from '../../domain/failure.js';
import type { Brokers } from './brokers.js';
import { TopicLost } from './known-topics.js';
import {
  TransactionFilter,
  offsetBehind,
  visibleBatches,
  type VisibleBatch,
} from './record-batch.js';

/** After more answers than this in a row without a new offset, the range counts as unreachable. */
const STALLS = 100;

/** The offsets `[from, to)` of one partition. */
export interface PartitionRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Receives the bytes of one answer of the broker, and the positions of the committed batches in
 * these bytes. If the function returns a promise, it receives the next answer only after that
 * promise resolves.
 */
export type TakeBatches = (
  records: Buffer,
  batches: readonly VisibleBatch[],
) => void | Promise<void>;

/**
 * Reads the range. Throws TopicLost if records of the range were deleted, except by compaction.
 * Throws Problem `unreachable` if no records arrive.
 */
export async function readBatches(
  brokers: Brokers,
  { topic, partition, from, to }: PartitionRange,
  take: TakeBatches,
): Promise<void> {
  if (from >= to) return;
  let next = from;
  let stalls = 0;
  let fetching = brokers.fetch(topic, partition, next);
  while (next < to) {
    const answer = await fetching;
    const behind = offsetBehind(answer.records, next);
    if (behind < to) (fetching = brokers.fetch(topic, partition, behind)).catch(() => undefined);
    if (answer.lowOffset > next)
      throw new TopicLost(
        topic,
        `${topic}/${partition} begins at offset ${answer.lowOffset}, but offset ${next} is needed: retention removed records`,
      );
    // Each answer lists every aborted transaction of which it contains a part, so each answer gets
    // its own filter. One filter for all answers could be wrong: if compaction has removed the
    // abort marker, the filter would also drop the producer's later transactions.
    const filter = new TransactionFilter(answer.aborted);
    const { batches, next: reached } = visibleBatches(answer.records, next, to, filter);
    const taken = take(answer.records, batches);
    if (taken) await taken;
    stalls = reached === next ? stalls + 1 : 0;
    if (stalls > STALLS)
      throw new Problem(
        'unreachable',
        `${topic}/${partition} returns no record at offset ${next}, and records up to ${to} are expected`,
      );
    next = reached;
  }
}
