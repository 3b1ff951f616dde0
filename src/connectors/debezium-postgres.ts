// Builds the configuration of Debezium's Postgres source from a spec. Comments give the reasons for
// most settings that differ from Debezium's defaults.
import { durationMs } from '../domain/values/duration.js';
import { brokersOfConnect } from '../domain/migration/cluster-access.js';
import type { TableName } from '../domain/migration/names.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import type { ResolvedPlan } from '../domain/plan/resolved-plan.js';
import { converterConfig } from './converters.js';
import { sslOf } from './jdbc-url.js';
import { kafkaClientConfig, placeholder } from './kafka-client-properties.js';

export const POSTGRES_SOURCE_CLASS = 'io.debezium.connector.postgresql.PostgresConnector';

/**
 * Builds the configuration that the connector has during the migration, with barrier messages and
 * snapshot notifications.
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

/**
 * Adds the keys for an incremental snapshot that is requested through Kafka. In read-only mode, the
 * source needs no table for signals.
 */
function signalled(plan: ResolvedPlan): Record<string, string> {
  const { spec, names } = plan;
  const login = Object.entries(kafkaClientConfig(spec.kafka));
  return {
    'read.only': 'true',
    'signal.enabled.channels': 'kafka',
    'signal.kafka.topic': names.signalTopic,
    'signal.kafka.bootstrap.servers': brokersOfConnect(spec).join(','),
    'signal.kafka.groupId': names.signalGroup,
    ...Object.fromEntries(login.map(([key, value]) => [`signal.consumer.${key}`, value])),
    'incremental.snapshot.chunk.size': '10000',
    // with the default of 5 s, the load of a small table would mostly be waiting
    'signal.poll.interval.ms': '500',
  };
}

/**
 * Builds the configuration for the time after the hand-over. The connector stays the same, but no
 * longer uses the scaffolding topics. Those topics are removed.
 */
export function handedOverConfig(plan: ResolvedPlan): Record<string, string> {
  const { names, tables, capture } = plan;
  const { postgres } = plan.spec.source;
  return {
    'connector.class': POSTGRES_SOURCE_CLASS,
    'tasks.max': '1',
    'plugin.name': 'pgoutput', // the default, decoderbufs, is an extension that few servers have
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
    // Sluice's publication lists exactly the tables; an autocreated one lists the whole database
    'publication.autocreate.mode': 'disabled',
    'table.include.list': tables.map(includePattern).join(','),
    'snapshot.mode': capture.loading.startsWithLoad ? 'initial' : 'no_data',
    'decimal.handling.mode': 'string', // exact; `double` loses digits
    // exact and readable; by default, the value is a number without its unit
    'time.precision.mode': 'isostring',
    'interval.handling.mode': 'string',
    'binary.handling.mode': 'base64',
    // The record of a TRUNCATE has no key, so a compacted topic would refuse it and the connector's
    // task would fail. TRUNCATE is therefore skipped, and windows report its rows as extraneous.
    'skipped.operations': 't',
    'tombstones.on.delete': 'true',
    // Otherwise Debezium adds four headers to each record, which cost a Streams application a tenth
    // of its time.
    'extended.headers.enabled': 'false',
    // by default, Debezium silently skips lost changes if the slot is ahead of the stored offset
    'offset.mismatch.strategy': 'trust_offset',
    // Without heartbeats, the connector confirms no WAL while its tables are quiet, and the slot
    // retains all WAL.
    'heartbeat.interval.ms': '5000',
    // During an incremental snapshot, Debezium compares the transaction ids of messages, and fails
    // on a message without one. With such a snapshot, the heartbeat's message is transactional.
    'heartbeat.action.query': `SELECT pg_logical_emit_message(${capture.loading.isSignalled}, 'sluice.heartbeat', '')`,
    'message.prefix.include.list': `sluice-${NO_MIGRATION}`, // no message has this prefix
    'poll.interval.ms': '50',
    'status.update.interval.ms': '500',
    'retriable.restart.connector.wait.ms': '1000',
    ...converterConfig(plan.spec.kafka),
    ...plan.spec.connector.config,
  };
}

/**
 * No migration may have this name. Every connector that was handed over still accepts messages with
 * the prefix of this name. It would write such a message to a topic that no longer exists.
 */
export const NO_MIGRATION = 'none';

/** Returns the prefix of Sluice's markers in the WAL. */
export const messagePrefix = (spec: MigrationSpec): string => `sluice-${spec.metadata.name}`;

export const SNAPSHOT_LIMIT_MS = durationMs('30m');

/**
 * Returns a Java pattern that matches exactly this table. The connector ignores case by default,
 * but "Orders" and orders are different tables, so the pattern makes case matter.
 */
export function includePattern({ schema, table }: TableName): string {
  return `(?-i)${escape(schema)}\\.${escape(table)}`;
}

const escape = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\,]/g, '\\$&');
