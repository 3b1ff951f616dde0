// Waits until the pipeline's consumer groups and the sink have read everything in their topics.
// Also waits until no Kafka transaction is open in these topics or in the output. Each function
// returns null if its condition is proven, otherwise the reason why it is not. P5 is the name of
// this part of the drain proof (docs/explanation/cutover.md).
import type { DrainProof } from '../../domain/audit.js';
import { TopicLost, type KafkaPort } from '../../clients/kafka/kafka.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { unnoted, type Note } from './connector-acknowledged.js';
import { readersOf, subscriptionsOf, type Reader } from '../../clients/kafka/group-readers.js';
import { pollUntil } from '../runtime/poll-until.js';
import { groupTopics, hiddenTopic, type Subscribed } from './group-topics.js';
import { pipelineGroups } from '../pipelines/index.js';
import {
  type End,
  DRAINED,
  endsOf,
  outputStable,
  readEnds,
  stable,
  shorterThanCaptured,
  byTopic,
  POLL_MS,
} from './topic-ends.js';

/**
 * A range of unread offsets may have no data, but only control records of Kafka. A range of at most
 * this many offsets is searched for data. A longer range counts as unread data.
 */
const MARKERS_AT_MOST = 1000;

/**
 * Waits until the pipeline's groups have read everything that is in their topics now. Then waits
 * until no Kafka transaction is open in the topics of the stages and in the output topic. Call it
 * after `connectorAcknowledged`.
 */
export async function pipelineDrained(
  kafka: KafkaPort,
  plan: ResolvedPlan,
  deadline: number,
  note = unnoted,
): Promise<string | null> {
  const { pipeline } = plan.spec;
  if (!pipeline) return null;
  const undrained = await groupsDrained(kafka, plan, await pipelineGroups(plan), deadline, note);
  if (undrained) return undrained;
  const existing = await kafka.listTopics();
  for (const { name, topic } of plan.batch?.stages ?? []) {
    if (!existing.includes(topic))
      return `drain: topic ${topic} of stage ${name} does not exist, because the pipeline has not created it`;
    const unstable = await outputStable(kafka, topic, deadline, note);
    if (unstable) return unstable;
  }
  return outputStable(kafka, pipeline.output.topic, deadline, note);
}

/**
 * Waits until the sink's group has read the output topic to its end. The group commits the offset
 * that follows the last data record, so control records may lie between that offset and the end.
 */
export async function sinkDrained(
  kafka: KafkaPort,
  { sink, spec }: ResolvedPlan,
  deadline: number,
  note = unnoted,
): Promise<string | null> {
  const { pipeline } = spec;
  if (!pipeline || !sink) return null;
  const groups = [sink.group];
  const subscribed = await subscriptionsOf(kafka, groups);
  if (!subscribed.ok)
    return `drain: ${subscribed.reason}, so it is unknown whether the group has drained`;
  const reading = { kafka, groups, subscribed: subscribed.value };
  return topicsConsumed(reading, [pipeline.output.topic], deadline, note);
}

/**
 * Waits until the groups have read all of their topics. A record may cross several topics, because
 * an application may have internal topics, such as repartition topics. One pass waits until the
 * groups have read each topic to its current end, so every record moves on by at least one topic.
 * Therefore this function makes one pass for each topic that a record may cross.
 */
