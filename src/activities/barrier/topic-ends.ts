// Ends of topics: captured, awaited until no transaction is open before them, and compared with today's.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Note } from './marker.js';
import { pollUntil } from '../runtime/poll-until.js';

export const POLL_MS = 40;

export const DRAINED = 'drained';

export interface End {
  readonly topic: string;
  readonly partition: number;
  readonly high: number;
}

/**
 * Names a partition that now ends before its captured end, or returns null. No group can reach that end:
 * a pipeline that was reset created its topics again. Waiting for it would only use up the time limit.
 */
export async function shorterThanCaptured(
  kafka: KafkaPort,
  ends: readonly End[],
): Promise<string | null> {
  for (const topic of new Set(ends.map((end) => end.topic))) {
    const now = new Map(
      (await kafka.offsets(topic)).map(({ partition, high }) => [partition, high]),
    );
    const lost = ends.find(
      (end) => end.topic === topic && (now.get(end.partition) ?? 0) < end.high,
    );
    if (lost)
      return `drain: ${topic}/${lost.partition} ended at ${lost.high} and now ends at ${now.get(lost.partition) ?? 0}: the topic was created again or truncated`;
  }
  return null;
}

/** `topic 1234 (3 partitions)`: offsets of a topic's partitions, added up. */
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

/** Waits until no transaction that was open at the captured ends is open any more. */
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
    const shorter = await shorterThanCaptured(kafka, open);
    if (shorter) return shorter;
    for (const end of open) {
      const at =
        (await kafka.offsets(end.topic)).find((p) => p.partition === end.partition)?.committed ?? 0;
      if (at >= end.high) continue;
      behind.push(end);
      why = `drain: an open transaction in ${end.topic}/${end.partition} (stable ${at} < ${end.high})`;
    }
    open = behind;
    return open.length === 0 ? DRAINED : null;
  });
  if (isStable === null) return `${why} at the time limit`;
  if (isStable !== DRAINED) return isStable;
  note(`P4 captured, and stable: ${byTopic(ends, (end) => end.high)}`);
  return null;
}
