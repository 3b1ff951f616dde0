// Spec → configuration of Debezium's Postgres source. Every deviation from Debezium's default says
// why.
import { durationMs } from '../domain/values/duration.js';
import type { TableName } from '../domain/migration/names.js';
import type { MigrationSpec, SecretRef } from '../domain/migration/spec.js';
import type { ResolvedPlan } from '../domain/plan/resolved-plan.js';
import { sslOf } from './jdbc-url.js';

export const POSTGRES_SOURCE_CLASS = 'io.debezium.connector.postgresql.PostgresConnector';

/**
 * Builds the configuration for the time of the migration, with barrier messages and snapshot
 * notifications.
 */
export function debeziumPostgresConfig(plan: ResolvedPlan): Record<string, string> {
  return {
    ...handedOverConfig(plan),
    'notification.enabled.channels': 'sink',
    'notification.sink.topic.name': plan.names.notificationTopic,
    'message.prefix.include.list': messagePrefix(plan),
    ...(plan.capture.loading.isSignalled ? signalled(plan) : {}),
  };
}

/** Chunks asked for through Kafka: the source is only read, no table for signals is needed. */
function signalled({ spec, names, cluster }: ResolvedPlan): Record<string, string> {
  return {
    'read.only': 'true',
    'signal.enabled.channels': 'kafka',
    'signal.kafka.topic': names.signalTopic,
    'signal.kafka.bootstrap.servers': cluster,
    'signal.kafka.groupId': names.signalGroup,
    ...(spec.kafka.tls ? { 'signal.consumer.security.protocol': 'SSL' } : {}),
    'incremental.snapshot.chunk.size': '10000',
    'signal.poll.interval.ms': '500', // the default, 5 s, is what a load of few rows would wait for
  };
}

/**
 * After the hand-over: the same connector, no longer using the topics that are removed with the
 * scaffolding.
 */
export function handedOverConfig(plan: ResolvedPlan): Record<string, string> {
  const { names, tables, capture } = plan;
  const { postgres } = plan.spec.source;
  return {
    'connector.class': POSTGRES_SOURCE_CLASS,
    'tasks.max': '1',
    'plugin.name': 'pgoutput', // the default, decoderbufs, is an extension hardly any server has
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.dbname': postgres.database,
    'database.user': postgres.user,
    ...(postgres.passwordFrom ? { 'database.password': placeholder(postgres.passwordFrom) } : {}),
    ...Object.fromEntries(
      Object.entries(sslOf(postgres)).map(([name, value]) => [`database.${name}`, value]),
    ),
    'topic.prefix': names.topicPrefix,
    'topic.heartbeat.prefix': `${names.topicPrefix}.heartbeat`,
    'slot.name': names.slot,
    'publication.name': names.publication,
    'publication.autocreate.mode': 'disabled', // ours lists exactly the tables; autocreate takes the whole database
    'table.include.list': tables.map(includePattern).join(','),
    'snapshot.mode': capture.loading.startsWithLoad ? 'initial' : 'no_data',
    'decimal.handling.mode': 'string', // exact; `double` loses digits
    'time.precision.mode': 'isostring', // exact and readable; the default hides the unit in a number
    'interval.handling.mode': 'string',
    'binary.handling.mode': 'base64',
    'skipped.operations': 't', // a TRUNCATE has no key: a compacted topic refuses it and the task dies. Windows then show its rows as extraneous
    'tombstones.on.delete': 'true',
    'extended.headers.enabled': 'false', // four headers a record, carried on by every consumer: they cost a Streams application a tenth of its time
    'offset.mismatch.strategy': 'trust_offset', // the default continues silently after a gap when the slot is ahead
    // a quiet database never confirms WAL without heartbeats, and the slot would retain it
    'heartbeat.interval.ms': '5000',
    // Between chunks, Debezium compares transaction ids, and it fails on a message without one.
    'heartbeat.action.query': `SELECT pg_logical_emit_message(${capture.loading.isSignalled}, 'sluice.heartbeat', '')`,
    'message.prefix.include.list': 'sluice-none', // the hand-over ends the barrier messages
    'poll.interval.ms': '50',
    'status.update.interval.ms': '500',
    'retriable.restart.connector.wait.ms': '1000',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    ...plan.spec.connector.config,
  };
}

/** Prefix of our barrier messages in the WAL. */
export const messagePrefix = (spec: MigrationSpec): string => `sluice-${spec.metadata.name}`;

export const SNAPSHOT_LIMIT_MS = durationMs('30m');

/**
 * The same reference as a placeholder of Connect's config providers (a file's with its key): the
 * secret itself never passes through us.
 */
export function placeholder(secret: SecretRef): string {
  return 'env' in secret ? `\${env:${secret.env}}` : `\${file:${secret.file}}`;
}

/**
 * A pattern of Java. The connector takes patterns without regard to case, and "Orders" is another
 * table than orders: this one says that case matters.
 */
export function includePattern({ schema, table }: TableName): string {
  return `(?-i)${escape(schema)}\\.${escape(table)}`;
}

const escape = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\,]/g, '\\$&');