async function groupsDrained(
  kafka: KafkaPort,
  { captures }: ResolvedPlan,
  groups: readonly string[],
  deadline: number,
  note: Note,
): Promise<string | null> {
  const sources = captures.map((capture) => capture.topic);
  let last: DrainProof[] = [];
  try {
    for (let hop = 0; ; hop += 1) {
      // The topics are listed again before each pass. An application that has just started may have
      // created topics since the last pass.
      const found = await subscriptionsOf(kafka, groups);
      if (!found.ok)
        return `drain: ${found.reason}, so it is unknown whether the group has drained`;
      const subscribed = found.value;
      const hidden = await hiddenTopic(kafka, groups, subscribed);
      if (hidden) return hidden;
      const internal = (await groupTopics(kafka, groups, subscribed)).filter(
        (topic) => !sources.includes(topic),
      );
      if (hop > internal.length) {
        for (const proof of last) note(proof);
        return null;
      }
      // each pass repeats the proofs of the earlier passes, so only the last pass reports its
      // proofs
      last = [];
      const sayHop: Note = ({ part, holds }) =>
        last.push({ part, holds: `${holds} (pass ${hop + 1} of ${internal.length + 1})` });
      const reason = await topicsConsumed(
        { kafka, groups, subscribed },
        [...sources, ...internal],
        deadline,
        sayHop,
      );
      if (reason) return reason;
    }
  } catch (error) {
    // The pipeline may create its own topics again at any time, so their loss only means that the
    // drain is not proven yet. The loss of a table's topic is an error that the caller handles.
    if (!(error instanceof TopicLost) || sources.includes(error.topic)) throw error;
    return `drain: ${error.message}, because the pipeline of group ${groups.join(', ')} is being deployed again`;
  }
}

interface Consumers {
  readonly kafka: KafkaPort;
  readonly groups: readonly string[];
  readonly subscribed: Subscribed;
}

/**
 * Reads the ends of all topics, and waits until no Kafka transaction is open before these ends.
 * Then waits until every group has read each of its topics up to the end that was read.
 */
async function topicsConsumed(
  consumers: Consumers,
  topics: readonly string[],
  deadline: number,
  note: Note,
): Promise<string | null> {
  const { kafka, groups, subscribed } = consumers;
  const ends = (await Promise.all(topics.map((topic) => endsOf(kafka, topic)))).flat();
  const unstable = await stable(kafka, ends, deadline, note);
  if (unstable) return unstable;
  let open: readonly End[] = ends;
  const passed = new Map<End, number>();
  let why = '';
  const drained = await pollUntil(
    deadline,
    POLL_MS,
    async () => {
      const readers = await readersOf(kafka, groups, subscribed);
      const behind: End[] = [];
      // The ends are read after the groups' offsets, so no offset can be beyond them.
      const now = await readEnds(kafka, open);
      const shorter = shorterThanCaptured(now, open);
      if (shorter) return shorter;
      for (const end of open) {
        const all = readers.of(end.topic, end.partition);
        const late = await firstBehind(
          kafka,
          { ...end, now: now.get(end.topic)!.get(end.partition)! },
          all.length > 0 ? all : [{ group: groups.join(', '), at: undefined }],
        );
        if (late === null) {
          passed.set(end, Math.min(...all.map(({ at }) => at!)));
          continue;
        }
        behind.push(end);
        why = late;
      }
      // Committed offsets grow unless the group is reset, so a partition that is done stays done. A
      // reset needs a group without members, and windows notice when the members change.
      open = behind;
      return open.length === 0 ? DRAINED : null;
    },
    () => ({ waitingFor: why }),
  );
  if (drained === null) return `${why}; this was still so at the time limit`;
  if (drained !== DRAINED) return drained;
  note({
    part: 'P5',
    holds: `group ${groups.join(', ')} has read to these ends, apart from control records: ${byTopic(ends, (end) => passed.get(end) ?? 0)}`,
  });
  return null;
}

/**
 * Returns null if every reader is past the end, apart from control records. Otherwise returns a
 * reason, which names a reader that is not past the end. If a reader's offset is greater than
 * `now`, the current end of the partition, the topic was created again or truncated. That reader
 * may have read none of the current records.
 */
async function firstBehind(
  kafka: KafkaPort,
  { topic, partition, high, now }: End & { readonly now: number },
  readers: readonly Reader[],
): Promise<string | null> {
  for (const { group, at } of readers) {
    if (at === undefined)
      return `drain: group ${group} has no committed offset for ${topic}/${partition}, so it is unknown whether the group has drained`;
    if (at > now)
      return `drain: group ${group} has read ${topic}/${partition} to offset ${at}, but it ends at ${now}, so the topic was created again or truncated after that`;
    if (at >= high) continue;
    const isPast =
      high - at <= MARKERS_AT_MOST && (await kafka.onlyControlRecords(topic, partition, at, high));
    if (!isPast)
      return `drain: group ${group} has read ${topic}/${partition} to offset ${at}, and ${high} is needed`;
  }
  return null;
}
