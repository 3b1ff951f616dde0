// A fold belongs to one log. It proves nothing about another topic of the same name, about a log
// whose beginning was deleted, or about one that lost its end with a leader: a new consumer would
// not find there what the fold holds. An ordinary leader move and compaction change nothing.
import { TopicLost, type KafkaPort, type PartitionEnds } from '../../../clients/kafka/kafka.js';
import type { FoldProgress, ReadPart } from '../../../compare/fold.js';

/** Returns what a fold remembers after it has read a partition up to these ends. */
export const readPart = ({ partition, committed, low, epoch }: PartitionEnds): ReadPart => ({
  partition,
  next: committed,
  low,
  epoch,
});

/** The offset from which the fold reads on. Throws Problem `topic-lost` where it cannot. */
export function startOf(topic: string, fold: FoldProgress, end: PartitionEnds): number {
  const { partition, low, committed } = end;
  const from = fold.nextOffset(partition) ?? 0;
  const place = `${topic}/${partition}`;
  if (from > committed)
    throw new TopicLost(
      topic,
      `${place} ends at ${committed} < ${from} already read: the topic was re-created`,
    );
  if (from < low)
    throw new TopicLost(
      topic,
      `${place} begins at ${low} > ${from} needed: retention removed records`,
    );
  return from;
}

/**
 * Call it before a fold reads on, and `verify` after the reading: what happened to the log in
 * between shows then too. `verify` throws Problem `topic-lost` where the log is not the one that
 * was read before; the fold is then worth nothing.
 */
export async function sameLog(
  kafka: KafkaPort,
  topic: string,
  fold: FoldProgress,
): Promise<{ verify: () => Promise<void> }> {
  fold.topicId ??= await kafka.topicId(topic);
  const earlier = fold.read;
  return {
    verify: async () => {
      const id = await kafka.topicId(topic);
      if (id !== null && fold.topicId !== null && id !== fold.topicId)
        throw new TopicLost(
          topic,
          `${topic} was created again: its id is ${id} ≠ ${fold.topicId} of the topic that was read`,
        );
      await refuseGivenUp(kafka, topic, fold.read);
      for (const part of earlier) await refuseTruncated(kafka, topic, part);
    },
  };
}

/** Compaction leaves a log's beginning where it is; retention and deleted records move it. */
async function refuseGivenUp(
  kafka: KafkaPort,
  topic: string,
  read: readonly ReadPart[],
): Promise<void> {
  const lows = await kafka.lows(topic);
  for (const { partition, low } of read) {
    const now = lows.get(partition) ?? 0;
    if (now <= low) continue;
    const what = `${topic}/${partition} begins at ${now} > ${low} when it was read`;
    throw new TopicLost(topic, `${what}: records were deleted, or retention removed them`);
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
      : `ends at ${end} < ${next} already read under leader epoch`;
  throw new TopicLost(topic, `${topic}/${partition} ${where} ${epoch}: the log was truncated`);
}
