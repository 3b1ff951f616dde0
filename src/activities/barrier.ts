// The barrier: proof that everything before a WAL position went through connector, pipeline, output and sink. No proof = a reason, never a guess.
import type pg from 'pg';
import { TopicLost, type KafkaPort } from '../clients/kafka.js';
import { messagePrefix } from '../connectors/debezium-postgres.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef } from '../domain/ledger.js';
import { capturesOf, namesOf, quoteLiteral, sinkGroup } from '../domain/names.js';
import { compareLsn, type Lsn } from '../domain/position.js';
import { readersOf, subscriptionsOf, type Reader } from './groups.js';
import { pollUntil } from './patience.js';
import { pipelineGroups } from './pipelines/index.js';

const POLL_MS = 40;
const NUDGE_MS = 200;
const BETWEEN_STAGES = /-(repartition|subscription-(registration|response)(-\d+)?-topic)$/i; // Kafka Streams' own names
const MARKERS_AT_MOST = 1000; // a longer gap is not looked into: it is data

/** Takes in what was proven, with its numbers, as one line that begins with the name of the proof (docs/explanation/cutover.md). */
export type Note = (proof: string) => void;

const unnoted: Note = () => undefined;

/** Emits a transactional marker: WAL after any position taken before the call, which makes the connector acknowledge that position. */
export async function emitMarker(client: pg.ClientBase, ref: MigrationRef, token: string): Promise<void> {
  await client.query(`SELECT pg_logical_emit_message(true, ${quoteLiteral(messagePrefix(ref.spec))}, ${quoteLiteral(token)})`);
}

export async function insertLsn(client: pg.ClientBase): Promise<Lsn> {
  return (await client.query<Record<string, string>>('SELECT pg_current_wal_insert_lsn() AS lsn')).rows[0]!['lsn']!;
}

/**
 * Waits until the connector acknowledged `lsn`. Null = proven; else why not. Throws Problem `slot-lost` when waiting cannot help.
 * Debezium acknowledges a commit when it reads what comes after it: on a quiet database that would be its next heartbeat, so we give it more to read.
 */
export async function connectorAcknowledged(client: pg.ClientBase, ref: MigrationRef, lsn: Lsn, deadline: number, note = unnoted): Promise<string | null> {
  let confirmed = '0/0';
  let nudgedAt = Date.now();
  const reached = await pollUntil(
    deadline,
    POLL_MS,
    async () => {
      confirmed = await confirmedPosition(client, ref);
      if (compareLsn(confirmed, lsn) >= 0) return true;
      if (Date.now() - nudgedAt < NUDGE_MS) return null;
      await emitMarker(client, ref, 'nudge');
      nudgedAt = Date.now();
      return null;
    },
    () => ({ waitingFor: 'connector', confirmed, lsn }),
  );
  if (reached) note(`P2 the connector acknowledged ${confirmed} ≥ ${lsn}`);
  return reached ? null : `barrier: connector acknowledged ${confirmed} < ${lsn} needed at the time limit`;
}

