// Checks that a topic still has the records that a fold has read. A fold, which keeps the latest
// row of each key, proves nothing in three cases. The topic was created again, its beginning was
// deleted, or its last records were lost when the leader of a partition changed. In each of these
// cases, a new consumer would not find all records that the fold has read. Compaction and a change
// of the leader without a loss are harmless.
import { TopicLost, type KafkaPort, type PartitionEnds } from '../../../clients/kafka/kafka.js';
import type { FoldProgress, ReadPart } from '../../../compare/fold.js';

/** Returns what a fold remembers about a partition that it has read up to these ends. */
export const readPart = ({ partition, committed, low, epoch }: PartitionEnds): ReadPart => ({
  partition,
  next: committed,
  low,
  epoch,
});

/**
 * Returns the offset from which the fold continues to read. Throws Problem `topic-lost` if it
 * cannot continue.
 */
export function startOf(topic: string, fold: FoldProgress, end: PartitionEnds): number {
  const { partition, low, committed } = end;
  const from = fold.nextOffset(partition) ?? 0;
  const place = `${topic}/${partition}`;
  if (from > committed)
    throw new TopicLost(
      topic,
      `${place} ends at offset ${committed}, but it was already read up to ${from}, so the topic was created again or has lost records`,
    );
  if (from < low)
    throw new TopicLost(
      topic,
      `${place} begins at offset ${low}, but offset ${from} is needed: retention or a deletion removed records`,
    );
  return from;
}

/**
 * Returns `verify`, which checks that the topic is still the log that the fold has read. Call
 * `sameLog` before the fold continues to read, and `verify` after it has read. `verify` then also
 * notices changes during the reading. `verify` throws Problem `topic-lost` if the log is a
 * different one.
 */
export async function sameLog(
  kafka: KafkaPort,
  topic: string,
  fold: FoldProgress,
): Promise<{ verify: () => Promise<void> }> {
  const begun = Date.now();
  fold.topicId ??= await kafka.topicId(topic);
  const earlier = fold.read;
  return {
    verify: async () => {
      const id = await kafka.topicId(topic);
      if (id !== null && fold.topicId !== null && id !== fold.topicId)
        throw new TopicLost(
          topic,
          `${topic} was created again: its id is ${id}, but the topic that was read had the id ${fold.topicId}`,
        );
      await refuseGivenUp(kafka, topic, fold.read);
      for (const part of earlier) await refuseTruncated(kafka, topic, part);
      fold.readAt = begun;
    },
  };
}

/**
 * Throws if the log's beginning has moved. Retention and deleted records move it; compaction does
 * not.
 */
async function refuseGivenUp(
  kafka: KafkaPort,
  topic: string,
  read: readonly ReadPart[],
): Promise<void> {
  const lows = await kafka.lows(topic);
  for (const { partition, low } of read) {
    const now = lows.get(partition) ?? 0;
    if (now <= low) continue;
    const what = `${topic}/${partition} begins at offset ${now}, but it began at ${low} when it was read`;
    throw new TopicLost(topic, `${what}, because records were deleted or retention removed them`);
  }
}

async function refuseTruncated(
  kafka: KafkaPort,
  topic: string,
  { partition, next, epoch }: ReadPart,
): Promise<void> {
  if (epoch < 0 || next === 0) return;
  const end = await kafka.epochEnd(topic, partition, epoch);
  if (end >= next) return;
  const where =
    end < 0
      ? 'does not know leader epoch'
      : `ends at offset ${end}, but it was already read up to ${next} under leader epoch`;
  throw new TopicLost(topic, `${topic}/${partition} ${where} ${epoch}, so the log was truncated`);
}
