// The barrier: proof that everything before a WAL position went through connector, pipeline, output and sink. No proof = a reason, never a guess.
import type pg from 'pg';
import type { KafkaPort } from '../clients/kafka.js';
import { messagePrefix } from '../connectors/debezium-postgres.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef } from '../domain/ledger.js';
import { namesOf, parseTableName, quoteLiteral, sinkGroup, tableTopic } from '../domain/names.js';
import { compareLsn, type Lsn } from '../domain/position.js';
import { pollUntil } from './patience.js';

const POLL_MS = 40;

/** Emits a transactional marker: WAL after any position taken before the call, which makes the connector acknowledge that position. */
export async function emitMarker(client: pg.ClientBase, ref: MigrationRef, token: string): Promise<void> {
  await client.query(`SELECT pg_logical_emit_message(true, ${quoteLiteral(messagePrefix(ref.spec))}, ${quoteLiteral(token)})`);
}

export async function insertLsn(client: pg.ClientBase): Promise<Lsn> {
  return (await client.query<Record<string, string>>('SELECT pg_current_wal_insert_lsn() AS lsn')).rows[0]!['lsn']!;
}

/** Waits until the connector acknowledged `lsn`. Null = proven; else why not. Throws Problem `slot-lost` when waiting cannot help. */
export async function connectorAcknowledged(client: pg.ClientBase, ref: MigrationRef, lsn: Lsn, deadline: number): Promise<string | null> {
  let confirmed = '0/0';
  const reached = await pollUntil(deadline, POLL_MS, async () => {
    confirmed = await confirmedPosition(client, ref);
    return compareLsn(confirmed, lsn) >= 0 ? true : null;
  }, () => ({ waitingFor: 'connector', confirmed, lsn }));
  return reached ? null : `barrier: connector acknowledged ${confirmed} < ${lsn} needed at the time limit`;
}

export async function confirmedPosition(client: pg.ClientBase, ref: MigrationRef): Promise<Lsn> {
  const { slot } = namesOf(ref.spec, ref.generation);
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT confirmed_flush_lsn, restart_lsn, wal_status FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`,
  );
  const row = rows[0];
  if (!row) throw new Problem('slot-lost', `replication slot ${slot} does not exist any more`);
  if (row['wal_status'] === 'lost' || !row['restart_lsn']) throw new Problem('slot-lost', `replication slot ${slot} was invalidated (wal_status ${row['wal_status']}): WAL the connector had not read is gone`);
  return row['confirmed_flush_lsn'] ?? '0/0';
}

/** After `connectorAcknowledged`: waits until pipeline group(s), output and sink have taken in all that was there. Null = drained; else why not. */
export async function pipelineDrained(kafka: KafkaPort, ref: MigrationRef, deadline: number): Promise<string | null> {
  const { pipeline } = ref.spec.spec;
  if (!pipeline) return null;
  const undrained = await groupsDrained(kafka, ref, pipeline.groups, deadline);
  return undrained ?? outputStable(kafka, pipeline.output.topic, deadline);
}

/** Waits until the sink's group consumed the output up to its end. It stops at the last data record + 1, before trailing markers. */
export async function sinkDrained(kafka: KafkaPort, ref: MigrationRef, deadline: number): Promise<string | null> {
  const { pipeline, sink } = ref.spec.spec;
  if (!pipeline || !sink) return null;
  return topicConsumed(kafka, [sinkGroup(ref.spec, ref.generation)], pipeline.output.topic, deadline);
}

/** One pass per hop: each moves everything that was there at least one topic further, internal repartition topics included. */
async function groupsDrained(kafka: KafkaPort, ref: MigrationRef, groups: readonly string[], deadline: number): Promise<string | null> {
  const names = namesOf(ref.spec, ref.generation);
  const sources = ref.spec.spec.source.tables.map((t) => tableTopic(names.topicPrefix, parseTableName(t)));
  const internal = (await groupTopics(kafka, groups)).filter((topic) => !sources.includes(topic));
  for (let hop = 0; hop <= internal.length; hop += 1) {
    for (const topic of [...sources, ...internal]) {
      const reason = await topicConsumed(kafka, groups, topic, deadline);
      if (reason) return reason;
    }
  }
  return null;
}

/** Topics that any of the groups has committed offsets for, and that exist. */
async function groupTopics(kafka: KafkaPort, groups: readonly string[]): Promise<string[]> {
  const existing = new Set(await kafka.listTopics());
  const topics = new Set<string>();
  for (const group of groups) for (const topic of (await kafka.groupOffsets(group)).keys()) if (existing.has(topic)) topics.add(topic);
  return [...topics];
}

async function topicConsumed(kafka: KafkaPort, groups: readonly string[], topic: string, deadline: number): Promise<string | null> {
  const ends = (await kafka.offsets(topic)).filter((p) => p.high > p.low);
  const unstable = await lastStable(kafka, topic, ends, deadline);
  if (unstable) return unstable;
  let why = '';
  const drained = await pollUntil(deadline, POLL_MS, async () => {
    const committed = new Map<number, number>();
    for (const group of groups) {
      for (const [partition, offset] of (await kafka.groupOffsets(group)).get(topic) ?? []) committed.set(partition, Math.max(offset, committed.get(partition) ?? 0));
    }
    for (const { partition, high } of ends) {
      const at = committed.get(partition);
      if (at === undefined) {
        why = `drain: group ${groups.join(', ')} has no committed offset for ${topic}/${partition}: unknown, not drained`;
        return null;
      }
      if (at < high && !(high - at <= 1000 && (await kafka.onlyControlRecords(topic, partition, at, high)))) {
        why = `drain: group ${groups.join(', ')} at ${at} < ${high} in ${topic}/${partition}`;
        return null;
      }
    }
    return true;
  }, () => ({ waitingFor: topic, why }));
  return drained ? null : `${why} at the time limit`;
}

async function outputStable(kafka: KafkaPort, topic: string, deadline: number): Promise<string | null> {
  return lastStable(kafka, topic, await kafka.offsets(topic), deadline);
}

/** Waits until no transaction that was open at the captured ends is open any more. */
async function lastStable(kafka: KafkaPort, topic: string, ends: readonly { partition: number; high: number }[], deadline: number): Promise<string | null> {
  let why = '';
  const stable = await pollUntil(deadline, POLL_MS, async () => {
    const now = new Map((await kafka.offsets(topic)).map((p) => [p.partition, p.committed]));
    const open = ends.find(({ partition, high }) => (now.get(partition) ?? 0) < high);
    if (open) why = `drain: an open transaction in ${topic}/${open.partition} (stable ${now.get(open.partition)} < ${open.high})`;
    return open ? null : true;
  });
  return stable ? null : `${why} at the time limit`;
}
