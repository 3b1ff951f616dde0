// Reads the ends of topics, waits until no Kafka transaction is open before these ends, and notices
// a topic that became shorter. P4 is the name of this part of the drain proof
// (docs/explanation/cutover.md).
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Note } from './connector-acknowledged.js';
import { pollUntil } from '../runtime/poll-until.js';

export const POLL_MS = 40;

export const DRAINED = 'drained';

export interface End {
  readonly topic: string;
  readonly partition: number;
  readonly high: number;
}

/** The offset at which each partition of each topic ends now. */
export type EndsNow = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Reads the current ends of the topics that `ends` names. */
export async function readEnds(kafka: KafkaPort, ends: readonly End[]): Promise<EndsNow> {
  const now = new Map<string, ReadonlyMap<number, number>>();
  for (const topic of new Set(ends.map((end) => end.topic)))
    now.set(
      topic,
      new Map((await kafka.offsets(topic)).map(({ partition, high }) => [partition, high])),
    );
  return now;
}

/**
 * Returns a reason if a partition now ends before the given end, otherwise null. A partition
 * becomes shorter if a pipeline was reset and created its topics again. The groups may then never
 * reach the old end, so waiting is useless.
 */
export function shorterThanCaptured(now: EndsNow, ends: readonly End[]): string | null {
  const endOf = ({ topic, partition }: End): number => now.get(topic)?.get(partition) ?? 0;
  const lost = ends.find((end) => endOf(end) < end.high);
  return lost
    ? `drain: ${lost.topic}/${lost.partition} ended at ${lost.high} and now ends at ${endOf(lost)}, so the topic was created again or truncated`
    : null;
}

/**
 * Returns text such as `topic 1234 (3 partitions)`, with the sum of the offsets of all partitions.
 */
export function byTopic(ends: readonly End[], offset: (end: End) => number): string {
  const topics = [...new Set(ends.map((end) => end.topic))];
  const said = topics.map((topic) => {
    const mine = ends.filter((end) => end.topic === topic);
    return `${topic} ${mine.reduce((sum, end) => sum + offset(end), 0)}${mine.length > 1 ? ` (${mine.length} partitions)` : ''}`;
  });
  return said.join(', ') || 'nothing was written';
}

export async function endsOf(kafka: KafkaPort, topic: string): Promise<End[]> {
  return (await kafka.offsets(topic))
    .filter((p) => p.high > p.low)
    .map(({ partition, high }) => ({ topic, partition, high }));
}

export async function outputStable(
  kafka: KafkaPort,
  topic: string,
  deadline: number,
  note: Note,
): Promise<string | null> {
  return stable(kafka, await endsOf(kafka, topic), deadline, note);
}

/**
 * Waits until no Kafka transaction is open before the given ends. Returns null if that is proven,
 * otherwise the reason.
 */
export async function stable(
  kafka: KafkaPort,
  ends: readonly End[],
  deadline: number,
  note: Note,
): Promise<string | null> {
  let why = '';
  let open = ends;
  const isStable = await pollUntil(deadline, POLL_MS, async () => {
    const behind: End[] = [];
    const shorter = shorterThanCaptured(await readEnds(kafka, open), open);
    if (shorter) return shorter;
    for (const end of open) {
      const at =
        (await kafka.offsets(end.topic)).find((p) => p.partition === end.partition)?.committed ?? 0;
      if (at >= end.high) continue;
      behind.push(end);
      why = `drain: a Kafka transaction is open in ${end.topic}/${end.partition} (stable up to offset ${at} of ${end.high})`;
    }
    open = behind;
    return open.length === 0 ? DRAINED : null;
  });
  if (isStable === null) return `${why}; this was still so at the time limit`;
  if (isStable !== DRAINED) return isStable;
  note({
    part: 'P4',
    holds: `the ends were read and are stable: ${byTopic(ends, (end) => end.high)}`,
  });
  return null;
}