export async function confirmedPosition(client: pg.ClientBase, ref: MigrationRef): Promise<Lsn> {
  const { slot } = namesOf(ref.spec, ref.generation);
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT confirmed_flush_lsn, restart_lsn, wal_status FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`,
  );
  const row = rows[0];
  if (!row) throw new Problem('slot-lost', `replication slot ${slot} does not exist any more`);
  if (row['wal_status'] === 'lost' || !row['restart_lsn'])
    throw new Problem('slot-lost', `replication slot ${slot} was invalidated (wal_status ${row['wal_status']}): WAL the connector had not read is gone`);
  return row['confirmed_flush_lsn'] ?? '0/0';
}

/** After `connectorAcknowledged`: waits until pipeline group(s), output and sink have taken in all that was there. Null = drained; else why not. */
export async function pipelineDrained(kafka: KafkaPort, ref: MigrationRef, deadline: number, note = unnoted): Promise<string | null> {
  const { pipeline } = ref.spec.spec;
  if (!pipeline) return null;
  const undrained = await groupsDrained(kafka, ref, await pipelineGroups(ref), deadline, note);
  if (undrained) return undrained;
  const existing = await kafka.listTopics();
  for (const { name, topic } of ref.spec.spec.batch?.stages ?? []) {
    if (!existing.includes(topic)) return `drain: topic ${topic} of stage ${name} does not exist: the pipeline has not made it`;
    const unstable = await outputStable(kafka, topic, deadline, note);
    if (unstable) return unstable;
  }
  return outputStable(kafka, pipeline.output.topic, deadline, note);
}

/** Waits until the sink's group consumed the output up to its end. It stops at the last data record + 1, before trailing markers. */
export async function sinkDrained(kafka: KafkaPort, ref: MigrationRef, deadline: number, note = unnoted): Promise<string | null> {
  const { pipeline, sink } = ref.spec.spec;
  if (!pipeline || !sink) return null;
  const groups = [sinkGroup(ref.spec, ref.generation)];
  const subscribed = await subscriptionsOf(kafka, groups);
  if (typeof subscribed === 'string') return `drain: ${subscribed}: unknown, not drained`;
  return topicsConsumed({ kafka, groups, subscribed }, [pipeline.output.topic], deadline, note);
}

/** One pass per hop over all topics at once: each pass moves everything that was there at least one topic further, internal repartition topics included. */
async function groupsDrained(kafka: KafkaPort, ref: MigrationRef, groups: readonly string[], deadline: number, note: Note): Promise<string | null> {
  const sources = capturesOf(ref.spec, ref.generation).map((capture) => capture.topic);
  let last: string[] = [];
  try {
    for (let hop = 0; ; hop += 1) {
      // Asked again before each hop: an application makes its own topics when it starts, and may just have started.
      const subscribed = await subscriptionsOf(kafka, groups);
      if (typeof subscribed === 'string') return `drain: ${subscribed}: unknown, not drained`;
      const internal = (await groupTopics(kafka, groups, subscribed)).filter((topic) => !sources.includes(topic));
      if (hop > internal.length) {
        for (const proof of last) note(proof);
        return null;
      }
      last = []; // each hop says again, further on, what the one before it said
      const sayHop: Note = (proof) => last.push(`${proof} (hop ${hop + 1} of ${internal.length + 1})`);
      const reason = await topicsConsumed({ kafka, groups, subscribed }, [...sources, ...internal], deadline, sayHop);
      if (reason) return reason;
    }
  } catch (error) {
    // The pipeline may make its own topics anew at any time; those of the tables are ours, and their loss is for the caller to judge.
    if (!(error instanceof TopicLost) || sources.includes(error.topic)) throw error;
    return `drain: ${error.message}: the pipeline of group ${groups.join(', ')} is being deployed anew`;
  }
}

/**
 * Topics that a group committed offsets for or subscribes to, and those between the stages of a
 * Kafka Streams application of that id, by their names: one that was written and never committed is
 * not drained.
 */
async function groupTopics(kafka: KafkaPort, groups: readonly string[], subscribed: Subscribed): Promise<string[]> {
  const existing = new Set(await kafka.listTopics());
  const between = (topic: string): boolean => groups.some((group) => topic.startsWith(`${group}-`) && BETWEEN_STAGES.test(topic));
  const topics = new Set([...existing].filter(between));
  for (const group of groups) {
    const read = [...(await kafka.groupOffsets(group)).keys(), ...(subscribed.get(group) ?? [])];
    for (const topic of read) if (existing.has(topic)) topics.add(topic);
  }
  return [...topics];
}

interface End {
  readonly topic: string;
  readonly partition: number;
  readonly high: number;
}

type Subscribed = ReadonlyMap<string, ReadonlySet<string>>;

interface Consumers {
  readonly kafka: KafkaPort;
  readonly groups: readonly string[];
  readonly subscribed: Subscribed;
}

/**
 * The ends of all topics are captured first; then it is waited until they are stable, then until
 * every group that reads a topic is past its end: the slowest group decides.
 */
async function topicsConsumed(consumers: Consumers, topics: readonly string[], deadline: number, note: Note): Promise<string | null> {
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
      for (const end of open) {
        const all = readers.of(end.topic, end.partition);
        const late = await firstBehind(kafka, end, all.length > 0 ? all : [{ group: groups.join(', '), at: undefined }]);
        if (late === null) {
          passed.set(end, Math.min(...all.map(({ at }) => at!)));
          continue;
        }
        behind.push(end);
        why = late;
      }
      open = behind; // committed offsets only grow while the group lives; one that is reset shows as a membership change
      return open.length === 0 ? true : null;
    },
    () => ({ waitingFor: why }),
  );
  if (drained) note(`P5 group ${groups.join(', ')} is past them, but for control records: ${byTopic(ends, (end) => passed.get(end) ?? 0)}`);
  return drained ? null : `${why} at the time limit`;
}

/** Null = every reader is past the end, but for control records; else which is not. */
async function firstBehind(kafka: KafkaPort, { topic, partition, high }: End, readers: readonly Reader[]): Promise<string | null> {
  for (const { group, at } of readers) {
    if (at === undefined) return `drain: group ${group} has no committed offset for ${topic}/${partition}: unknown, not drained`;
    if (at >= high) continue;
    const isPast = high - at <= MARKERS_AT_MOST && (await kafka.onlyControlRecords(topic, partition, at, high));
    if (!isPast) return `drain: group ${group} at ${at} < ${high} in ${topic}/${partition}`;
  }
  return null;
}

/** `topic 1234 (3 partitions)`: offsets of a topic's partitions, added up. */
function byTopic(ends: readonly End[], offset: (end: End) => number): string {
  const topics = [...new Set(ends.map((end) => end.topic))];
  const said = topics.map((topic) => {
    const mine = ends.filter((end) => end.topic === topic);
    return `${topic} ${mine.reduce((sum, end) => sum + offset(end), 0)}${mine.length > 1 ? ` (${mine.length} partitions)` : ''}`;
  });
  return said.join(', ') || 'nothing was written';
}

async function endsOf(kafka: KafkaPort, topic: string): Promise<End[]> {
  return (await kafka.offsets(topic)).filter((p) => p.high > p.low).map(({ partition, high }) => ({ topic, partition, high }));
}

async function outputStable(kafka: KafkaPort, topic: string, deadline: number, note: Note): Promise<string | null> {
  return stable(kafka, await endsOf(kafka, topic), deadline, note);
}

/** Waits until no transaction that was open at the captured ends is open any more. */
async function stable(kafka: KafkaPort, ends: readonly End[], deadline: number, note: Note): Promise<string | null> {
  let why = '';
  let open = ends;
  const isStable = await pollUntil(deadline, POLL_MS, async () => {
    const behind: End[] = [];
    for (const end of open) {
      const at = (await kafka.offsets(end.topic)).find((p) => p.partition === end.partition)?.committed ?? 0;
      if (at >= end.high) continue;
      behind.push(end);
      why = `drain: an open transaction in ${end.topic}/${end.partition} (stable ${at} < ${end.high})`;
    }
    open = behind;
    return open.length === 0 ? true : null;
  });
  if (isStable) note(`P4 captured, and stable: ${byTopic(ends, (end) => end.high)}`);
  return isStable ? null : `${why} at the time limit`;
}
